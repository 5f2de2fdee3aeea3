/**
 * How well one image predicts another.
 *
 * @module
 */

/**
 * r² = 1 − Σ (yᵢ − ŷᵢ)²/Σ (yᵢ − ȳ)², the share of the spread of y that ŷ predicts: 1 where they are equal,
 * 0 for a prediction as good as the mean of y, below 0 for a worse one.
 *
 * @param predicted ŷ, like y.
 * @param actual y.
 */
export function rSquared(predicted: Float32Array, actual: Float32Array): number {
  const mean = actual.reduce((sum, y) => sum + y, 0) / actual.length;
  const spread = actual.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  const error = actual.reduce((sum, y, i) => sum + (y - predicted[i]) ** 2, 0);
  return 1 - error / spread;
}

/** The value in the middle; the mean of both where two are. */
export function median(values: ArrayLike<number>): number {
  const sorted = Array.from(values).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}
