/**
 * The figures of the papers' runs: data in, the bytes of a PNG file out.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { centredMean } from "./centred_mean.ts";
import { type Chart, chart, COLOURS, dots, sheet } from "./chart.ts";
import { logTicks } from "./log_ticks.ts";
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

/** The side of a square panel, and the height of a note above it. */
const [PANEL, NOTE] = [250, 16];

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

/** The loss by step on the left, and by t on the right. */
export async function lossFigure(
  { lossLabel, losses, perT }: {
    lossLabel: string;
    losses: number[];
    perT: { t: number[]; value: number[]; label: string };
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
    const note = `arrows drawn at ${stretch.toPrecision(2)} of their length`;
    return pointChart(title, domain, [
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
    ], { note });
  });
  return await rasterize(sheet([{ charts }]));
}

/** A curve. */
export interface Line {
  /** Its label. */
  name: string;
  /** Rising. */
  x: number[];
  /** As many. */
  y: number[];
}

/** One or more curves over a common x, each labelled where it is farthest from the others. */
export async function lineFigure(
  { title, xLabel, yLabel, lines }: {
    title: string;
    xLabel: string;
    yLabel: string;
    lines: Line[];
  },
): Promise<Uint8Array> {
  const data = lines.flatMap(({ name, x, y }) => x.map((x, i) => ({ name, x, y: y[i] })));
  const svg = chart({
    title,
    width: 760,
    height: 290,
    marginLeft: 48,
    marginBottom: 40,
    x: { label: xLabel },
    y: { label: yLabel, grid: true },
    color: { domain: lines.map(({ name }) => name), range: Object.values(COLOURS) },
    marks: [
      Plot.line(data, { x: "x", y: "y", stroke: "name", strokeWidth: 1.8 }),
      Plot.text(lines.map((line) => labelOf(line, lines)), {
        ...{ x: "x", y: "y", text: "name", fill: "name", fontSize: 13 },
        ...{ dx: 8, dy: -8, textAnchor: "start" },
      }),
    ],
  });
  return await rasterize(sheet([{ charts: [svg] }]));
}

/** The place of a line's label: in the middle of it, or where the nearest other line is farthest. */
function labelOf({ name, x, y }: Line, lines: Line[]): { name: string; x: number; y: number } {
  const gap = (i: number) =>
    Math.min(...lines.map((l) => l.name === name ? 1 : Math.abs(l.y[i] - y[i])));
  const middle = Math.floor(x.length / 2);
  const at = x.reduce((best, _, i) => gap(i) > gap(best) ? i : best, middle);
  return { name, x: x[at], y: y[at] };
}

/** A square panel for points, the same scale in x and y; a note stands smaller below the title. */
export function pointChart(
  title: string,
  domain: [number, number],
  marks: (Plot.RenderFunction | Plot.Markish)[],
  { note }: { note?: string } = {},
): Chart {
  return chart({
    title,
    note,
    width: PANEL,
    height: note ? PANEL + NOTE : PANEL,
    marginLeft: 30,
    marginRight: 10,
    marginTop: note ? 28 + NOTE : 28,
    marginBottom: 22,
    x: { domain, ticks: 5, label: null },
    y: { domain, ticks: 5, label: null },
    marks: [Plot.frame({ stroke: "#ccc" }), ...marks],
  });
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

function perTimeChart({ t, value, label }: { t: number[]; value: number[]; label: string }): Chart {
  const data = t.map((t, i) => ({ t, value: value[i] }));
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
      Plot.ruleY([0]),
    ],
  });
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
