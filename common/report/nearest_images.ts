/**
 * Which training image is nearest to an image, and how far it is.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { batch, type ImageSet } from "../data/images/image_set.ts";
import { matMul } from "../engine/ops/mat_mul.ts";

/** Images that are compared at once. */
const TOGETHER = 256;

/** The nearest image of a set for each of N images. */
export interface Nearest {
  /** Its number in the set, [N]. */
  index: Int32Array;
  /** ‖x − nearest‖ over all numbers of the image, [N]. */
  distance: Float32Array;
  /** The nearest images themselves, [N, H, W, C] in [-1, 1]. */
  images: Float32Array;
}

/**
 * Finds the nearest images.
 *
 * @param samples [N, H, W, C] in [-1, 1].
 */
export async function nearestImages(samples: Float32Array, set: ImageSet): Promise<Nearest> {
  const size = set.height * set.width * set.channels;
  const N = samples.length / size;
  const index = new Int32Array(N);
  const known = tf.tensor2d(batch(set, Array.from({ length: set.count }, (_, i) => i)), [
    set.count,
    size,
  ]);
  const squares = tf.tidy(() => tf.sum(tf.square(known), 1)); // [count]
  for (let from = 0; from < N; from += TOGETHER) {
    const count = Math.min(TOGETHER, N - from);
    const nearest = tf.tidy(() => {
      const x = tf.tensor2d(samples.slice(from * size, (from + count) * size), [count, size]);
      // ‖x − y‖² = ‖y‖² − 2·x·y + what is the same for all y
      const products = matMul(x, known, { transposeB: true });
      return tf.argMin(tf.sub(squares, tf.mul(products, 2)), 1);
    });
    index.set(await nearest.data<"int32">(), from);
    nearest.dispose();
  }
  tf.dispose([known, squares]);
  const images = batch(set, index);
  const distance = Float32Array.from({ length: N }, (_, k) => {
    let sum = 0;
    for (let i = k * size; i < (k + 1) * size; i++) sum += (samples[i] - images[i]) ** 2;
    return Math.sqrt(sum);
  });
  return { index, distance, images };
}
