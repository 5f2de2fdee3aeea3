/**
 * Smoothing.
 *
 * @module
 */

/**
 * The mean of each number and its neighbours on both sides, so that the curve does not lag behind what
 * it smooths. Towards the ends there are fewer neighbours, as many on one side as on the other.
 *
 * @param halfWidth Neighbours on either side.
 */
export function centredMean(values: number[], halfWidth: number): number[] {
  const sums = [0]; // of the first i values
  for (const value of values) sums.push(sums[sums.length - 1] + value);
  return values.map((_, i) => {
    const reach = Math.min(halfWidth, i, values.length - 1 - i);
    return (sums[i + reach + 1] - sums[i - reach]) / (2 * reach + 1);
  });
}
