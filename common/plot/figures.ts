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

/** The smallest square around the middle of the plane that holds all but stray points. */
export function squareAround(panels: { points: Float32Array }[]): [number, number] {
  const reach = Math.max(...panels.map(({ points }) => {
    const sizes = points.map(Math.abs).sort();
    return sizes[Math.floor(0.998 * (sizes.length - 1))] ?? 1;
  }));
  return [-1.08 * reach, 1.08 * reach];
}
