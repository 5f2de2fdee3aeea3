/**
 * A tensor's numbers summed up in six.
 *
 * @module
 */

/** A summary of the numbers; all but the counts are over the finite ones. */
export interface Statistics {
  /** The mean of the finite numbers. */
  mean: number;
  /** The root of the mean squared deviation. */
  std: number;
  /** The smallest finite number. */
  min: number;
  /** The largest finite number. */
  max: number;
  /** How many are NaN. */
  nan: number;
  /** How many are infinite. */
  infinite: number;
}

/** Statistics of any numbers; mean, std, min and max are NaN where none of them is finite. */
export function statistics(values: ArrayLike<number>): Statistics {
  let [sum, min, max, nan, infinite] = [0, Infinity, -Infinity, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
    else {
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  const finite = values.length - nan - infinite;
  if (finite === 0) return { mean: NaN, std: NaN, min: NaN, max: NaN, nan, infinite };
  const mean = sum / finite;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) squares += (values[i] - mean) ** 2;
  }
  return { mean, std: Math.sqrt(squares / finite), min, max, nan, infinite };
}
