/**
 * Training images taken apart into patches, as the denoisers of paper 5 compare them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { batch, type ImageSet } from "./image_set.ts";

/** The training images, pixel by pixel. */
export interface TrainingImages {
  /** [H, W, C, N]: height, width, channels, and how many. */
  shape: [H: number, W: number, C: number, N: number];
  /** What stands at each pixel in all images, row by row: H·W times [C, N]. */
  pixels: tf.Tensor2D[];
}

/** Chosen images of a set, in [-1, 1]; the caller disposes of the pixels. */
export function trainingImages(images: ImageSet, indices: ArrayLike<number>): TrainingImages {
  const { height, width, channels } = images;
  const N = indices.length;
  const values = batch(images, indices);
  const pixels = Array.from({ length: height * width }, (_, p) => {
    const pixel = new Float32Array(channels * N);
    for (let i = 0; i < N; i++) {
      for (let c = 0; c < channels; c++) {
        pixel[c * N + i] = values[(i * height * width + p) * channels + c];
      }
    }
    return tf.tensor2d(pixel, [channels, N]);
  });
  return { shape: [height, width, channels, N], pixels };
}

/** What is compared, and what is averaged. */
export interface Examples {
  /** A piece of a training image in each column, [K, N]. */
  pieces: tf.Tensor2D;
  /** What each votes for, [V, N]. */
  values: tf.Tensor2D;
}

/** Some neighbouring rows or columns of an image. */
export interface Span {
  /** The first. */
  from: number;
  /** How many. */
  length: number;
}

/** What is left of from..to within an image of this size. */
function within(size: number, from: number, to: number): Span {
  const first = Math.max(0, from);
  return { from: first, length: Math.min(size - 1, to) - first + 1 };
}

/** A pixel and the patch around it, as far as it lies in the image. */
export interface Patch {
  /** The pixel's row. */
  y: number;
  /** The pixel's column. */
  x: number;
  /** The rows of the patch. */
  rows: Span;
  /** The columns of the patch. */
  columns: Span;
}

/** The patch of (2r+1)×(2r+1) pixels, r being the radius, around a pixel. */
export function patchAround(y: number, x: number, [H, W]: number[], radius: number): Patch {
  const rows = within(H, y - radius, y + radius);
  return { y, x, rows, columns: within(W, x - radius, x + radius) };
}

/** The patch of noisy images, [B, K] with K the numbers in the patch. */
export function noisyPatch(xt: tf.Tensor4D, { rows, columns }: Patch): tf.Tensor2D {
  const [B, , , C] = xt.shape;
  const begin: [number, number, number, number] = [0, rows.from, columns.from, 0];
  return tf.reshape(tf.slice(xt, begin, [B, rows.length, columns.length, C]), [B, -1]);
}

/** The same patch of all training images, and the pixel in its middle. */
export function examplesAt({ shape: [, W], pixels }: TrainingImages, patch: Patch): Examples {
  const { y, x, rows, columns } = patch;
  const rowsOfPixels = Array.from({ length: rows.length }, (_, k) => {
    const first = (rows.from + k) * W + columns.from;
    return pixels.slice(first, first + columns.length);
  });
  return { pieces: tf.concat(rowsOfPixels.flat(), 0), values: pixels[y * W + x] };
}

/** The examples of several places as those of one. */
export function sideBySide(examples: Examples[]): Examples {
  if (examples.length === 1) return examples[0];
  return {
    pieces: tf.concat(examples.map(({ pieces }) => pieces), 1),
    values: tf.concat(examples.map(({ values }) => values), 1),
  };
}

/**
 * The places 0..size−1 in groups that a convolution cannot tell apart. It sees zeros beyond the border,
 * so a place whose patch reaches over the border is known by its distance from it: a group of its own.
 */
export function indistinguishable(size: number, radius: number): number[][] {
  const places = Array.from({ length: size }, (_, i) => i);
  const inner = places.filter((i) => i >= radius && i < size - radius);
  const atBorders = places.filter((i) => !inner.includes(i)).map((i) => [i]);
  return inner.length > 0 ? [inner, ...atBorders] : atBorders;
}

/** Images from what was found for each pixel, a [B, C] in the order of the rows. */
export function imagesOfPixels(
  pixels: tf.Tensor2D[],
  shape: [number, number, number, number],
): tf.Tensor4D {
  return tf.reshape(tf.stack(pixels, 1), shape); // [B, H·W, C]
}
