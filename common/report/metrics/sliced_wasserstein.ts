/**
 * How far two clouds of points are from each other.
 *
 * @module
 */
import { type Draw, uniform } from "../../random.ts";

/**
 * The sliced Wasserstein-1 distance: the clouds are projected onto random directions, and on each line
 * the mean distance between the points in order is the exact Wasserstein distance.
 *
 * @param a [N·2], x and y of each point in turn.
 * @param b The other cloud, of as many points.
 * @param options.directions How many lines. Default: 200.
 * @returns The mean over the lines, in the points' unit.
 * @throws {RangeError} The clouds differ in size, or are empty.
 */
export function slicedWasserstein(
  a: Float32Array,
  b: Float32Array,
  options: { directions?: number; draw: Draw },
): number {
  const { directions = 200, draw } = options;
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(
      `slicedWasserstein: clouds of ${a.length / 2} and ${b.length / 2} points; they must be equal`,
    );
  }
  const angles = uniform(draw, directions);
  const total = angles.reduce((sum, u) => sum + distanceOnLine(a, b, Math.PI * u), 0);
  return total / directions;
}

function distanceOnLine(a: Float32Array, b: Float32Array, angle: number): number {
  const [p, q] = [a, b].map((points) => project(points, Math.cos(angle), Math.sin(angle)).sort());
  let total = 0;
  for (let i = 0; i < p.length; i++) total += Math.abs(p[i] - q[i]);
  return total / p.length;
}

function project(points: Float32Array, cos: number, sin: number): Float32Array {
  const line = new Float32Array(points.length / 2);
  for (let i = 0; i < line.length; i++) line[i] = cos * points[2 * i] + sin * points[2 * i + 1];
  return line;
}
