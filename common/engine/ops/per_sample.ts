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

/** Σ over the pixels: [B, …, C] to [B, C]. Its own gradient is not defined. */
export function sumPixels(x: tf.Tensor): tf.Tensor2D {
  return runOperation(SUM_PIXELS, { x }, { perSample: true });
}

/** Σ over all axes but the last: […, C] to [C]. Its own gradient is not defined. */
export function sumSamplesAndPixels(x: tf.Tensor): tf.Tensor1D {
  return runOperation(SUM_PIXELS, { x }, { perSample: false });
}

defineOperation({
  name: ADD_PER_SAMPLE,
  composed: ({ x, v }) => tf.add(x, tf.reshape(v, [v.shape[0], 1, 1, -1])),
  gradient: {
    inputs: [],
    of: (gradient) => {
      const dy = gradient as tf.Tensor4D;
      return { x: () => dy, v: () => sumPixels(dy) };
    },
  },
});

defineOperation({
  name: SUM_PIXELS,
  composed: ({ x }, { perSample }) => {
    const C = x.shape[x.rank - 1];
    return perSample
      ? tf.sum(tf.reshape(x, [x.shape[0], -1, C]), 1)
      : tf.sum(tf.reshape(x, [-1, C]), 0);
  },
});
