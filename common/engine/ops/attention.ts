/**
 * Self-attention over the pixels of a feature map (Vaswani et al. 2017, Eq. 1, one head).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { matMul } from "./mat_mul.ts";
import { defineOperation, runOperation, together } from "./operation.ts";

/** The kernel of {@linkcode attention}; backends replace kernels by their names. */
export const ATTENTION = "DiffusionAttention";
/** The kernel of its gradient. */
export const ATTENTION_GRADIENT = "DiffusionAttentionGradient";
/** The kernel of {@linkcode softmax}; backends replace kernels by their names. */
export const SOFTMAX = "DiffusionSoftmax";
/** The kernel of its gradient. */
export const SOFTMAX_GRADIENT = "DiffusionSoftmaxGradient";

/**
 * Attention(Q, K, V) = softmax(Q·Kᵀ/√C)·V.
 *
 * @param q Queries, [B, P, C] or [B, H, W, C]: one row a pixel.
 * @param k Keys, like q.
 * @param v Values, like q.
 * @returns Like q.
 */
export function attention<T extends tf.Tensor3D | tf.Tensor4D>(q: T, k: T, v: T): T {
  const scale = 1 / Math.sqrt(q.shape[q.rank - 1]!);
  const [seen] = runOperation<tf.Tensor[]>(ATTENTION, { q, k, v }, { scale });
  return seen as T;
}

/** softmax(scale·x) over the last axis. */
export function softmax<T extends tf.Tensor>(x: T, scale = 1): T {
  return runOperation(SOFTMAX, { x }, { scale });
}

// Outputs softmax(Q·Kᵀ/√C)·V, and for the gradient the softmax, [B, P, P].
defineOperation({
  name: ATTENTION,
  composed: ({ q, k, v }, { scale }) => {
    const [Q, K, V] = [q, k, v].map(pixels); // [B, P, C]
    const weights = softmax(matMul(Q, K, { transposeB: true }), scale as number); // [B, P, P]
    return [tf.reshape(matMul(weights, V), q.shape), weights];
  },
  gradient: {
    inputs: ["q", "k", "v"],
    outputs: [false, true],
    of: (gradients, [q, k, v, weights], attributes) => {
      const inputs = { q, k, v, weights, dy: (gradients as tf.Tensor[])[0] };
      const compute = () => runOperation<tf.Tensor[]>(ATTENTION_GRADIENT, inputs, attributes);
      return together(["q", "k", "v"], compute);
    },
  },
});

// Of y = A·V, A = softmax(scale·S), S = Q·Kᵀ: ∂L/∂V = Aᵀ·∂L/∂y, ∂L/∂Q = ∂L/∂S·K, ∂L/∂K = (∂L/∂S)ᵀ·Q
defineOperation({
  name: ATTENTION_GRADIENT,
  composed: ({ q, k, v, weights, dy }, { scale }) => {
    const [Q, K, V, DY] = [q, k, v, dy].map(pixels); // [B, P, C]
    const dWeights = matMul(DY, V, { transposeB: true }); // [B, P, P]
    const dScores = runOperation<tf.Tensor>(SOFTMAX_GRADIENT, { y: weights, dy: dWeights }, {
      scale,
    });
    return [
      matMul(dScores, K),
      matMul(dScores, Q, { transposeA: true }),
      matMul(weights, DY, { transposeA: true }),
    ].map((gradient) => tf.reshape(gradient, q.shape));
  },
});

function pixels(x: tf.Tensor): tf.Tensor3D {
  return tf.reshape(x, [x.shape[0], -1, x.shape[x.rank - 1]!]);
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
