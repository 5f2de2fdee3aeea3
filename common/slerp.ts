/**
 * From one noise to another.
 *
 * @module
 */

/** Angles whose sine is smaller than this are taken for 0. */
const PARALLEL = 1e-6;

/**
 * Spherical interpolation: the way from one vector to another along the great circle (Shoemake 1985).
 * A noise of many numbers has a norm near the square root of their count. The straight line between
 * two would leave that sphere for shorter vectors, which the network has never seen; this does not.
 *
 * @param lambda λ: 0 gives a, 1 gives b.
 * @returns A vector as long as both, where these are equally long.
 *
 * @example Half a quarter turn
 * ```ts
 * import { slerp } from "./slerp.ts";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [x, y] = slerp(Float32Array.of(1, 0), Float32Array.of(0, 1), 0.5);
 * assertAlmostEquals(x, Math.SQRT1_2, 1e-6); // the straight line would be at 1/2
 * assertAlmostEquals(y, Math.SQRT1_2, 1e-6);
 * ```
 */
export function slerp(a: Float32Array, b: Float32Array, lambda: number): Float32Array {
  // θ: the angle between a and b
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const theta = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(theta);
  // x_T = sin((1−λ)·θ)/sin θ · a + sin(λ·θ)/sin θ · b   (Song et al. 2021, appendix D.5)
  const [ofA, ofB] = sine < PARALLEL
    ? [1 - lambda, lambda] // the limit for θ → 0
    : [Math.sin((1 - lambda) * theta) / sine, Math.sin(lambda * theta) / sine];
  return a.map((x, i) => ofA * x + ofB * b[i]);
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i], 0);
}
