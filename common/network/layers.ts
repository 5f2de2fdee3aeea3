/**
 * Layers with weights: each function adds its weights to `parameters` and returns the layer.
 *
 * Weights start as in Ho et al. 2020: uniform with variance scale/((fanIn + fanOut)/2); a layer of
 * scale 0 starts at 0, so the block that ends in it starts as the identity. Biases start at 0.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { conv2d } from "../engine/ops/conv2d.ts";
import { linear, matMul } from "../engine/ops/mat_mul.ts";
import type { Parameters } from "./parameters.ts";
import { uniform } from "../random.ts";

/** Where a layer's weights go and how they start. */
export interface LayerOptions {
  /** Takes the weights. */
  parameters: Parameters;
  /** Decides, with the layer's name, the random numbers that the weights start from. */
  seed: number;
  /** Scale of the initial variance: 1, or 0 for a layer whose output starts at 0. */
  scale?: number;
}

/**
 * A convolution of k×k pixels, named `<name>.weight` and `<name>.bias`.
 *
 * @param options.kernelSize k, odd. Default: 3.
 * @param options.stride 2 halves height and width.
 * @returns [B, H, W, inputs] to [B, H/stride, W/stride, outputs].
 */
export function convolution(
  name: string,
  inputs: number,
  outputs: number,
  options: LayerOptions & { kernelSize?: number; stride?: number },
): (x: tf.Tensor4D) => tf.Tensor4D {
  const { parameters, kernelSize: k = 3, stride = 1 } = options;
  const weightName = `${name}.weight`;
  const values = initialWeights(weightName, [inputs, outputs], k * k, options);
  const w = parameters.add<tf.Tensor4D>(
    weightName,
    [k, k, inputs, outputs],
    values,
    { layout: "convolution" },
  );
  const bias = parameters.add<tf.Tensor1D>(`${name}.bias`, [outputs], new Float32Array(outputs));
  return (x) => conv2d(x, w, bias, { stride });
}

/**
 * A fully connected layer, named `<name>.weight` and `<name>.bias`.
 *
 * @returns [N, inputs] to [N, outputs].
 */
export function dense(
  name: string,
  inputs: number,
  outputs: number,
  options: LayerOptions,
): (x: tf.Tensor2D) => tf.Tensor2D {
  const weightName = `${name}.weight`;
  const values = initialWeights(weightName, [inputs, outputs], 1, options);
  const w = options.parameters.add<tf.Tensor2D>(weightName, [inputs, outputs], values, {
    layout: "linear",
  });
  const zeros = new Float32Array(outputs);
  const bias = options.parameters.add<tf.Tensor1D>(`${name}.bias`, [outputs], zeros);
  return (x) => linear(x, w, bias);
}

/**
 * The same fully connected layer on the channels of every pixel ("network in network", a 1×1
 * convolution), named `<name>.W` and `<name>.b`.
 *
 * @returns [B, H, W, inputs] to [B, H, W, outputs].
 */
export function projection(
  name: string,
  inputs: number,
  outputs: number,
  options: LayerOptions,
): (x: tf.Tensor4D) => tf.Tensor4D {
  const { parameters } = options;
  const values = initialWeights(`${name}.W`, [inputs, outputs], 1, options);
  const w = parameters.add<tf.Tensor2D>(`${name}.W`, [inputs, outputs], values);
  const zeros = new Float32Array(outputs);
  const bias = parameters.add<tf.Tensor1D>(`${name}.b`, [outputs], zeros, {
    layout: "channels",
  });
  return (x) => linear(x, w, bias);
}

/**
 * A vector for each of `count` things, named `<name>.weight`.
 *
 * @returns [N, count], rows of {@linkcode oneHot}, to the vectors of those chosen, [N, width].
 */
export function embedding(
  name: string,
  count: number,
  width: number,
  options: LayerOptions,
): (chosen: tf.Tensor2D) => tf.Tensor2D {
  const values = initialWeights(`${name}.weight`, [count, width], 1, options);
  const table = options.parameters.add<tf.Tensor2D>(`${name}.weight`, [count, width], values);
  return (chosen) => matMul(chosen, table);
}

/** Whole numbers in 0..count−1, [N], as rows of zeros with a 1 where the number says: [N, count]. */
export function oneHot(which: ArrayLike<number>, count: number): tf.Tensor2D {
  const rows = new Float32Array(which.length * count);
  for (let i = 0; i < which.length; i++) rows[i * count + which[i]] = 1;
  return tf.tensor2d(rows, [which.length, count]);
}

function initialWeights(
  name: string,
  [inputs, outputs]: [number, number],
  taps: number,
  { seed, scale = 1 }: LayerOptions,
): Float32Array {
  if (scale === 0) return new Float32Array(taps * inputs * outputs);
  const fanAverage = taps * (inputs + outputs) / 2;
  const limit = Math.sqrt(3 * scale / fanAverage); // U(−limit, limit) has variance limit²/3
  const draw = { seed, stream: `initial ${name}` };
  return uniform(draw, taps * inputs * outputs).map((u) => limit * (2 * u - 1));
}
