/**
 * The same numbers in another shape.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation } from "./operation.ts";

/** The kernel of {@linkcode reshape}: tfjs's own on every backend, without a copy. */
export const RESHAPE = "DiffusionReshape";

/** As tfjs's own, but an operation of the project, which its gradient tape knows. */
export function reshape<T extends tf.Tensor>(x: tf.Tensor, shape: T["shape"]): T {
  return runOperation(RESHAPE, { x }, { shape, before: x.shape });
}

defineOperation({
  name: RESHAPE,
  composed: ({ x }, { shape }) => tf.reshape(x, shape as number[]),
  gradient: {
    inputs: [],
    of: (dy, _, { before }) => ({ x: () => reshape(dy as tf.Tensor, before as number[]) }),
  },
});
