/**
 * How good fillings of holes are: whether a classifier takes the filled image for the same digit, and
 * how far the fillings are from the original, compared with a guess that ignores the image.
 *
 * @module
 */
import { batch, type ImageSet } from "../data/images/image_set.ts";
import type { DigitClassifier } from "../network/digit_classifier.ts";
import type { Fillings } from "../plot/inpainting_sheet.ts";

/** The numbers of all fillings. Errors are mean squares over the hidden pixels, of images in [-1, 1]. */
export interface InpaintingReport {
  /** How many images were filled. */
  images: number;
  /** How often each image was filled. */
  fillings: number;
  /** Hidden pixels of an image. */
  hidden: number;
  /** All pixels of an image. */
  pixels: number;
  /** Means over all images. */
  error: {
    /** A filling against the original. */
    filling: number;
    /** The mean of an image's fillings against the original. */
    meanOfFillings: number;
    /** The training set's mean image against the original. */
    meanImage: number;
  };
  /** Shares in 0..1 that the classifier takes for the same digit as the original; only of digits. */
  sameDigit?: {
    filling: number;
    /** Of the images with the training set's mean image in the hole. */
    meanImage: number;
  };
}

/** One filling's numbers. */
export interface FillingRow {
  /** The image's number, from 1. */
  image: number;
  /** Its number, from 1. */
  filling: number;
  /** Mean square over the hidden pixels, against the original. */
  error: number;
  /** What the classifier takes the original for; only of digits. */
  original?: number;
  /** What it takes the filled image for; only of digits. */
  filled?: number;
}

/**
 * Measures fillings.
 *
 * @param train What the model was trained on, for its mean image.
 * @param classifier Of digits of this size; without one `sameDigit` is left out.
 */
export async function inpaintingReport(
  images: Fillings,
  train: ImageSet,
  classifier?: Pick<DigitClassifier, "classify">,
): Promise<{ report: InpaintingReport; rows: FillingRow[] }> {
  const { originals, fillings, missing } = images;
  const count = originals.length / (missing.length * images.channels);
  const withMean = filledWith(images, meanImage(train));
  const errors = fillings.map((filled) => holeErrors(images, filled));
  const labelsOf = async (images: Float32Array) => (await classifier?.classify(images))?.label;
  const before = await labelsOf(originals);
  const rows: FillingRow[] = [];
  for (const [k, filled] of fillings.entries()) {
    const after = await labelsOf(filled);
    for (let n = 0; n < count; n++) {
      const [original, label] = [before?.[n], after?.[n]];
      rows.push({ image: n + 1, filling: k + 1, error: errors[k][n], original, filled: label });
    }
  }
  const labelsWithMean = await labelsOf(withMean);
  const report: InpaintingReport = {
    images: count,
    fillings: fillings.length,
    hidden: missing.reduce((sum, pixel) => sum + pixel, 0),
    pixels: missing.length,
    error: {
      filling: mean(errors.map(mean)),
      meanOfFillings: mean(holeErrors(images, meanOf(fillings))),
      meanImage: mean(holeErrors(images, withMean)),
    },
  };
  if (before && labelsWithMean) {
    report.sameDigit = {
      filling: mean(rows.map(({ original, filled }) => original === filled ? 1 : 0)),
      meanImage: mean(Array.from(before, (label, n) => label === labelsWithMean[n] ? 1 : 0)),
    };
  }
  return { report, rows };
}

/** The report in words, a line for each measure. */
export function inpaintingLines(
  { images, fillings, error, sameDigit }: InpaintingReport,
): string[] {
  const lines = [
    `mean squared error in the hole: ${error.filling.toFixed(3)} of a filling, ` +
    `${error.meanOfFillings.toFixed(3)} of the mean of an image's fillings, ` +
    `${error.meanImage.toFixed(3)} of the training set's mean image`,
  ];
  if (!sameDigit) return lines;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    `taken for the same digit as the original: ${percent(sameDigit.filling)} of ` +
    `${images * fillings} fillings (with the mean image in the hole: ` +
    `${percent(sameDigit.meanImage)})`,
    ...lines,
  ];
}

/** The rows as a table. */
export function inpaintingCsv(rows: FillingRow[]): string {
  const lines = rows.map(({ image, filling, error, original, filled }) =>
    [image, filling, error, original ?? "", filled ?? ""].join(",") + "\n"
  );
  return "image,filling,error,original_label,filled_label\n" + lines.join("");
}

/** The standard deviation of every number over the fillings, [N, H, W, C]. */
export function deviation(fillings: Float32Array[]): Float32Array {
  return meanOf(fillings).map((mean, i) =>
    Math.sqrt(fillings.reduce((sum, images) => sum + (images[i] - mean) ** 2, 0) / fillings.length)
  );
}

/** The originals with this image, [H, W, C], in the hole. */
function filledWith({ originals, missing, channels }: Fillings, image: Float32Array): Float32Array {
  return originals.map((value, i) =>
    missing[Math.floor(i / channels) % missing.length] ? image[i % image.length] : value
  );
}

/** The mean of (image − original)² over the hidden pixels of each image, [N]. */
function holeErrors({ originals, missing, channels }: Fillings, images: Float32Array): number[] {
  const size = missing.length * channels;
  const hidden = Array.from({ length: size }, (_, i) => i)
    .filter((i) => missing[Math.floor(i / channels)]);
  return Array.from(
    { length: originals.length / size },
    (_, n) => mean(hidden.map((i) => (images[n * size + i] - originals[n * size + i]) ** 2)),
  );
}

/** The mean of all images, [H, W, C] in [-1, 1]. */
function meanImage(set: ImageSet): Float32Array {
  const sum = new Float64Array(set.height * set.width * set.channels);
  for (let n = 0; n < set.count; n++) {
    batch(set, [n]).forEach((value, i) => sum[i] += value);
  }
  return Float32Array.from(sum, (value) => value / set.count);
}

function meanOf(many: Float32Array[]): Float32Array {
  return many[0].map((_, i) => mean(many.map((images) => images[i])));
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}
