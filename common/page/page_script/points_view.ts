/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { markedChart, perTimeChart, scheduleChart } from "./charts.ts";
import { byId, showPart } from "./elements.ts";
import { PointChain } from "./point_chain.ts";
import { PointPanel } from "./point_panel.ts";
import { onThemeChange } from "./theme.ts";
import { timeControl } from "./time_control.ts";
import { unpack } from "./unpack.ts";

/** Where the slider stands at first, as a share of T: noisy already, but still a shape. */
const FIRST = 0.5;

/** Paper 1: the two chains of points, and KL and schedule over the same t. */
export function pointsView(): (data: RunData) => void {
  let data: RunData | undefined;
  const forward = new PointPanel("forward");
  const reverse = new PointPanel("reverse");
  const time = timeControl("time", {
    plays: "up and down", // forwards first, then back
    describe: (t) => `t = ${t}`,
    onChange: show,
    onRun: (runs) => byId("chains").dataset.runs = runs, // the other chain goes backwards: it fades
  });
  const pick = (label: string) => ({
    label,
    to: (t: number) => time.goTo(Math.round(t)),
    moves: () => time,
  });
  const charts = [
    markedChart(byId("per-t-chart"), {
      height: 230,
      options: () => data?.perT && perTimeChart(data.perT, lastTime(data)),
      pick: pick("t, over the KL of each t"),
    }),
    markedChart(byId("schedule-chart"), {
      height: 230,
      options: () => data?.alphaBar && scheduleChart(unpack(data.alphaBar)),
      pick: pick("t, over the schedule"),
    }),
  ];
  const allArrows = byId<HTMLInputElement>("all-arrows");
  allArrows.addEventListener("change", () => reverse.showAllArrows(allArrows.checked));
  onThemeChange(() => [forward, reverse].forEach((panel) => panel.draw()));

  function show(t: number): void {
    forward.show(t);
    reverse.show(t);
    charts.forEach((chart) => chart.mark(t));
    const { perT } = data ?? {};
    const i = perT?.t.indexOf(t) ?? -1;
    byId("per-t-note").textContent = i < 0 ? "" : `at t = ${t}: ${perT!.value[i].toFixed(3)} nats`;
  }

  return (now) => {
    const before = data;
    data = now;
    showPart("chains", now.points !== undefined);
    if (!now.points) return;
    const { reach } = now.points;
    const chain = new PointChain(now.points.reverse);
    forward.setContent({ chain: new PointChain(now.points.forward), from: "data", reach });
    const arrows = new PointChain(now.points.mean);
    reverse.setContent({ chain, from: "noise", reach, arrows });
    charts.forEach((chart) => chart.update());
    time.setMoments(
      chain.T + 1,
      before?.points ? time.position() : Math.round(FIRST * chain.T),
    );
  };
}

function lastTime({ points, alphaBar }: RunData): number {
  return (points?.reverse.shape[0] ?? alphaBar?.shape[0] ?? 1) - 1;
}
