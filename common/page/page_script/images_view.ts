/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { markedChart, perTimeChart, scheduleChart } from "./charts.ts";
import { byId, showPart } from "./elements.ts";
import { ImagePanel } from "./image_panel.ts";
import { timeControl } from "./time_control.ts";
import { unpack } from "./unpack.ts";

/** Where the slider stands at first, as a share of the moments: half noise, half digit. */
const FIRST = 0.45;

/** Paper 2: chains of images, and schedule and loss over the same t. */
export function imagesView(): (data: RunData) => void {
  let data: RunData | undefined;
  let times: number[] = []; // rising, as the slider goes
  const xt = new ImagePanel("xt-images");
  const x0Hat = new ImagePanel("x0hat-images");
  const time = timeControl("time", {
    plays: "down",
    describe: (position) => `t = ${times[position] ?? 0}`,
    onChange: show,
  });
  const lastTime = () => (data?.alphaBar?.shape[0] ?? times.at(-1)! + 1) - 1;
  const onPick = (t: number) => time.goTo(indexOfNearest(times, t));
  const charts = [
    markedChart(byId("per-t-chart"), {
      height: 230,
      options: () => data?.perT && perTimeChart(data.perT, lastTime()),
      onPick,
    }),
    markedChart(byId("schedule-chart"), {
      height: 230,
      options: () => data?.alphaBar && scheduleChart(unpack(data.alphaBar)),
      onPick,
    }),
  ];

  function show(position: number): void {
    const k = times.length - 1 - position; // the chain's moments fall from T to 0
    xt.show(k);
    x0Hat.show(k);
    charts.forEach((chart) => chart.mark(times[position]));
  }

  return (now) => {
    const before = data;
    data = now;
    showPart("chains", now.images !== undefined);
    if (!now.images) return;
    times = now.images.t.toReversed();
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
