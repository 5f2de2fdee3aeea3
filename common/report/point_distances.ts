/**
 * How far samples in the plane are from their data.
 *
 * @module
 */
import type { PointData } from "../data/points/point_data.ts";
import { onLines, slicedWasserstein } from "./metrics/sliced_wasserstein.ts";

/** Points that are measured. */
export const MEASURED = 5000;

/** Sliced Wasserstein distances, means over several draws of the data. */
export interface PointDistances {
  /** Of each cloud to the data. */
  ofSamples: number[];
  /** Between two draws of the data: what a perfect model would get. */
  ofData: number;
}

/**
 * The sliced Wasserstein distance of clouds to the data; all are held against the same draws.
 *
 * @param clouds Each [count·2].
 * @param options.count Points of each cloud. Default: 5000.
 * @param options.directions As in {@linkcode onLines}. Default: 200.
 * @param options.draws How many draws of the data the mean is over. Default: 5.
 */
export function distancesToData(
  clouds: Float32Array[],
  data: PointData,
  { seed, count = MEASURED, draws = 5, directions = 200 }: {
    seed: number;
    count?: number;
    draws?: number;
    directions?: number;
  },
): PointDistances {
  const distances = Array.from({ length: draws }, (_, step) => {
    const fresh = data.sample({ seed, stream: "measure", step }, count);
    const other = data.sample({ seed, stream: "measure other", step }, count);
    const lines = { directions, draw: { seed, stream: "directions", step } };
    const ofFresh = onLines(fresh, lines); // once for all clouds
    return [other, ...clouds].map((points) => slicedWasserstein(onLines(points, lines), ofFresh));
  });
  const mean = (i: number) => distances.reduce((sum, row) => sum + row[i], 0) / draws;
  return { ofSamples: clouds.map((_, i) => mean(i + 1)), ofData: mean(0) };
}
