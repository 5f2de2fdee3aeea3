/**
 * The figure of progressive decoding: what an image costs, and how good it is by then.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { chart, COLOURS, sheet } from "./chart.ts";
import { rasterize } from "./raster.ts";

/** A receiver who has got xₜ. */
export interface DecodingPoint {
  /** From T down to 0. */
  t: number;
  /** Bits per dimension until then. */
  rate: number;
  /** Root of the mean squared error of x̂₀, in grey values 0..255. */
  rmse: number;
}

/** Distortion by t, rate by t, and distortion by rate, as a PNG file (as in Ho et al. 2020, Fig. 5). */
export async function rateFigure(points: DecodingPoint[]): Promise<Uint8Array> {
  const T = Math.max(...points.map(({ t }) => t));
  const steps = points.map((point) => ({ ...point, steps: T - point.t }));
  const panel = (title: string, x: "steps" | "rate", y: "rmse" | "rate", label: string) =>
    chart({
      title,
      width: 320,
      height: 260,
      marginLeft: 44,
      marginBottom: 40,
      x: { label },
      y: { label: null, grid: true, zero: true },
      marks: [
        Plot.line(steps, { x, y, stroke: COLOURS.blue, strokeWidth: 1.8 }),
        Plot.ruleY([0]),
      ],
    });
  const charts = [
    panel("distortion, RMSE in grey values", "steps", "rmse", "reverse steps, T − t"),
    panel("rate, bits per dimension", "steps", "rate", "reverse steps, T − t"),
    panel("distortion, RMSE in grey values", "rate", "rmse", "rate, bits per dimension"),
  ];
  return await rasterize(sheet([{ charts }]));
}
