/**
 * Points in the plane as an image of how densely they lie.
 *
 * @module
 */
import { short } from "./numbers.ts";
import { drawImages, type Screen } from "./image.ts";

/** Fewer rows of two numbers are a small matrix rather than points. */
const FEWEST = 16;
/** Squares along each side of the image. */
const SIDE = 40;

/** Whether a tensor of this shape holds points in the plane, [N, 2]. */
export function arePoints(shape: number[]): boolean {
  return shape.length === 2 && shape[1] === 2 && shape[0] >= FEWEST;
}

/**
 * Draws points: the more lie in a square, the brighter it is. The last line says where the image
 * ends; the origin is its middle. Points that are not finite are left out.
 *
 * @param values [N, 2]: x to the right, y upwards.
 */
export function drawPoints(values: ArrayLike<number>, screen: Screen): string[] {
  const points = Array.from(
    { length: values.length / 2 },
    (_, i) => [values[2 * i], values[2 * i + 1]],
  )
    .filter((point) => point.every(Number.isFinite));
  const reach = points.reduce((most, [x, y]) => Math.max(most, Math.abs(x), Math.abs(y)), 1e-9);
  const side = Math.min(SIDE, screen.columns);
  const square = (at: number) => Math.min(side - 1, Math.floor((at / reach + 1) / 2 * side));
  const counts = new Float32Array(side * side);
  for (const [x, y] of points) counts[square(-y) * side + square(x)]++;
  const most = Math.max(1, ...counts);
  // the root, so that a square with a few points differs from one with none
  const brightness = counts.map((count) => 2 * Math.sqrt(count / most) - 1);
  const image = { count: 1, height: side, width: side, channels: 1 };
  return [
    ...drawImages(brightness, image, screen).lines,
    `${points.length} points, x and y within ±${short(reach)}`,
  ];
}
