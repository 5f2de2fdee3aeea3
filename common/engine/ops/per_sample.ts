/**
 * Adding one vector of channels to every pixel of a sample: how the timestep reaches a
 * residual block.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation } from "./operation.ts";

/** The kernel of {@linkcode addPerSample}; backends replace kernels by their names. */
export const ADD_PER_SAMPLE = "DiffusionAddPerSample";
/** The kernel of {@linkcode sumPixels}. */
export const SUM_PIXELS = "DiffusionSumPixels";

/**
 * y[b,i,j,c] = x[b,i,j,c] + v[b,c].
 *
 * @param x [B, H, W, C].
 * @param v [B, C].
 */
export function addPerSample(x: tf.Tensor4D, v: tf.Tensor2D): tf.Tensor4D {
  return runOperation(ADD_PER_SAMPLE, { x, v });
}

/** Σ over the pixels: [B, P, C] to [B, C]. Its own gradient is not defined. */
export function sumPixels(x: tf.Tensor): tf.Tensor2D {
  return runOperation(SUM_PIXELS, { x });
}

defineOperation({
  name: ADD_PER_SAMPLE,
  composed: ({ x, v }) => tf.add(x, tf.reshape(v, [v.shape[0], 1, 1, -1])),
  gradient: {
    inputs: [],
    of: (gradient) => {
      const dy = gradient as tf.Tensor4D;
      const [B, H, W, C] = dy.shape;
      return { x: () => tf.clone(dy), v: () => sumPixels(tf.reshape(dy, [B, H * W, C])) };
    },
  },
});

defineOperation({ name: SUM_PIXELS, composed: ({ x }) => tf.sum(x, 1) });
