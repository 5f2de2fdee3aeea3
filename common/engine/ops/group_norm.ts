/**
 * Group normalization without affine parameters, alone or followed by SiLU.
 *
 * Wu & He 2018, "Group Normalization": the channels of a sample are cut into groups; each group is
 * brought to mean 0 and variance 1 over its pixels and channels.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Attributes, defineOperation, type Inputs, runOperation } from "./operation.ts";
import { composedSilu, composedSiluGradient } from "./silu.ts";

/** The kernel of {@linkcode groupNorm}; backends replace kernels by their names. */
export const GROUP_NORM = "DiffusionGroupNorm";
/** The kernel of its gradient. */
export const GROUP_NORM_GRADIENT = "DiffusionGroupNormGradient";

/** Added to the variance under the root: PyTorch's default. */
const EPSILON = 1e-5;

/**
 * x̂ = (x − μ)/√(σ² + 10⁻⁵), with μ and σ² over each sample's group of channels.
 *
 * @param x [B, H, W, C].
 * @param groups Number of groups; divides C.
 */
export function groupNorm(x: tf.Tensor4D, groups: number): tf.Tensor4D {
  return normalize(x, groups, false);
}

/** SiLU(x̂): group normalization and the non-linearity after it, in one operation. */
export function groupNormSilu(x: tf.Tensor4D, groups: number): tf.Tensor4D {
  return normalize(x, groups, true);
}

function normalize(x: tf.Tensor4D, groups: number, silu: boolean): tf.Tensor4D {
  if (x.shape[3] % groups !== 0) {
    throw new Error(`groupNorm: ${x.shape[3]} channels do not divide into ${groups} groups`);
  }
  const [y] = runOperation<tf.Tensor[]>(GROUP_NORM, { x }, { groups, silu, epsilon: EPSILON });
  return y as tf.Tensor4D;
}

// Outputs y, and for the gradient the moments [B, groups, 2]: μ and 1/√(σ² + ε).
defineOperation({
  name: GROUP_NORM,
  composed: composedGroupNorm,
  gradient: {
    inputs: ["x"],
    outputs: [false, true],
    of: (gradients, [x, moments], attributes) => {
      const dy = (gradients as tf.Tensor[])[0];
      return { x: () => runOperation(GROUP_NORM_GRADIENT, { x, moments, dy }, attributes) };
    },
  },
});

defineOperation({ name: GROUP_NORM_GRADIENT, composed: composedGroupNormGradient });

function composedGroupNorm({ x }: Inputs, attributes: Attributes): tf.Tensor[] {
  const grouped = splitGroups(x, attributes.groups as number); // [B, P, G, C/G]
  const { mean, variance } = tf.moments(grouped, [1, 3], true);
  const scale = tf.rsqrt(tf.add(variance, attributes.epsilon as number)); // [B, 1, G, 1]
  const xHat = tf.reshape(tf.mul(tf.sub(grouped, mean), scale), x.shape);
  const moments = tf.stack([tf.squeeze(mean, [1, 3]), tf.squeeze(scale, [1, 3])], 2);
  return [attributes.silu ? composedSilu(xHat) : xHat, moments];
}

// ∂L/∂x = (g − mean(g) − x̂·mean(g·x̂))/√(σ² + ε), the means over the group, g = ∂L/∂x̂
function composedGroupNormGradient(inputs: Inputs, attributes: Attributes): tf.Tensor {
  const { x, moments, dy } = inputs;
  const groups = attributes.groups as number;
  const [mean, scale] = tf.unstack(moments, 2).map((m) =>
    tf.reshape(m, [x.shape[0], 1, groups, 1])
  );
  const xHat = tf.mul(tf.sub(splitGroups(x, groups), mean), scale);
  const dyGrouped = splitGroups(dy, groups);
  const g = attributes.silu ? composedSiluGradient(xHat, dyGrouped) : dyGrouped;
  const meanG = tf.mean(g, [1, 3], true);
  const meanGX = tf.mean(tf.mul(g, xHat), [1, 3], true);
  return tf.reshape(tf.mul(tf.sub(tf.sub(g, meanG), tf.mul(xHat, meanGX)), scale), x.shape);
}

function splitGroups(x: tf.Tensor, groups: number): tf.Tensor4D {
  const [B, H, W, C] = x.shape;
  return tf.reshape(x, [B, H * W, groups, C / groups]);
}
