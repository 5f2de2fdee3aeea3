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
 * How far points are from the spiral, which has two ends: from the pieces at its nearest corner.
 *
 * @param points [N·2].
 * @returns [N].
 */
export function distanceToSpiral(points: Float32Array): Float32Array {
  const corners = new Float64Array(2 * (PIECES + 1));
  for (let i = 0; i <= PIECES; i++) corners.set(spiral(i / PIECES), 2 * i);
  return Float32Array.from({ length: points.length / 2 }, (_, k) => {
    const [x, y] = [points[2 * k], points[2 * k + 1]];
    const nearest = nearestCorner(x, y, corners);
    const before = squaredDistanceToPiece(x, y, corners, Math.max(0, nearest - 1));
    const after = squaredDistanceToPiece(x, y, corners, Math.min(PIECES - 1, nearest));
    return Math.sqrt(Math.min(before, after));
  });
}

function nearestCorner(x: number, y: number, corners: Float64Array): number {
  let [nearest, least] = [0, Infinity];
  for (let i = 0; i <= PIECES; i++) {
    const [dx, dy] = [x - corners[2 * i], y - corners[2 * i + 1]];
    const squared = dx * dx + dy * dy;
    if (squared < least) [nearest, least] = [i, squared];
  }
  return nearest;
}

/** To the piece from corner i to the next. */
function squaredDistanceToPiece(x: number, y: number, corners: Float64Array, i: number): number {
  const [ax, ay, bx, by] = corners.subarray(2 * i, 2 * i + 4);
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
  const share = Math.min(1, Math.max(0, along));
  return (x - ax - share * dx) ** 2 + (y - ay - share * dy) ** 2;
}
