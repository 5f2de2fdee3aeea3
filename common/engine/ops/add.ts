/**
 * The sum of two feature maps: what a residual block adds to its input.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation } from "./operation.ts";

/** The kernel of {@linkcode add}; backends replace kernels by their names. */
export const ADD = "DiffusionAdd";

/** a + b, both of one shape. */
export function add<T extends tf.Tensor>(a: T, b: T): T {
  tf.util.assertShapesMatch(a.shape, b.shape, "add: ");
  return runOperation(ADD, { a, b });
}

defineOperation({
  name: ADD,
  composed: ({ a, b }) => tf.add(a, b),
  gradient: {
    inputs: [],
    of: (dy) => ({ a: () => dy as tf.Tensor, b: () => dy as tf.Tensor }),
  },
});
