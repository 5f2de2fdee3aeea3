/**
 * Dropout (Srivastava et al. 2014) whose mask is a function of a draw, not of hidden state: the
 * same step of the same run drops the same numbers, on every backend and after every resume.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Draw, uniform } from "../random.ts";

/**
 * Sets each number to 0 with probability `rate` and multiplies the others by 1/(1 − rate).
 *
 * @param x Any shape.
 * @param rate In [0, 1).
 * @param draw Which random numbers decide.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, draw: Draw): T {
  if (rate === 0) return x;
  const mask = uniform(draw, x.size).map((u) => (u < rate ? 0 : 1 / (1 - rate)));
  return tf.mul(x, tf.tensor(mask, x.shape));
}
