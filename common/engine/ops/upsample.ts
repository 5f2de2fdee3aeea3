/**
 * Doubling the height and width of a feature map by repeating pixels (nearest neighbour).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation } from "./operation.ts";

/** The kernel of {@linkcode upsample}; backends replace kernels by their names. */
export const UPSAMPLE = "DiffusionUpsample";
/** The kernel of its gradient. */
export const UPSAMPLE_GRADIENT = "DiffusionUpsampleGradient";

/** y[b,i,j,c] = x[b, ⌊i/2⌋, ⌊j/2⌋, c]: [B, H, W, C] to [B, 2H, 2W, C]. */
export function upsample(x: tf.Tensor4D): tf.Tensor4D {
  return runOperation(UPSAMPLE, { x });
}

defineOperation({
  name: UPSAMPLE,
  composed: ({ x }) => {
    const [B, H, W, C] = x.shape;
    const wide = tf.reshape(tf.tile(tf.reshape(x, [B * H * W, 1, C]), [1, 2, 1]), [
      B * H,
      1,
      2 * W * C,
    ]);
    return tf.reshape(tf.tile(wide, [1, 2, 1]), [B, 2 * H, 2 * W, C]);
  },
  gradient: {
    inputs: [],
    of: (dy) => ({ x: () => runOperation(UPSAMPLE_GRADIENT, { dy: dy as tf.Tensor }) }),
  },
});

// every pixel gathers the gradients of its four copies
defineOperation({
  name: UPSAMPLE_GRADIENT,
  composed: ({ dy }) => {
    const [B, H, W, C] = dy.shape;
    const rows = tf.sum(tf.reshape(dy, [B * H / 2, 2, W * C]), 1);
    return tf.reshape(tf.sum(tf.reshape(rows, [-1, 2, C]), 1), [B, H / 2, W / 2, C]);
  },
});
