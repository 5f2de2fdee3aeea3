/**
 * The Swiss roll in the plane: a spiral of one and a half turns, without noise.
 *
 * @module
 */
import { type Draw, uniform } from "../../random.ts";
import type { Mixture } from "./mixture.ts";

/** The point of the spiral at u in [0, 1]: radius and angle both grow with it. */
function spiral(u: number): [x: number, y: number] {
  const angle = 1.5 * Math.PI * (1 + 2 * u);
  return [angle * Math.cos(angle) / 10, angle * Math.sin(angle) / 10];
}

/** Points on the spiral, uniform in the angle; [count·2]. */
export function sampleSwissRoll(draw: Draw, count: number): Float32Array {
  const points = new Float32Array(2 * count);
  uniform(draw, count).forEach((u, i) => points.set(spiral(u), 2 * i));
  return points;
}

/** The spiral as a fine set of points. */
export function swissRoll(count: number): Mixture {
  const centres = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) centres.set(spiral((i + 0.5) / count), 2 * i);
  return { centres, width: [0, 0] };
}

/** Straight pieces that approximate the spiral, to less than 10⁻⁶. */
const PIECES = 4000;

/**
 * How far points are from the spiral, which has two ends.
 *
 * @param points [N·2].
 * @returns [N].
 */
export function distanceToSpiral(points: Float32Array): Float32Array {
  const corners = Array.from({ length: PIECES + 1 }, (_, i) => spiral(i / PIECES));
  return Float32Array.from({ length: points.length / 2 }, (_, k) => {
    const [x, y] = [points[2 * k], points[2 * k + 1]];
    let nearest = Infinity;
    for (let i = 0; i < PIECES; i++) {
      nearest = Math.min(nearest, squaredDistanceToPiece(x, y, corners[i], corners[i + 1]));
    }
    return Math.sqrt(nearest);
  });
}

function squaredDistanceToPiece(
  x: number,
  y: number,
  [ax, ay]: [number, number],
  [bx, by]: [number, number],
): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
  const share = Math.min(1, Math.max(0, along));
  return (x - ax - share * dx) ** 2 + (y - ay - share * dy) ** 2;
}
