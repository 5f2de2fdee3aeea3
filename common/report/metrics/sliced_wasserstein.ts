/**
 * How far two clouds of points are from each other.
 *
 * @module
 */
import { type Draw, uniform } from "../../random.ts";
import { sortFloats } from "./sort_floats.ts";

/** Lines through the plane in random directions. */
export interface Lines {
  /** How many. Default: 200. */
  directions?: number;
  /** Decides the directions. */
  draw: Draw;
}

/** A cloud as {@linkcode slicedWasserstein} takes it: its points, [N·2], on each line, in order. */
export function onLines(points: Float32Array, { directions = 200, draw }: Lines): Float32Array[] {
  const angles = Array.from(uniform(draw, directions), (u) => Math.PI * u);
  return angles.map((angle) => sortFloats(project(points, Math.cos(angle), Math.sin(angle))));
}

/**
 * The sliced Wasserstein-1 distance: the clouds are projected onto random directions, and on each line
 * the mean distance between the points in order is the exact Wasserstein distance.
 *
 * @param a A cloud by {@linkcode onLines}.
 * @param b The other cloud, of as many points, on the same lines.
 * @returns The mean over the lines, in the points' unit.
 * @throws {RangeError} The clouds differ in size, or are empty.
 */
export function slicedWasserstein(a: Float32Array[], b: Float32Array[]): number {
  if (a[0].length !== b[0].length || a[0].length === 0) {
    throw new RangeError(
      `slicedWasserstein: clouds of ${a[0].length} and ${b[0].length} points; they must be equal`,
    );
  }
  return a.reduce((sum, line, i) => sum + distanceOnLine(line, b[i]), 0) / a.length;
}

function distanceOnLine(p: Float32Array, q: Float32Array): number {
  let total = 0;
  for (let i = 0; i < p.length; i++) total += Math.abs(p[i] - q[i]);
  return total / p.length;
}

function project(points: Float32Array, cos: number, sin: number): Float32Array<ArrayBuffer> {
  const line = new Float32Array(points.length / 2);
  for (let i = 0; i < line.length; i++) line[i] = cos * points[2 * i] + sin * points[2 * i + 1];
  return line;
}
