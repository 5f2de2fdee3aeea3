/**
 * How well a trained network sees the noise, for each t alone.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { batch, type ImageSet } from "../data/images/image_set.ts";
import { gaussianNoise } from "../engine/noise.ts";
import { qSample } from "../forward_process.ts";
import type { ImageModel } from "../network/image_model.ts";
import { integers } from "../random.ts";

/** Images and timesteps that it is measured with. */
const MEASURED = { images: 64, timesteps: 20 };

/** The loss of single timesteps. */
export interface LossByT {
  /** The timesteps, rising. */
  t: number[];
  /** The loss at each. */
  value: number[];
}

/**
 * E ‖ε − ε_θ(xₜ, t)‖², the mean over pixels, for t = 1 and twenty more up to T. A small t is hard: x₁
 * has hardly any noise to be seen. A network that knows of labels is told them.
 */
export async function lossByT(
  { network, schedule, classes }: ImageModel,
  images: ImageSet,
  seed: number,
): Promise<LossByT> {
  const { images: B, timesteps } = MEASURED;
  const { height, width, channels, count } = images;
  const indices = integers({ seed, stream: "loss by t" }, B, 0, count);
  const later = Array.from({ length: timesteps }, (_, i) => (i + 1) * schedule.T / timesteps);
  const t = [1, ...later.map(Math.ceil)];
  const labels = classes > 0 ? Array.from(indices, (i) => images.labels![i]) : undefined;
  const losses = tf.tidy(() => {
    const x0 = tf.tensor4d(batch(images, indices), [B, height, width, channels]);
    return tf.stack(t.map((t) => {
      const eps = gaussianNoise<tf.Rank.R4>({ seed, stream: "loss by t eps", step: t }, x0.shape);
      const epsTheta = network.forward(qSample(schedule, x0, t, eps), tf.fill([B], t), { labels });
      return tf.mean(tf.square(tf.sub(eps, epsTheta)));
    }));
  });
  const value = Array.from(await losses.data());
  losses.dispose();
  return { t, value };
}
