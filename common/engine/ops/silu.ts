/**
 * The non-linearity of the UNet: SiLU, also called swish.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation } from "./operation.ts";

/** The kernel of {@linkcode silu}; backends replace kernels by their names. */
export const SILU = "DiffusionSilu";
/** The kernel of its gradient. */
export const SILU_GRADIENT = "DiffusionSiluGradient";

/** SiLU(x) = x·σ(x), with σ the logistic function; any shape. */
export function silu<T extends tf.Tensor>(x: T): T {
  return runOperation(SILU, { x });
}

defineOperation({
  name: SILU,
  composed: ({ x }) => composedSilu(x),
  gradient: {
    inputs: ["x"],
    of: (dy, [x]) => ({ x: () => runOperation(SILU_GRADIENT, { x, dy: dy as tf.Tensor }) }),
  },
});

defineOperation({ name: SILU_GRADIENT, composed: ({ x, dy }) => composedSiluGradient(x, dy) });

/** SiLU in plain operations. */
export function composedSilu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}

/** ∂L/∂x = ∂L/∂y · σ(x)·(1 + x·(1 − σ(x))), in plain operations. */
export function composedSiluGradient(x: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  const sigmoid = tf.sigmoid(x);
  return tf.mul(dy, tf.mul(sigmoid, tf.add(1, tf.mul(x, tf.sub(1, sigmoid)))));
}
