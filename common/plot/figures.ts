/**
 * The figures of the papers' runs: data in, the bytes of a PNG file out.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { type Chart, chart, COLOURS, dots, sheet } from "./chart.ts";
import { rasterize } from "./raster.ts";

/** Points in the plane under a title. */
export interface PointPanel {
  /** One line above the points. */
  title: string;
  /** [N·2], x and y of each point in turn. */
  points: Float32Array;
}

/** An arrow from (x, y) to (x + dx, y + dy). */
export interface Arrow {
  /** Where it begins along x. */
  x: number;
  /** Where it begins along y. */
  y: number;
  /** Its length along x. */
  dx: number;
  /** Its length along y. */
  dy: number;
}

/** Arrows from places, [N·2], by as much as the second array says, [N·2]. */
export function arrowsOf(from: Float32Array, by: Float32Array): Arrow[] {
  return Array.from({ length: from.length / 2 }, (_, i) => ({
    x: from[2 * i],
    y: from[2 * i + 1],
    dx: by[2 * i],
    dy: by[2 * i + 1],
  }));
}

const PANEL = 250;

/** Rows of scatter plots, all with the same axes and the same scale in x and y. */
export async function diffusionFigure(
  { rows }: { rows: { label: string; panels: PointPanel[] }[] },
): Promise<Uint8Array> {
  const domain = squareAround(rows.flatMap(({ panels }) => panels));
  const charts = rows.map(({ label, panels }) => ({
    label,
    charts: panels.map(({ title, points }) =>
      pointChart(title, domain, [dots(points, { r: 1, fill: COLOURS.blue, opacity: 0.5 })])
    ),
  }));
  return await rasterize(sheet(charts));
}

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

/** Panels with points faintly in the background and arrows over them; each has a scale of its own. */
export async function fieldFigure(
  { panels }: { panels: (PointPanel & { arrows: Arrow[] })[] },
): Promise<Uint8Array> {
  const charts = panels.map(({ title, points, arrows }) => {
    const domain = squareAround([{ points }]);
    const longest = Math.max(...arrows.map(({ dx, dy }) => Math.hypot(dx, dy)));
    const spacing = (domain[1] - domain[0]) / Math.sqrt(arrows.length);
    const stretch = longest > 0 ? 1.5 * spacing / longest : 1;
    const shown = arrows.map(({ x, y, dx, dy }) => ({
      x,
      y,
      x2: x + stretch * dx,
      y2: y + stretch * dy,
    }));
    return pointChart(`${title}, arrows ×${stretch.toPrecision(2)}`, domain, [
      dots(points, { r: 1, fill: COLOURS.grey, opacity: 0.3 }),
      Plot.arrow(shown, {
        x1: "x",
        y1: "y",
        x2: "x2",
        y2: "y2",
        stroke: COLOURS.orange,
        strokeWidth: 1.1,
        headLength: 5,
        clip: true,
      }),
    ]);
  });
  return await rasterize(sheet([{ charts }]));
}

/** One or more curves over a common x. */
export async function lineFigure(
  { title, xLabel, yLabel, lines }: {
    title: string;
    xLabel: string;
    yLabel: string;
    lines: { name: string; x: number[]; y: number[] }[];
  },
): Promise<Uint8Array> {
  const data = lines.flatMap(({ name, x, y }) => x.map((x, i) => ({ name, x, y: y[i] })));
  const ends = lines.map(({ name, x, y }) => ({ name, x: x.at(-1)!, y: y.at(-1)! }));
  const svg = chart({
    title,
    width: 560,
    marginRight: 90,
    x: { label: xLabel },
    y: { label: yLabel, grid: true },
    color: { domain: lines.map(({ name }) => name), range: Object.values(COLOURS) },
    marks: [
      Plot.line(data, { x: "x", y: "y", stroke: "name", strokeWidth: 1.8 }),
      Plot.text(ends, { x: "x", y: "y", text: "name", fill: "name", dx: 6, textAnchor: "start" }),
    ],
  });
  return await rasterize(sheet([{ charts: [svg] }]));
}

/** A square panel for points: the same scale in x and y. */
export function pointChart(
  title: string,
  domain: [number, number],
  marks: (Plot.RenderFunction | Plot.Markish)[],
): Chart {
  return chart({
    title,
    width: PANEL,
    height: PANEL,
    marginLeft: 30,
    marginRight: 10,
    marginTop: 28,
    marginBottom: 22,
    x: { domain, ticks: 5, label: null },
    y: { domain, ticks: 5, label: null },
    marks: [Plot.frame({ stroke: "#ccc" }), ...marks],
  });
}

/** Losses of single steps jump about: they are drawn faintly, and their mean over a window strongly. */
function lossChart(lossLabel: string, losses: number[]): Chart {
  const window = Math.max(1, Math.min(100, Math.round(losses.length / 20)));
  const points = thin(losses.map((loss, i) => ({ step: i + 1, loss })));
  const smooth = thin(movingMean(losses, window));
  const log = losses.every((loss) => loss > 0);
  return chart({
    title: `${lossLabel}, step by step`,
    marginLeft: 56,
    marginRight: 16,
    marginBottom: 40,
    x: { label: "training step" },
    y: { label: null, type: log ? "log" : "linear", grid: true, tickFormat: "~g", ticks: 6 },
    marks: [
      Plot.line(points, { x: "step", y: "loss", stroke: COLOURS.blue, strokeOpacity: 0.3 }),
      Plot.line(smooth, { x: "step", y: "loss", stroke: COLOURS.blue, strokeWidth: 2 }),
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

/** The mean of the last `window` losses at every step from the window's length on. */
function movingMean(losses: number[], window: number): { step: number; loss: number }[] {
  const means: { step: number; loss: number }[] = [];
  let sum = 0;
  losses.forEach((loss, i) => {
    sum += loss - (i >= window ? losses[i - window] : 0);
    if (i >= window - 1) means.push({ step: i + 1, loss: sum / window });
  });
  return means;
}

/** About 2,000 of the points at most: more could not be told apart. */
function thin<T>(points: T[]): T[] {
  const every = Math.ceil(points.length / 2000);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

/** The smallest square around the middle of the plane that holds all but stray points. */
export function squareAround(panels: { points: Float32Array }[]): [number, number] {
  const reach = Math.max(...panels.map(({ points }) => {
    const sizes = points.map(Math.abs).sort();
    return sizes[Math.floor(0.998 * (sizes.length - 1))] ?? 1;
  }));
  return [-1.08 * reach, 1.08 * reach];
}
