/**
 * Smoothing.
 *
 * @module
 */

/**
 * The mean of each number and its neighbours on both sides, so that the curve does not lag behind what
 * it smooths. At the beginning, where a loss falls steeply, there are fewer neighbours, as many on one
 * side as on the other; at the end those on the right are missing.
 *
 * @param halfWidth Neighbours on either side.
 */
export function centredMean(values: number[], halfWidth: number): number[] {
  const sums = [0]; // of the first i values
  for (const value of values) sums.push(sums[sums.length - 1] + value);
  return values.map((_, i) => {
    const reach = Math.min(halfWidth, i);
    const [from, to] = [i - reach, Math.min(i + reach + 1, values.length)];
    return (sums[to] - sums[from]) / (to - from);
  });
}
