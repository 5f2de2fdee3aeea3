/**
 * Some of many, evenly spaced.
 *
 * @module
 */

/**
 * `some` of the indices 0..count−1, evenly spaced, with the first and the last among them. One alone is
 * the last; where there are fewer than `some`, all of them.
 */
export function evenly(count: number, some: number): number[] {
  if (some >= count) return Array.from({ length: count }, (_, i) => i);
  if (some === 1) return [count - 1];
  return Array.from({ length: some }, (_, i) => Math.round(i * (count - 1) / (some - 1)));
}
