/**
 * A network that has learned of labels as one that is asked for a label, so that every chain can walk with it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Denoiser } from "../reverse_process.ts";
import type { ImageModel } from "./image_model.ts";

/** What is asked for, and how strongly. */
export interface Guidance {
  /** c, the class of each image, [B]; the number of classes stands for no label. */
  labels: ArrayLike<number>;
  /** w, the guidance strength: 0 does not guide. */
  w: number;
}

/**
 * ε̃ = (1+w)·ε_θ(xₜ, c) − w·ε_θ(xₜ)   (Ho & Salimans 2022, Eq. 6), as a denoiser.
 *
 * The network is asked once, with and without labels in one batch of twice the size; with w = 0 without
 * the second half.
 */
export function guided({ network, schedule }: ImageModel, guidance: Guidance): Denoiser {
  return { schedule, network: { forward: (xt, t) => guidedNoise(network, { xt, t }, guidance) } };
}

/**
 * The same at one point of a chain.
 *
 * @param at.xt [B, H, W, C].
 * @param at.t [B].
 */
export function guidedNoise(
  network: Pick<ImageModel["network"], "forward" | "classes">,
  { xt, t }: { xt: tf.Tensor4D; t: tf.Tensor1D },
  { labels, w }: Guidance,
): tf.Tensor4D {
  if (w === 0) return network.forward(xt, t, { labels });
  return tf.tidy(() => {
    const twice = tf.concat([xt, xt]); // [2B, H, W, C]
    const without = new Array(labels.length).fill(network.classes);
    const answers = network.forward(twice, tf.concat([t, t]), {
      labels: [...Array.from(labels), ...without],
    });
    const half = (from: number) => tf.slice(answers, [from, 0, 0, 0], xt.shape);
    const [withLabels, withoutLabels] = [half(0), half(xt.shape[0])];
    return tf.sub(tf.mul(withLabels, 1 + w), tf.mul(withoutLabels, w));
  });
}
