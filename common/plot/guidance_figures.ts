/**
 * The figure of what guidance trades for what.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { type Chart, chart, COLOURS, sheet } from "./chart.ts";
import { rasterize } from "./raster.ts";

/** A mean with its standard error. */
export interface Value {
  /** The mean. */
  mean: number;
  /** Its standard error. */
  error: number;
}

/** What is drawn: for each strength w its numbers, and lines where real images are. */
export interface TradeOff {
  /** In rising order of w. */
  points: { w: number; asked?: Value; frechet?: Value; spread: Value }[];
  /** The same of real images. */
  real: { frechet?: number; spread: number };
}

/**
 * Three charts: the Fréchet distance against the share that is taken for what was asked, a point for each w
 * (as Fig. 4 of Ho & Salimans 2022); and share and spread against w. Bars are standard errors. Without a
 * classifier there is the last one alone.
 */
export async function tradeOffFigure({ points, real }: TradeOff): Promise<Uint8Array> {
  const spread = byStrength("distance within a class", points, ({ spread }) => spread, real.spread);
  const measured = points.flatMap(({ w, asked, frechet }) =>
    asked && frechet ? [{ w, asked: inPercent(asked), frechet }] : []
  );
  if (measured.length === 0) return await rasterize(sheet([{ charts: [spread] }]));
  const share = byStrength("taken for what was asked, %", measured, ({ asked }) => asked);
  const curve = chart({
    title: "Fréchet distance against share, for each w",
    ...SIZE,
    x: { label: "taken for what was asked, %", inset: 14, ticks: 5 },
    y: { label: null, grid: true, zero: true, nice: true },
    marks: [
      ...realLine(real.frechet, "below"),
      Plot.line(measured, {
        x: ({ asked }) => asked.mean,
        y: ({ frechet }) => frechet.mean,
        stroke: COLOURS.blue,
        strokeOpacity: 0.5,
      }),
      Plot.ruleX(measured, {
        x: ({ asked }) => asked.mean,
        y1: ({ frechet }) => frechet.mean - frechet.error,
        y2: ({ frechet }) => frechet.mean + frechet.error,
        stroke: COLOURS.blue,
      }),
      Plot.ruleY(measured, {
        x1: ({ asked }) => asked.mean - asked.error,
        x2: ({ asked }) => asked.mean + asked.error,
        y: ({ frechet }) => frechet.mean,
        stroke: COLOURS.blue,
      }),
      Plot.dot(measured, {
        x: ({ asked }) => asked.mean,
        y: ({ frechet }) => frechet.mean,
        fill: COLOURS.blue,
      }),
      Plot.text(measured, {
        x: ({ asked }) => asked.mean,
        y: ({ frechet }) => frechet.mean,
        text: ({ w }) => `w = ${w}`,
        dx: -7,
        dy: -9,
        textAnchor: "end",
        stroke: "white",
        strokeWidth: 3,
        fill: "#222",
      }),
    ],
  });
  return await rasterize(sheet([{ charts: [curve, share, spread] }]));
}

const SIZE = { width: 330, height: 280, marginLeft: 48, marginRight: 16, marginBottom: 40 };

/** A value with its error for each w, each w as far from the next. */
function byStrength<P extends { w: number }>(
  title: string,
  points: P[],
  of: (point: P) => Value,
  real?: number,
): Chart {
  const rows = points.map((point) => ({ w: String(point.w), ...of(point) }));
  return chart({
    title,
    ...SIZE,
    x: { label: "w", type: "point", domain: rows.map(({ w }) => w), padding: 0.3 },
    y: { label: null, grid: true, nice: true, inset: 6 },
    marks: [
      ...realLine(real),
      Plot.line(rows, { x: "w", y: "mean", stroke: COLOURS.blue, strokeOpacity: 0.5 }),
      Plot.ruleX(rows, {
        x: "w",
        y1: ({ mean, error }) => mean - error,
        y2: ({ mean, error }) => mean + error,
        stroke: COLOURS.blue,
      }),
      Plot.dot(rows, { x: "w", y: "mean", fill: COLOURS.blue }),
    ],
  });
}

/** Where real images are. */
function realLine(value?: number, words: "above" | "below" = "above"): Plot.Markish[] {
  if (value === undefined) return [];
  return [
    Plot.ruleY([value], { stroke: COLOURS.orange, strokeDasharray: "4 3" }),
    Plot.text([value], {
      y: (value: number) => value,
      frameAnchor: "right",
      text: () => "real images",
      dy: words === "above" ? -7 : 9,
      fill: COLOURS.orange,
    }),
  ];
}

function inPercent({ mean, error }: Value): Value {
  return { mean: 100 * mean, error: 100 * error };
}
