/**
 * Two-dimensional convolution, NHWC, zero padding of (k − 1)/2 on all sides as in PyTorch's
 * `Conv2d(k, padding=k // 2)`: with stride 2 the window is centred on every second pixel.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Attributes, defineOperation, type Inputs, runOperation } from "./operation.ts";
import { sumSamplesAndPixels } from "./per_sample.ts";

/** The kernel of {@linkcode conv2d}; backends replace kernels by their names. */
export const CONV2D = "DiffusionConv2d";
/** The kernel of its gradient with respect to the input. */
export const CONV2D_INPUT_GRADIENT = "DiffusionConv2dInputGradient";
/** The kernel of its gradient with respect to the weights. */
export const CONV2D_WEIGHT_GRADIENT = "DiffusionConv2dWeightGradient";

/**
 * y[b,i,j,o] = Σ x[b, s·i + u − p, s·j + v − p, c] · w[u,v,c,o] + bias[o], with p = (k − 1)/2.
 *
 * @param x Input, [B, H, W, C].
 * @param w Weights, [k, k, C, O], k odd.
 * @param bias Added to every pixel, [O].
 * @param options.stride s: 1 keeps the size, 2 halves it (rounding up).
 * @returns [B, ⌈H/s⌉, ⌈W/s⌉, O].
 */
export function conv2d(
  x: tf.Tensor4D,
  w: tf.Tensor4D,
  bias: tf.Tensor1D,
  options: { stride?: number } = {},
): tf.Tensor4D {
  if (x.shape[3] !== w.shape[2]) {
    throw new Error(`conv2d: the input has ${x.shape[3]} channels, the weights take ${w.shape[2]}`);
  }
  const O = w.shape[3];
  if (!tf.util.arraysEqual(bias.shape, [O])) {
    throw new Error(`conv2d: a bias of shape [${bias.shape}]; expected [${O}]`);
  }
  return runOperation(CONV2D, { x, w, bias }, { stride: options.stride ?? 1 });
}

defineOperation({
  name: CONV2D,
  composed: ({ x, w, bias }, { stride }) => {
    const [image, weights] = [x as tf.Tensor4D, w as tf.Tensor4D];
    const y = tf.conv2d(image, weights, stride as number, padding(w), "NHWC", 1, "floor");
    return tf.add(y, bias);
  },
  gradient: {
    inputs: ["x", "w"],
    of: (gradient, [x, w], { stride }) => {
      const dy = gradient as tf.Tensor4D;
      return {
        x: () => runOperation(CONV2D_INPUT_GRADIENT, { dy, w }, { stride, inputShape: x.shape }),
        w: () => runOperation(CONV2D_WEIGHT_GRADIENT, { x, dy }, { stride, kernel: w.shape[0] }),
        // ∂L/∂bias = Σ over samples and pixels of ∂L/∂y
        bias: () => sumSamplesAndPixels(dy),
      };
    },
  },
});

// ∂L/∂x: a convolution of ∂L/∂y with the weights turned by 180° and their channel axes swapped
defineOperation({
  name: CONV2D_INPUT_GRADIENT,
  composed: ({ dy, w }, { stride, inputShape }) =>
    runOperation("Conv2DBackpropInput", { dy, filter: w }, {
      strides: [stride, stride] as number[],
      pad: padding(w),
      dataFormat: "NHWC",
      dimRoundingMode: "floor",
      inputShape,
    }),
});

// ∂L/∂w[u,v] = Σ over samples and pixels of x, shifted by (u, v), times ∂L/∂y: a product for each tap
defineOperation({ name: CONV2D_WEIGHT_GRADIENT, composed: composedWeightGradient });

function composedWeightGradient({ x, dy }: Inputs, attributes: Attributes): tf.Tensor {
  const [kernel, stride] = [attributes.kernel as number, attributes.stride as number];
  const [B, h, w, O] = dy.shape;
  const C = x.shape[3]!;
  const p = (kernel - 1) / 2;
  const padded = tf.pad(x, [[0, 0], [p, p + stride], [p, p + stride], [0, 0]]);
  const rows = tf.reshape(dy, [-1, O]); // [B·h·w, O]
  const taps: tf.Tensor[] = [];
  for (let u = 0; u < kernel; u++) {
    for (let v = 0; v < kernel; v++) {
      const shifted = tf.stridedSlice(
        padded,
        [0, u, v, 0],
        [B, u + stride * h, v + stride * w, C],
        [1, stride, stride, 1],
      );
      taps.push(tf.matMul(tf.transpose(tf.reshape(shifted, [-1, C])), rows as tf.Tensor2D));
    }
  }
  return tf.reshape(tf.stack(taps), [kernel, kernel, C, O]);
}

function padding(w: tf.Tensor): number {
  return (w.shape[0] - 1) / 2;
}
