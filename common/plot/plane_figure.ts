/**
 * The figure of the perfect denoiser in the plane.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { COLOURS, dots, sheet } from "./chart.ts";
import { type Arrow, pointChart } from "./figures.ts";
import { rasterize } from "./raster.ts";

/** What is drawn for so many training points. */
export interface PlaneColumn {
  /** How many. */
  count: number;
  /** The training points, [N·2]. */
  points: Float32Array;
  /** Where the chains end, [M·2]. */
  samples: Float32Array;
  /** From places to where the denoiser expects x₀. */
  arrows: Arrow[];
}

/** Points larger than this are few. */
const FEW = 100;
const DOMAIN: [number, number] = [-1.7, 1.7];

/**
 * A column for each number of training points: the field above, the samples below, both over the training
 * points.
 *
 * @param noisy Points as they are where the field is drawn, [K·2].
 */
export async function planeFigure(
  columns: PlaneColumn[],
  noisy: Float32Array,
): Promise<Uint8Array> {
  const known = ({ points, count }: PlaneColumn) =>
    dots(points, {
      r: count <= FEW ? 3 : 1.5,
      fill: COLOURS.blue,
      opacity: count <= FEW ? 0.9 : 0.25,
    });
  const title = ({ count }: PlaneColumn) => `${count.toLocaleString("en")} training points`;
  const fields = columns.map((column) =>
    pointChart(title(column), DOMAIN, [
      dots(noisy, { r: 1, fill: COLOURS.grey, opacity: 0.15 }),
      known(column),
      Plot.arrow(
        column.arrows.map(({ x, y, dx, dy }) => ({ x, y, x2: x + dx / 2, y2: y + dy / 2 })),
        {
          ...{ x1: "x", y1: "y", x2: "x2", y2: "y2", stroke: COLOURS.orange, strokeWidth: 1 },
          ...{ headLength: 5, clip: true },
        },
      ),
    ])
  );
  const samples = columns.map((column) =>
    pointChart(title(column), DOMAIN, [
      known(column),
      dots(column.samples, { r: 1.5, fill: COLOURS.orange, opacity: 0.8 }),
    ])
  );
  return await rasterize(sheet([
    { label: "half the way to x̂₀", charts: fields },
    { label: "samples", charts: samples },
  ]));
}
