/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { markedChart, perTimeChart, scheduleChart } from "./charts.ts";
import { byId, showPart } from "./elements.ts";
import { ImagePanel } from "./image_panel.ts";
import { timeControl } from "./time_control.ts";
import { unpack } from "./unpack.ts";

/** Where the slider stands at first, as a share of the moments: half noise, half digit. */
const FIRST = 0.45;

/**
 * Chains of images, and over the same t the loss and, where the page has a place for it, the schedule.
 *
 * @param options.rises Whether the moments are kept from noise to image, as paper 4's, where t rises
 * from 0 to 1. Default: false, from T down to 0.
 */
export function imagesView({ rises = false } = {}): (data: RunData) => void {
  let data: RunData | undefined;
  let times: number[] = []; // rising, as the slider goes
  const xt = new ImagePanel("xt-images");
  const x0Hat = new ImagePanel("x0hat-images");
  const time = timeControl("time", {
    plays: rises ? "up" : "down",
    describe: (position) =>
      `t = ${rises ? (times[position] ?? 0).toFixed(2) : times[position] ?? 0}`,
    onChange: show,
  });
  const lastTime = () => rises ? 1 : (data?.alphaBar?.shape[0] ?? times.at(-1)! + 1) - 1;
  const pick = (label: string) => ({
    label,
    to: (t: number) => time.goTo(indexOfNearest(times, t)),
    moves: () => time,
  });
  const charts = [
    markedChart(byId("per-t-chart"), {
      height: 230,
      options: () => data?.perT && perTimeChart(data.perT, lastTime()),
      pick: pick("t, over the loss of each t"),
    }),
    ...rises ? [] : [markedChart(byId("schedule-chart"), {
      height: 230,
      options: () => data?.alphaBar && scheduleChart(unpack(data.alphaBar)),
      pick: pick("t, over the schedule"),
    })],
  ];

  function show(position: number): void {
    const k = rises ? position : times.length - 1 - position; // moments may fall from T to 0
    xt.show(k);
    x0Hat.show(k);
    charts.forEach((chart) => chart.mark(times[position]));
  }

  return (now) => {
    const before = data;
    data = now;
    showPart("chains", now.images !== undefined);
    if (!now.images) return;
    times = rises ? now.images.t : now.images.t.toReversed();
    xt.setContent(now.images.xt);
    x0Hat.setContent(now.images.x0Hat);
    charts.forEach((chart) => chart.update());
    time.setMoments(
      times.length,
      before?.images ? time.position() : Math.round(FIRST * (times.length - 1)),
    );
  };
}

/** Where in the list the value nearest to this one stands. */
function indexOfNearest(values: number[], wanted: number): number {
  const distances = values.map((value) => Math.abs(value - wanted));
  return distances.indexOf(Math.min(...distances));
}
