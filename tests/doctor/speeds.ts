/**
 * How fast the two operations are that training consists of.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { conv2d } from "../../common/engine/ops/conv2d.ts";
import { matMul } from "../../common/engine/ops/mat_mul.ts";

/** GFLOP/s on the active backend. */
export interface Speeds {
  /** A 3x3 convolution of 8 feature maps of 32x32 with 64 channels. */
  convolution: number;
  /** A product of two matrices of 512x512. */
  product: number;
}

/** About how many seconds are spent on each. */
const SECONDS = 0.5;

/** Measures them; a product of numbers and their addition are two operations. */
export async function measureSpeeds(): Promise<Speeds> {
  const [B, size, C, N] = [8, 32, 64, 512];
  const x = tf.ones<tf.Rank.R4>([B, size, size, C]);
  const w = tf.ones<tf.Rank.R4>([3, 3, C, C]);
  const bias = tf.ones<tf.Rank.R1>([C]);
  const matrix = tf.ones<tf.Rank.R2>([N, N]);
  const convolution = await gigaflops(2 * B * size ** 2 * 9 * C ** 2, () => conv2d(x, w, bias));
  const product = await gigaflops(2 * N ** 3, () => matMul(matrix, matrix));
  tf.dispose([x, w, bias, matrix]);
  return { convolution, product };
}

async function gigaflops(operations: number, run: () => tf.Tensor): Promise<number> {
  const time = async (count: number) => {
    const started = performance.now();
    for (let i = 1; i < count; i++) run().dispose();
    const last = run();
    const one = tf.tidy(() => tf.slice(tf.reshape(last, [-1]), 0, 1)); // waits for the device
    await one.data();
    tf.dispose([last, one]);
    return (performance.now() - started) / 1000;
  };
  await time(1); // warms up
  const count = Math.max(1, Math.min(1000, Math.round(SECONDS / await time(1))));
  return +(operations * count / await time(count) / 1e9).toPrecision(3);
}
