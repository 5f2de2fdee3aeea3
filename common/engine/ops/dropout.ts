/**
 * Dropout (Srivastava et al. 2014) whose mask is a function of a draw, not of hidden state: the
 * same step of the same run drops the same numbers, on every backend and after every resume.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Draw, streamKey, threefry } from "../../random.ts";
import { defineOperation, runOperation } from "./operation.ts";

/** The kernel's name, for the backends that replace it. */
export const DROPOUT = "DiffusionDropout";

/** The attributes of a {@linkcode DROPOUT}. */
export interface DropoutAttributes {
  /** A number is dropped when the upper 24 of its random bits are below this. */
  threshold: number;
  /** What the kept numbers are multiplied by. */
  scale: number;
  /** The first word of Threefry's key. */
  key0: number;
  /** The second word of Threefry's key. */
  key1: number;
  /** The second word of its counter; the first is the number's position. */
  step: number;
}

/**
 * Sets each number to 0 with probability `rate` and multiplies the others by 1/(1 − rate).
 *
 * @param x Any shape.
 * @param rate In [0, 1).
 * @param draw Which random numbers decide.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, draw: Draw): T {
  if (rate === 0) return x;
  const [key0, key1] = streamKey(draw.seed, draw.stream);
  const threshold = Math.ceil(rate * 2 ** 24);
  const attributes = { threshold, scale: 1 / (1 - rate), key0, key1, step: draw.step ?? 0 };
  return runOperation(DROPOUT, { x }, attributes);
}

defineOperation({
  name: DROPOUT,
  composed: ({ x }, attributes) =>
    tf.mul(x, tf.tensor(mask(x.size, attributes as unknown as DropoutAttributes), x.shape)),
  gradient: {
    inputs: [],
    // what was dropped has no gradient; the rest is scaled as in the forward pass
    of: (dy, _saved, attributes) => ({
      x: () => runOperation(DROPOUT, { x: dy as tf.Tensor }, attributes),
    }),
  },
});

/** 0 for the numbers to drop, the scale for the others. */
function mask(count: number, { threshold, scale, key0, key1, step }: DropoutAttributes) {
  const bits = new Uint32Array(count + (count & 1));
  for (let i = 0; i < count; i += 2) threefry([key0, key1], i >>> 1, step, bits, i);
  return Float32Array.from(bits.subarray(0, count), (word) => (word >>> 8) < threshold ? 0 : scale);
}
