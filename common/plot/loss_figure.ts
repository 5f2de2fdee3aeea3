/**
 * The figure of a training: its loss by step, and by t.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { centredMean } from "./centred_mean.ts";
import { type Chart, chart, COLOURS, sheet } from "./chart.ts";
import { logTicks } from "./log_ticks.ts";
import { rasterize } from "./raster.ts";

/** A value at each t. */
export interface PerTime {
  /** In 1..T. */
  t: number[];
  /** The value at each of them. */
  value: number[];
  /** What it is; the title, or the words beside a floor. */
  label: string;
  /** What no model gets below. */
  floor?: PerTime;
}

/** The loss by step on the left, and by t on the right. */
export async function lossFigure(
  { lossLabel, losses, perT }: {
    lossLabel: string;
    losses: number[];
    perT: PerTime;
  },
): Promise<Uint8Array> {
  const charts = [lossChart(lossLabel, losses), perTimeChart(perT)];
  return await rasterize(sheet([{ charts }]));
}

/** Losses of single steps jump about: they are drawn faintly, and their mean over a window strongly. */
function lossChart(lossLabel: string, losses: number[]): Chart {
  const halfWidth = Math.min(50, Math.round(losses.length / 40));
  const log = losses.every((loss) => loss > 0);
  const ticks = log ? logTicks(Math.min(...losses), Math.max(...losses)) : [];
  // Plot's own logarithmic axis leaves the numbers out at some of its ticks
  const axis = log && ticks.length > 1
    ? {
      ticks: ticks.map(Math.log10),
      tickFormat: (y: number) => `${Number((10 ** y).toPrecision(3))}`,
    }
    : { ticks: 6, tickFormat: log ? (y: number) => (10 ** y).toPrecision(3) : "~g" };
  const byStep = (values: number[]) =>
    thin(values.map((loss, i) => ({ step: i + 1, y: log ? Math.log10(loss) : loss })));
  return chart({
    title: `${lossLabel}, step by step`,
    marginLeft: 56,
    marginRight: 16,
    marginBottom: 40,
    x: { label: "training step" },
    y: { label: null, grid: true, ...axis },
    marks: [
      Plot.line(byStep(losses), {
        ...{ x: "step", y: "y", stroke: COLOURS.blue, strokeOpacity: 0.3 },
      }),
      Plot.line(byStep(centredMean(losses, halfWidth)), {
        ...{ x: "step", y: "y", stroke: COLOURS.blue, strokeWidth: 2 },
      }),
    ],
  });
}

function perTimeChart({ label, floor, ...learned }: PerTime): Chart {
  const rows = ({ t, value }: { t: number[]; value: number[] }) =>
    t.map((t, i) => ({ t, value: value[i] }));
  const data = rows(learned);
  return chart({
    title: label,
    marginLeft: 56,
    marginRight: 16,
    marginBottom: 40,
    x: { label: "t" },
    y: { label: null, grid: true, zero: true },
    marks: [
      Plot.areaY(data, { x: "t", y: "value", fill: COLOURS.orange, fillOpacity: 0.2 }),
      Plot.line(data, { x: "t", y: "value", stroke: COLOURS.orange, strokeWidth: 1.8 }),
      ...floor ? floorMarks(rows(floor), floor.label, data) : [],
      Plot.ruleY([0]),
    ],
  });
}

/** The floor as a line of its own, with a name for each of the two. */
function floorMarks(
  floor: { t: number; value: number }[],
  label: string,
  learned: { t: number; value: number }[],
): Plot.Markish[] {
  const highest = Math.max(...learned.map(({ value }) => value));
  const names = [
    { name: "learned", fill: COLOURS.orange, y: highest },
    { name: label, fill: COLOURS.blue, y: 0.93 * highest },
  ];
  return [
    Plot.line(floor, { x: "t", y: "value", stroke: COLOURS.blue, strokeWidth: 1.8 }),
    ...names.map(({ name, fill, y }) =>
      Plot.text([name], {
        x: learned.at(-1)!.t,
        y,
        text: (name: string) => name,
        fill,
        textAnchor: "end",
      })
    ),
  ];
}

/** About 2,000 of the points at most: more could not be told apart. */
function thin<T>(points: T[]): T[] {
  const every = Math.ceil(points.length / 2000);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}
