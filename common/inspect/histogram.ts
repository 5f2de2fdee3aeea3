/**
 * A histogram of characters.
 *
 * @module
 */
import { exact, inSteps } from "./numbers.ts";
import { statistics } from "./statistics.ts";

const BINS = 12;
/** Characters of the longest bar, where the line is long enough. */
const LONGEST = 48;
/** A bar's end, in eighths of a character. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/**
 * How often which numbers occur: a line for each of {@linkcode BINS} equal intervals, with its bounds
 * and its count; a few whole numbers have a line each. What is not finite is left out.
 *
 * @param columns Characters of a line.
 */
export function drawHistogram(values: ArrayLike<number>, columns: number): string[] {
  const bins = binned(values);
  const most = Math.max(...bins.map(({ count }) => count));
  const labels = Math.max(...bins.map(({ label }) => label.length));
  const longest = Math.max(1, Math.min(LONGEST, columns - labels - String(most).length - 3));
  return bins.map(({ label, count }) =>
    `${label.padStart(labels)} ▕${bar(count / most * longest)} ${count}`
  );
}

function binned(values: ArrayLike<number>): { label: string; count: number }[] {
  const { min, max } = statistics(values);
  if (Number.isNaN(min)) return [];
  const whole = Array.from(values).every((value) => Number.isInteger(value));
  const each = whole && max - min < BINS; // a line for each number
  const bins = each ? max - min + 1 : max === min ? 1 : BINS;
  const width = each ? 1 : (max - min) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    counts[width === 0 ? 0 : Math.min(bins - 1, Math.floor((values[i] - min) / width))]++;
  }
  const edge = (i: number) => inSteps(min + i * width, width);
  return counts.map((count, i) => ({
    label: each ? exact(min + i) : width === 0 ? exact(min) : `${edge(i)} … ${edge(i + 1)}`,
    count,
  }));
}

function bar(length: number): string {
  const eighths = Math.round(length * 8);
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}
