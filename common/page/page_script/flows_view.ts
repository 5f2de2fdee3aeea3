/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";
import type { Packed } from "../packed.ts";
import type { RunData } from "../run_data.ts";
import { markedChart, perTimeChart } from "./charts.ts";
import { byId, element, showPart } from "./elements.ts";
import { PointChain } from "./point_chain.ts";
import { PointPanel } from "./point_panel.ts";
import { onThemeChange } from "./theme.ts";
import { timeControl } from "./time_control.ts";
import { unpack } from "./unpack.ts";

/** Parts of the time from 0 to 1 on the slider: the moments of 1, 2, 4, 8, 16 and 40 steps are among them. */
const PARTS = 80;
/** Where the sliders stand at first: in the middle of the time, and at four steps. */
const FIRST = { time: PARTS / 2, steps: 2 };

/** Paper 4 in the plane: a flow by some number of steps, and what that costs. */
export function flowsView(): (data: RunData) => void {
  let data: RunData | undefined;
  const panel = new PointPanel("flow");
  const choice = byId<HTMLSelectElement>("flow-choice");
  const stepsNow = () => data?.flows?.steps[steps.position()] ?? 0;
  const time = timeControl("time", {
    plays: "up and down",
    describe: (position) => `t = ${(position / PARTS).toFixed(2)}`,
    onChange: showTime,
  });
  const perT = markedChart(byId("per-t-chart"), {
    height: 230,
    options: () => data?.perT && perTimeChart(data.perT, 1),
    pick: {
      label: "t, over the loss of each t",
      to: (t) => time.goTo(Math.round(PARTS * t)),
      moves: () => time,
    },
  });
  const distances = markedChart(byId("distance-chart"), {
    height: 230,
    options: () => data?.flows && distanceChart(data, choice.selectedIndex),
    pick: {
      label: "number of Euler steps, over the distance",
      to: (picked) => {
        const off = data!.flows!.steps.map((S) => Math.abs(Math.log(S / picked)));
        steps.goTo(off.indexOf(Math.min(...off)));
      },
      moves: () => steps,
    },
  });
  const steps = timeControl("steps", {
    plays: "up",
    describe: (position) => {
      const S = data?.flows?.steps[position] ?? 0;
      return S === 1 ? "1 step" : `${S} steps`;
    },
    onChange: showWays,
  });
  choice.addEventListener("change", () => {
    showWays();
    distances.update();
  });
  onThemeChange(() => panel.draw());

  function showTime(position: number): void {
    panel.show(PARTS - position); // the chain is kept from data to noise
    perT.mark(position / PARTS);
  }

  function showWays(): void {
    if (!data?.flows) return;
    const { ways, reach } = data.flows;
    const chain = fromDataToNoise(ways[choice.selectedIndex][steps.position()]);
    panel.setContent({ chain, from: "noise", reach, colouredAt: PARTS });
    distances.mark(stepsNow());
    const distance = distancesOf(data)?.[choice.selectedIndex]?.[steps.position()];
    byId("distance-note").textContent = distance === undefined
      ? ""
      : `${stepsNow() === 1 ? "1 step" : `${stepsNow()} steps`}: ${distance.toFixed(4)}`;
  }

  return (now) => {
    const before = data;
    data = now;
    showPart("chains", now.flows !== undefined);
    if (!now.flows) return;
    const chosen = Math.max(0, choice.selectedIndex);
    choice.replaceChildren(
      ...now.flows.ways.map((_, k) => element("option", { text: flowName(k) })),
    );
    choice.selectedIndex = Math.min(chosen, now.flows.ways.length - 1);
    steps.setMoments(now.flows.steps.length, before?.flows ? steps.position() : FIRST.steps);
    time.setMoments(PARTS + 1, before?.flows ? time.position() : FIRST.time);
    perT.update();
    distances.update();
  };
}

/** A way by Euler steps at every part of the time: between two steps it is straight. */
function fromDataToNoise(way: Packed): PointChain {
  const [moments, N] = way.shape;
  const places = unpack(way);
  const numbers = new Float32Array((PARTS + 1) * N * 2);
  for (let part = 0; part <= PARTS; part++) {
    const at = (moments - 1) * (PARTS - part) / PARTS;
    const before = Math.min(Math.floor(at), moments - 2);
    const along = at - before;
    for (let i = 0; i < 2 * N; i++) {
      const [from, to] = [places[before * 2 * N + i], places[(before + 1) * 2 * N + i]];
      numbers[part * 2 * N + i] = from + along * (to - from);
    }
  }
  return new PointChain(numbers, [PARTS + 1, N]);
}

/** The distance of each flow by each number of steps, as the run has measured it. */
function distancesOf({ record }: RunData): number[][] | undefined {
  return record.distanceOfFlow;
}

function distanceChart(data: RunData, chosen: number): Plot.PlotOptions {
  const { steps } = data.flows!;
  const rows = (distancesOf(data) ?? []).flatMap((distances, k) =>
    distances.map((y, i) => ({ flow: k, x: steps[i], y }))
  );
  return {
    x: {
      label: "Euler steps",
      type: "log",
      base: 2, // to the base of 10 an axis leaves the 8 out
      domain: [0.9, 1.15 * steps.at(-1)!],
      ticks: steps,
      tickFormat: "d",
    },
    y: { label: null, type: "log", grid: true, ticks: 4, tickFormat: "~g" },
    marks: [
      Plot.line(rows, {
        ...{ x: "x", y: "y", z: "flow", stroke: "var(--orange)" },
        strokeWidth: 1.8,
        strokeOpacity: ({ flow }) => flow === chosen ? 1 : 0.35,
      }),
      Plot.dot(rows.filter(({ flow }) => flow === chosen), {
        ...{ x: "x", y: "y", fill: "var(--orange)", r: 3 },
      }),
    ],
  };
}

function flowName(reflows: number): string {
  return reflows === 0
    ? "before any reflow"
    : reflows === 1
    ? "after one reflow"
    : `after ${reflows} reflows`;
}
