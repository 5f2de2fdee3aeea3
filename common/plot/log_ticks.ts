/**
 * Ticks of a logarithmic axis.
 *
 * @module
 */

/** The digits that a tick may begin with, from the roundest on. */
const STARTS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [
  ...[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9],
], [
  ...[1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9],
  ...[2, 2.2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9],
]];

/**
 * Round numbers within a range, few enough that each can have its label.
 *
 * @param from Above 0.
 * @param to Not below `from`.
 * @param least How many there are, where the range is not too narrow for it. Default: 4.
 */
export function logTicks(from: number, to: number, least = 4): number[] {
  let ticks: number[] = [];
  for (const starts of STARTS) {
    ticks = [];
    const [first, last] = [from, to].map((x) => Math.floor(Math.log10(x)));
    for (let exponent = first; exponent <= last; exponent++) {
      ticks.push(...starts.map((start) => Number(`${start}e${exponent}`)));
    }
    ticks = ticks.filter((tick) => from <= tick && tick <= to);
    if (ticks.length >= least) break;
  }
  return ticks;
}
