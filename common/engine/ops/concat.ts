/**
 * Putting the channels of two feature maps side by side: how the way up of a UNet sees the way down.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation, together } from "./operation.ts";

/** The kernel of {@linkcode concatChannels}; backends replace kernels by their names. */
export const CONCAT = "DiffusionConcat";
/** The kernel of its gradient. */
export const CONCAT_GRADIENT = "DiffusionConcatGradient";

/** [B, H, W, C] and [B, H, W, D] to [B, H, W, C + D]. */
export function concatChannels(a: tf.Tensor4D, b: tf.Tensor4D): tf.Tensor4D {
  tf.util.assertShapesMatch(a.shape.slice(0, 3), b.shape.slice(0, 3), "concatChannels: ");
  return runOperation(CONCAT, { a, b }, { channels: [a.shape[3], b.shape[3]] });
}

defineOperation({
  name: CONCAT,
  composed: ({ a, b }) => tf.concat([a, b], 3),
  gradient: {
    inputs: [],
    of: (dy, _saved, attributes) => {
      const inputs = { dy: dy as tf.Tensor };
      return together(["a", "b"], () => runOperation(CONCAT_GRADIENT, inputs, attributes));
    },
  },
});

// each map gets the gradient of its own channels
defineOperation({
  name: CONCAT_GRADIENT,
  composed: ({ dy }, { channels }) => tf.split(dy, channels as number[], 3),
});
