/**
 * The non-linearity of paper 1's network: ReLU.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation } from "./operation.ts";

/** The kernel of {@linkcode relu}; backends replace kernels by their names. */
export const RELU = "DiffusionRelu";
/** The kernel of its gradient. */
export const RELU_GRADIENT = "DiffusionReluGradient";

/** ReLU(x) = max(x, 0); any shape. */
export function relu<T extends tf.Tensor>(x: T): T {
  return runOperation(RELU, { x });
}

defineOperation({
  name: RELU,
  composed: ({ x }) => tf.relu(x),
  gradient: {
    inputs: [],
    outputs: [true],
    of: (dy, [y]) => ({ x: () => runOperation(RELU_GRADIENT, { y, dy: dy as tf.Tensor }) }),
  },
});

// ∂L/∂x is ∂L/∂y where y > 0, and 0 elsewhere
defineOperation({ name: RELU_GRADIENT, composed: ({ y, dy }) => tf.mul(dy, tf.step(y)) });
