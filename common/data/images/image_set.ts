/**
 * Images in memory, and batches of them as the models want them.
 *
 * @module
 */

/** A data set, scaled to the size that is trained on. */
export interface ImageSet {
  /** The data set's name on the command line. */
  name: string;
  /** N, the number of images. */
  count: number;
  /** H, in pixels. */
  height: number;
  /** W, in pixels. */
  width: number;
  /** 1 for grey, 3 for red, green and blue. */
  channels: 1 | 3;
  /** [N, H, W, C] in 0..255. */
  pixels: Uint8Array<ArrayBuffer>;
  /** The class of each image, [N]; absent where the data set has none. */
  labels?: Uint8Array<ArrayBuffer>;
  /** The name of each class; absent where there are no labels. */
  classes?: string[];
  /** SHA-256 of the pixels. */
  sha256?: string;
  /** Whether an image turned left to right is as good an image: true for photographs of things. */
  flips: boolean;
}

/**
 * The chosen images in the range of the models: x = v/127.5 − 1.
 *
 * @param indices Which images, each in 0..N−1; an index may come twice.
 * @param flips Turns image k of the batch left to right where `flips[k]` is not 0.
 * @returns [B, H, W, C] in [-1, 1].
 * @throws {RangeError} An index is not in 0..N−1.
 */
export function batch(
  set: ImageSet,
  indices: ArrayLike<number>,
  flips?: ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  const { count, height, width, channels, pixels } = set;
  const size = height * width * channels;
  const values = new Float32Array(indices.length * size);
  for (let k = 0; k < indices.length; k++) {
    const index = indices[k];
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new RangeError(`batch: image ${index} was asked for; there are 0 to ${count - 1}`);
    }
    const image = pixels.subarray(index * size, (index + 1) * size);
    const target = values.subarray(k * size, (k + 1) * size);
    for (let i = 0; i < size; i++) target[i] = image[i] / 127.5 - 1;
    if (flips?.[k]) flip(target, height, width, channels);
  }
  return values;
}

/** All images of a set in the range of the models, [N, H, W, C] in [-1, 1]. */
export function allImages(set: ImageSet): Float32Array<ArrayBuffer> {
  return batch(set, Int32Array.from({ length: set.count }, (_, i) => i));
}

/** Turns one image, [H, W, C], left to right in place. */
function flip(image: Float32Array, height: number, width: number, channels: number): void {
  for (let y = 0; y < height; y++) {
    const row = image.subarray(y * width * channels, (y + 1) * width * channels);
    for (let left = 0, right = width - 1; left < right; left++, right--) {
      for (let c = 0; c < channels; c++) {
        const value = row[left * channels + c];
        row[left * channels + c] = row[right * channels + c];
        row[right * channels + c] = value;
      }
    }
  }
}
