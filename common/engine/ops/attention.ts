/**
 * Self-attention over the pixels of a feature map (Vaswani et al. 2017, Eq. 1, one head).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { matMul } from "./mat_mul.ts";
import { defineOperation, runOperation } from "./operation.ts";

/** The kernel of {@linkcode softmax}; backends replace kernels by their names. */
export const SOFTMAX = "DiffusionSoftmax";
/** The kernel of its gradient. */
export const SOFTMAX_GRADIENT = "DiffusionSoftmaxGradient";

/**
 * Attention(Q, K, V) = softmax(Q·Kᵀ/√C)·V.
 *
 * @param q Queries, [B, P, C]: one row a pixel.
 * @param k Keys, [B, P, C].
 * @param v Values, [B, P, C].
 * @returns [B, P, C].
 */
export function attention(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D): tf.Tensor3D {
  const scores = matMul(q, k, { transposeB: true }); // [B, P, P]
  return matMul(softmax(scores, 1 / Math.sqrt(q.shape[2])), v);
}

/** softmax(scale·x) over the last axis. */
export function softmax<T extends tf.Tensor>(x: T, scale = 1): T {
  return runOperation(SOFTMAX, { x }, { scale });
}

defineOperation({
  name: SOFTMAX,
  composed: ({ x }, { scale }) => tf.softmax(tf.mul(x, scale as number)),
  gradient: {
    inputs: [],
    outputs: [true],
    of: (dy, [y], attributes) => ({
      x: () => runOperation(SOFTMAX_GRADIENT, { y, dy: dy as tf.Tensor }, attributes),
    }),
  },
});

// ∂L/∂x = scale · y·(g − Σ g·y), g = ∂L/∂y, the sum over the last axis
defineOperation({
  name: SOFTMAX_GRADIENT,
  composed: ({ y, dy }, { scale }) => {
    const total = tf.sum(tf.mul(dy, y), -1, true);
    return tf.mul(tf.mul(y, tf.sub(dy, total)), scale as number);
  },
});
