/**
 * The default data set: 10,000 real handwritten digits that arrive with the dependencies, as the
 * package `mnist`. No download, no permission.
 *
 * They are the first 10,000 images of MNIST's training set, sorted by digit. Every tenth image is
 * held out as the test set, for measuring with digits that no training has seen.
 *
 * @module
 */
import type { Images } from "./geometry.ts";

const PIXELS = 28 * 28;

/** One image in ten is held out: the last of every ten. */
const HELD_OUT = 10;

/** 28×28 digits with their labels: 9,000 for `train`, 1,000 for `test`, a tenth of each digit. */
export async function embeddedMnist(
  split: "train" | "test",
): Promise<Images & { labels: Uint8Array<ArrayBuffer> }> {
  const digits = await Promise.all(Array.from({ length: 10 }, (_, digit) => greyValues(digit)));
  const total = digits.reduce((sum, values) => sum + values.length / PIXELS, 0);
  const heldOut = Math.floor(total / HELD_OUT);
  const count = split === "test" ? heldOut : total - heldOut;
  const pixels = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let [n, seen] = [0, 0];
  for (const [digit, values] of digits.entries()) {
    for (let from = 0; from < values.length; from += PIXELS) {
      if ((++seen % HELD_OUT === 0) !== (split === "test")) continue;
      // stored as v/255 to three decimals, which is enough to find v again
      for (let p = 0; p < PIXELS; p++) {
        pixels[n * PIXELS + p] = Math.round(values[from + p] * 255);
      }
      labels[n++] = digit;
    }
  }
  return { count, height: 28, width: 28, channels: 1, pixels, labels };
}

/**
 * All images of a digit, one behind the other, in [0, 1]. The name is put together at run time, so
 * that the type checker need not work through 20 MB of numbers.
 */
async function greyValues(digit: number): Promise<number[]> {
  const path = `mnist/src/digits/${digit}.json`;
  const module = await import(path, { with: { type: "json" } });
  return module.default.data;
}
