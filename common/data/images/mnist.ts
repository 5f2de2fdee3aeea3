/**
 * The default data set: 10,000 real handwritten digits that arrive with the dependencies, as the
 * package `mnist`. No download, no permission.
 *
 * They are the first 10,000 pictures of MNIST's training set, sorted by digit. Every tenth picture of
 * each digit is held out as the test set, for measuring with digits that no training has seen.
 *
 * @module
 */
import type { Pictures } from "./geometry.ts";

const PIXELS = 28 * 28;

/** Every picture of a digit whose number among its like ends in this figure is held out. */
const HELD_OUT = 9;

/** 28×28 digits with their labels: 9,004 for `train`, 996 for `test`. */
export async function embeddedMnist(
  split: "train" | "test",
): Promise<Pictures & { labels: Uint8Array<ArrayBuffer> }> {
  const digits = await Promise.all(Array.from({ length: 10 }, (_, digit) => greyValues(digit)));
  const count = digits.reduce((sum, values) => sum + countOf(values, split), 0);
  const pixels = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let n = 0;
  for (const [digit, values] of digits.entries()) {
    for (let i = 0; i * PIXELS < values.length; i++) {
      if (splitOf(i) !== split) continue;
      // stored as v/255 to three decimals, which is enough to find v again
      for (let p = 0; p < PIXELS; p++) {
        pixels[n * PIXELS + p] = Math.round(values[i * PIXELS + p] * 255);
      }
      labels[n++] = digit;
    }
  }
  return { count, height: 28, width: 28, channels: 1, pixels, labels };
}

/**
 * All pictures of a digit, one behind the other, in [0, 1]. The name is put together at run time, so
 * that the type checker need not work through 20 MB of numbers.
 */
async function greyValues(digit: number): Promise<number[]> {
  const path = `mnist/src/digits/${digit}.json`;
  const module = await import(path, { with: { type: "json" } });
  return module.default.data;
}

function splitOf(index: number): "train" | "test" {
  return index % 10 === HELD_OUT ? "test" : "train";
}

function countOf(values: number[], split: "train" | "test"): number {
  let count = 0;
  for (let i = 0; i < values.length / PIXELS; i++) if (splitOf(i) === split) count++;
  return count;
}
