/**
 * What is shown and measured of images whose holes were filled in.
 *
 * @module
 */
import { batch, type ImageSet } from "./data/images/image_set.ts";
import { imageSheet } from "./pixels/image_sheet.ts";
import { rasterize } from "./plot/raster.ts";
import { drawing, picture, text } from "./plot/svg.ts";

/** Images, their holes, and what these were filled with. */
export interface Fillings {
  height: number;
  width: number;
  channels: number;
  /** [H, W]: 1 where a pixel was hidden. */
  hidden: Uint8Array;
  /** [N, H, W, C] in [-1, 1]. */
  originals: Float32Array;
  /** [K][N, H, W, C]: each image filled K times. */
  filled: Float32Array[];
}

/** How near the fillings come, as mean squared errors in the hole, of images in [-1, 1]. */
export interface HoleErrors {
  /** A filling against the original. */
  filling: number;
  /** The mean of an image's fillings against the original. */
  meanFilling: number;
  /** The training set's mean image against the original: knowing nothing of the image. */
  meanImage: number;
}

/** Measures the holes. */
export function holeErrors(fillings: Fillings, training: ImageSet): HoleErrors {
  const { originals, filled } = fillings;
  const guess = repeated(meanImage(training), originals.length);
  const errors = filled.map((images) => meanSquare(fillings, images));
  return {
    filling: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    meanFilling: meanSquare(fillings, meanOf(filled)),
    meanImage: meanSquare(fillings, guess),
  };
}

const GAP = 6;
const TOP = 30;
const HOLE = [0.35, 0.55, 0.85]; // a colour that no grey image has

/** Draws original, image with its hole, the fillings and their spread in a row for each image: a PNG. */
export async function fillingsFigure(fillings: Fillings): Promise<Uint8Array> {
  const { height, width, originals, filled, channels } = fillings;
  const N = originals.length / (height * width * channels);
  const spread = deviation(filled);
  const largest = spread.reduce((most, x) => Math.max(most, x), 0);
  const columns = [
    { name: "original", images: coloured(originals, channels) },
    { name: "hole", images: withHole(fillings) },
    ...filled.map((images, k) => ({
      name: k === 0 ? "fillings" : "",
      images: coloured(images, channels),
    })),
    { name: "std", images: heat(spread, channels, largest) },
  ];
  const scale = Math.max(1, Math.floor(64 / width));
  const cell = { width: width * scale + GAP, height: N * (height * scale + GAP) + GAP };
  const parts = columns.flatMap(({ name, images }, i) => {
    const sheet = { images, count: N, height, width, channels: 3, columns: 1 };
    const x = GAP + i * cell.width + (i === 0 ? 0 : GAP) + (i > filled.length + 1 ? GAP : 0);
    const png = imageSheet({ ...sheet, scale: 2 * scale, gap: 2 * GAP });
    const size = { width: width * scale + 2 * GAP, height: cell.height };
    return [
      picture(png, { x: x - GAP, y: TOP, ...size }),
      text(name, { x: x + cell.width / 2 - GAP / 2, y: TOP - 10 }),
    ];
  });
  const total = [columns.length * cell.width + 4 * GAP, TOP + cell.height + 22] as const;
  parts.push(
    text(`std: the fillings' standard deviation, black 0 to white ${largest.toFixed(2)}`, {
      x: total[0] - GAP,
      y: total[1] - 8,
      anchor: "end",
      fill: "#666",
    }),
  );
  return await rasterize(drawing(...total, parts));
}

/** The mean over the hidden pixels of all images of (image − original)². */
function meanSquare({ originals, hidden, channels }: Fillings, images: Float32Array): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < originals.length; i++) {
    if (!hidden[Math.floor(i / channels) % hidden.length]) continue;
    sum += (images[i] - originals[i]) ** 2;
    count++;
  }
  return sum / count;
}

function meanOf(many: Float32Array[]): Float32Array {
  return many[0].map((_, i) => many.reduce((sum, images) => sum + images[i], 0) / many.length);
}

/** The standard deviation of each number over the fillings. */
function deviation(filled: Float32Array[]): Float32Array {
  const mean = meanOf(filled);
  return mean.map((m, i) =>
    Math.sqrt(filled.reduce((sum, images) => sum + (images[i] - m) ** 2, 0) / filled.length)
  );
}

/** [H, W, C] in [-1, 1]. */
function meanImage(set: ImageSet): Float32Array {
  const size = set.height * set.width * set.channels;
  const mean = new Float64Array(size);
  for (let n = 0; n < set.count; n++) {
    batch(set, [n]).forEach((x, i) => mean[i] += x / set.count);
  }
  return Float32Array.from(mean);
}

function repeated(image: Float32Array, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => image[i % image.length]);
}

/** [N, H, W, 3] of images with one channel or three. */
function coloured(images: Float32Array, channels: number): Float32Array {
  if (channels === 3) return images;
  return Float32Array.from({ length: 3 * images.length }, (_, i) => images[Math.floor(i / 3)]);
}

function withHole({ originals, channels, hidden }: Fillings): Float32Array {
  return coloured(originals, channels).map((x, i) => {
    const pixel = Math.floor(i / 3) % hidden.length;
    return hidden[pixel] ? 2 * HOLE[i % 3] - 1 : x;
  });
}

/** From black over red and yellow to white, [N, H, W, 3]; of several channels the mean. */
function heat(values: Float32Array, channels: number, largest: number): Float32Array {
  const pixels = values.length / channels;
  const image = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const of = values.subarray(i * channels, (i + 1) * channels);
    const share = of.reduce((sum, x) => sum + x, 0) / channels / (largest || 1);
    for (let c = 0; c < 3; c++) image[3 * i + c] = Math.min(1, Math.max(-1, 6 * share - 2 * c - 1));
  }
  return image;
}
