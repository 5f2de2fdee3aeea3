/**
 * Entropy and likelihood of Gaussians in the plane, in bits.
 *
 * @module
 */

/** Nats as bits. */
export function inBits(nats: number): number {
  return nats / Math.LN2;
}

/** The entropy log₂(2πe·σ²) of N(μ, σ²·I) in the plane, in bits. */
export function gaussianEntropy(variance: number): number {
  return inBits(Math.log(2 * Math.PI * Math.E * variance));
}

/**
 * The mean log likelihood of points under N(0, I), −log₂ 2π − E|x|²/2·log₂ e: the null model, which knows
 * nothing of the data.
 *
 * @param points [B·2], x and y of each in turn.
 * @returns Bits a point.
 */
export function nullLogLikelihood(points: Float32Array): number {
  const meanSquare = points.reduce((sum, x) => sum + x * x, 0) / (points.length / 2);
  return -inBits(Math.log(2 * Math.PI) + meanSquare / 2);
}
