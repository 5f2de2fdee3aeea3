/**
 * Some of many, evenly spaced.
 *
 * @module
 */

/**
 * So many of the indices 0..count−1, evenly spaced, the first and the last among them; of one alone the
 * last, and all of them where there are no more.
 */
export function evenly(count: number, some: number): number[] {
  if (some >= count) return Array.from({ length: count }, (_, i) => i);
  if (some === 1) return [count - 1];
  return Array.from({ length: some }, (_, i) => Math.round(i * (count - 1) / (some - 1)));
}
