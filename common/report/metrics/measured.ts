/**
 * What is measured on a sample, with its standard error.
 *
 * @module
 */

/** A mean over a sample with its standard error, in the unit of what is measured. */
export interface Measured {
  /** The mean. */
  mean: number;
  /** Its standard error; 0 where a single number says nothing of it. */
  error: number;
}

/** The mean of independent numbers, with s/√n. */
export function measuredMean(values: ArrayLike<number>): Measured {
  const n = values.length;
  const all = Array.from(values);
  const mean = all.reduce((sum, x) => sum + x, 0) / n;
  const squares = all.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, error: n > 1 ? Math.sqrt(squares / (n - 1) / n) : 0 };
}

/** A share of so many independent answers, in 0..1, with √(p·(1−p)/n). */
export function measuredShare(share: number, count: number): Measured {
  return { mean: share, error: Math.sqrt(share * (1 - share) / count) };
}
