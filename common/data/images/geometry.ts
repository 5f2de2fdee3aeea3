/**
 * Bringing images to the size that a model is trained on.
 *
 * Small images with a plain background (digits, clothes) get a frame of it, so that they keep their
 * shape: 28×28 becomes 32×32 by two pixels all round. Everything else is scaled by area averaging:
 * a new pixel is the mean of the old ones that it covers, wholly or in part, so 28×28
 * becomes 16×16 with each new pixel covering 1.75 × 1.75 old ones. Scaling up by the same rule
 * repeats pixels.
 *
 * @module
 */

/** Images of one shape, pixels [N, H, W, C] in 0..255. */
export interface Images {
  /** N. */
  count: number;
  /** H, in pixels. */
  height: number;
  /** W, in pixels. */
  width: number;
  /** C: 1 for grey, 3 for red, green and blue. */
  channels: number;
  /** [N, H, W, C] in 0..255. */
  pixels: Uint8Array<ArrayBuffer>;
}

/**
 * The images at size×size.
 *
 * @param background The value to frame smaller images with; without it they are scaled up.
 * @returns [N, size, size, C]; the given pixels themselves when they have that size already.
 */
export function fitToSize(
  images: Images,
  size: number,
  background?: number,
): Uint8Array<ArrayBuffer> {
  const { height, width, pixels } = images;
  if (height === size && width === size) return pixels;
  if (background !== undefined && height <= size && width <= size) {
    return frame(images, size, background);
  }
  return areaAverage(images, size);
}

/** The images in the middle of size×size, surrounded by the background; an odd pixel goes below and right. */
function frame(
  { count, height, width, channels, pixels }: Images,
  size: number,
  background: number,
): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(count * size * size * channels).fill(background);
  const top = Math.floor((size - height) / 2);
  const left = Math.floor((size - width) / 2);
  const row = width * channels;
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      const from = (n * height + y) * row;
      framed.set(
        pixels.subarray(from, from + row),
        ((n * size + top + y) * size + left) * channels,
      );
    }
  }
  return framed;
}

/** The images scaled to size×size, each new pixel the mean of the area it covers. */
export function areaAverage(
  { count, height, width, channels, pixels }: Images,
  size: number,
): Uint8Array<ArrayBuffer> {
  const across = overlaps(width, size);
  const down = overlaps(height, size);
  const narrow = new Float64Array(height * size * channels); // [H, size, C], times W
  const sums = new Float64Array(size * size * channels); // [size, size, C], times W·H
  const area = width * height;
  const scaled = new Uint8Array(count * sums.length);
  for (let n = 0; n < count; n++) {
    const image = pixels.subarray(n * area * channels, (n + 1) * area * channels);
    sumOverlaps(image, narrow, across, channels);
    sumOverlaps(narrow, sums, down, size * channels);
    const target = scaled.subarray(n * sums.length, (n + 1) * sums.length);
    for (let i = 0; i < sums.length; i++) target[i] = Math.floor(sums[i] / area + 0.5);
  }
  return scaled;
}

/** How `to` new pixels cover `from` old ones, in units of 1/to of an old pixel: whole numbers. */
interface Overlaps {
  from: number;
  to: number;
  /** The first old pixel under each new one, [to]. */
  first: Int32Array;
  /** Old pixels looked at for a new one; some with weight 0. */
  taps: number;
  /** What each new pixel covers of them, [to, taps]; adds up to `from`. */
  weights: Float64Array;
}

function overlaps(from: number, to: number): Overlaps {
  const taps = Math.min(from, Math.ceil(from / to) + 1);
  const first = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    // new pixel i covers [i·from, (i + 1)·from), old pixel j covers [j·to, (j + 1)·to)
    first[i] = Math.min(Math.floor(i * from / to), from - taps);
    for (let k = 0; k < taps; k++) {
      const j = first[i] + k;
      const covered = Math.min((i + 1) * from, (j + 1) * to) - Math.max(i * from, j * to);
      weights[i * taps + k] = Math.max(0, covered);
    }
  }
  return { from, to, first, taps, weights };
}

/** Weighted sums along the middle axis: [outer, from, inner] to [outer, to, inner]. */
function sumOverlaps(
  source: Uint8Array | Float64Array,
  target: Float64Array,
  { from, to, first, taps, weights }: Overlaps,
  inner: number,
): void {
  const outer = target.length / (to * inner);
  target.fill(0);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      const at = (o * to + i) * inner;
      for (let k = 0; k < taps; k++) {
        const weight = weights[i * taps + k];
        if (weight === 0) continue;
        const old = (o * from + first[i] + k) * inner;
        for (let c = 0; c < inner; c++) target[at + c] += weight * source[old + c];
      }
    }
  }
}
