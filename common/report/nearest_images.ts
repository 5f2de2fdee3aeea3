/**
 * Which training image is nearest to an image, and how far it is.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { batch, type ImageSet } from "../data/images/image_set.ts";
import { matMul } from "../engine/ops/mat_mul.ts";

/** Images, and images of the set, that are compared at once. */
const [TOGETHER, OF_SET] = [256, 4096];

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
  const squared = new Float64Array(N).fill(Infinity);
  for (let start = 0; start < set.count; start += OF_SET) {
    const some = Array.from({ length: Math.min(OF_SET, set.count - start) }, (_, i) => start + i);
    const images = batch(set, some);
    const known = tf.tensor2d(images, [some.length, size]);
    const squares = tf.tidy(() => tf.sum(tf.square(known), 1)); // [some.length]
    for (let from = 0; from < N; from += TOGETHER) {
      const count = Math.min(TOGETHER, N - from);
      const nearest = tf.tidy(() => {
        const x = tf.tensor2d(samples.slice(from * size, (from + count) * size), [count, size]);
        // ‖x − y‖² = ‖y‖² − 2·x·y + what is the same for all y
        const products = matMul(x, known, { transposeB: true });
        return tf.argMin(tf.sub(squares, tf.mul(products, 2)), 1);
      });
      const found = await nearest.data<"int32">();
      nearest.dispose();
      found.forEach((place, k) => {
        const distance = squaredDistance(samples, from + k, images, place, size);
        if (distance >= squared[from + k]) return;
        squared[from + k] = distance;
        index[from + k] = start + place;
      });
    }
    tf.dispose([known, squares]);
  }
  return { index, distance: Float32Array.from(squared, Math.sqrt), images: batch(set, index) };
}

/** ‖a_i − b_j‖² of images of so many numbers. */
function squaredDistance(
  a: Float32Array,
  i: number,
  b: Float32Array,
  j: number,
  size: number,
): number {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += (a[i * size + k] - b[j * size + k]) ** 2;
  return sum;
}
