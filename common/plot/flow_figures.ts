/**
 * The figures that only flows have: ways of single points, and the distance against the number of steps.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { chart, COLOURS, dots, sheet } from "./chart.ts";
import { pointChart } from "./figures.ts";
import { rasterize } from "./raster.ts";

/** The ways of a few points through the plane. */
export interface PathPanel {
  /** What stands above it. */
  title: string;
  /** For each point the places it passes, x and y of each. */
  ways: Float32Array[][];
  /** Where many points end, [N·2]. */
  ends: Float32Array;
}

/** Half a panel's side: nearly all of N(0, I) is within. */
const REACH = 2.6;

/** A panel for each flow: where the ways begin is grey, where they end blue. */
export async function pathFigure({ panels }: { panels: PathPanel[] }): Promise<Uint8Array> {
  const domain: [number, number] = [-REACH, REACH];
  const charts = panels.map(({ title, ways, ends }) => {
    const rows = ways.flatMap((way, n) => way.map(([x, y]) => ({ n, x, y })));
    const at = (i: number) => Float32Array.from(ways.flatMap((way) => Array.from(way.at(i)!)));
    return pointChart(title, domain, [
      dots(ends, { r: 1, fill: COLOURS.blue, opacity: 0.25 }),
      Plot.line(rows, {
        x: "x",
        y: "y",
        z: "n",
        stroke: COLOURS.orange,
        strokeWidth: 0.9,
        clip: true,
      }),
      dots(at(0), { r: 2, fill: COLOURS.grey, opacity: 1 }),
      dots(at(-1), { r: 2, fill: COLOURS.blue, opacity: 1 }),
    ]);
  });
  return await rasterize(sheet([{ charts }]));
}

/** What the distance figure shows. */
export interface DistanceFigure {
  /** The numbers of steps. */
  steps: number[];
  /** The distances, one for each number of steps. */
  lines: { name: string; distances: number[] }[];
  /** The distance between two draws of the data. */
  ofData: number;
  /** Another method, at one number of steps. */
  dot?: { name: string; steps: number; distance: number };
}

/** The distance to the data against the number of steps, both on logarithmic axes. */
export async function distanceFigure(
  { steps, lines, ofData, dot }: DistanceFigure,
): Promise<Uint8Array> {
  const data = lines.flatMap(({ name, distances }) =>
    distances.map((y, i) => ({ name, x: steps[i], y }))
  );
  // names stand above their lines, by turns further to the right; the last to the left of its line
  const names = lines.map(({ name, distances }, k) => {
    const isLast = k === lines.length - 1;
    const at = isLast ? 2 : k === 0 ? 0 : 2 * (k - 1) % (steps.length - 1);
    return { name, x: steps[at], y: distances[at], isLast };
  });
  const nameMark = (
    shown: typeof names,
    textAnchor: "start" | "middle" | "end",
    dx: number,
    dy: number,
  ) => Plot.text(shown, { x: "x", y: "y", text: "name", fill: "name", textAnchor, dx, dy });
  const all = [...data.map(({ y }) => y), ofData, dot?.distance ?? ofData];
  const level = { x: steps[0], y: ofData, name: "two draws of the data" };
  const svg = chart({
    title: "Sliced Wasserstein distance to the data",
    width: 560,
    height: 340,
    marginLeft: 56,
    marginRight: 20,
    marginBottom: 40,
    x: {
      label: "Euler steps, or Heun's",
      type: "log",
      base: 2, // to the base of 10 an axis leaves the 8 out
      domain: [0.9, 50],
      ticks: steps,
      tickFormat: "d",
    },
    y: {
      ...{ label: null, type: "log", grid: true, tickFormat: "~g", ticks: 6 },
      domain: [0.7 * Math.min(...all), 1.3 * Math.max(...all)],
    },
    color: { domain: lines.map(({ name }) => name), range: Object.values(COLOURS) },
    marks: [
      Plot.ruleY([ofData], { stroke: "#222", strokeDasharray: "4,3" }),
      Plot.text([level], { x: "x", y: "y", text: "name", dy: 9, textAnchor: "start" }),
      Plot.line(data, { x: "x", y: "y", stroke: "name", strokeWidth: 1.8 }),
      Plot.dot(data, { x: "x", y: "y", fill: "name", r: 3 }),
      nameMark(names.filter(({ isLast, x }) => !isLast && x === steps[0]), "start", 8, -9),
      nameMark(names.filter(({ isLast, x }) => !isLast && x !== steps[0]), "middle", 0, -9),
      nameMark(names.filter(({ isLast }) => isLast), "end", -8, 10),
      Plot.dot(dot ? [dot] : [], {
        x: "steps",
        y: "distance",
        symbol: "square",
        fill: "#222",
        r: 4,
      }),
      Plot.text(dot ? [dot] : [], {
        ...{ x: "steps", y: "distance", text: "name", dx: -8, dy: 10, textAnchor: "end" },
      }),
    ],
  });
  return await rasterize(sheet([{ charts: [svg] }]));
}
