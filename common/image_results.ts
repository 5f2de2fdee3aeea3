/**
 * What a run of paper 2 leaves behind besides its model: sheets of images, the images as numbers,
 * and, for digits, how good they are.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { writeSafetensors } from "./checkpoint.ts";
import type { ImageSet } from "./data/images/image_set.ts";
import { trainClassifier } from "./digit_classifier.ts";
import type { ImageShape } from "./draw_images.ts";
import { imageSheet } from "./pixels/image_sheet.ts";
import { Progress } from "./progress.ts";
import type { RunFolder } from "./run_folder.ts";
import { type SampleReport, sampleReport } from "./sample_report.ts";

/** Samples on a sheet, eight in a row. */
const SHOWN = 64;

/**
 * Writes samples.safetensors, with the one tensor `samples`, [N, H, W, C] in [-1, 1], and the first 64
 * of them as paper2_samples.png.
 *
 * @param how Texts on how they were drawn, for the file's metadata.
 */
export async function writeSamples(
  folder: RunFolder,
  { samples, shape, how }: {
    samples: Float32Array;
    shape: ImageShape;
    how: Record<string, string>;
  },
): Promise<void> {
  const tensor = tf.tensor(samples, shape);
  await writeSafetensors(folder.file("samples.safetensors"), new Map([["samples", tensor]]), how);
  tensor.dispose();
  const [count, height, width, channels] = shape;
  const shown = Math.min(SHOWN, count);
  const images = samples.subarray(0, shown * height * width * channels);
  const sheet = imageSheet({ images, count: shown, height, width, channels, columns: 8 });
  await folder.write("paper2_samples.png", sheet);
}

/**
 * Trains a classifier on the real digits, under a progress bar, and measures samples with it.
 *
 * @param samples [N, H, W, C] in [-1, 1], at least two.
 * @param digits.train The digits that the model was trained on.
 * @param digits.unseen Others, with labels.
 */
export async function measureDigits(
  samples: Float32Array,
  digits: { train: ImageSet; unseen: ImageSet },
  seed: number,
): Promise<SampleReport> {
  let progress: Progress | undefined;
  const classifier = await trainClassifier(digits.train, {
    seed,
    onStep: (done, steps) => {
      progress ??= new Progress({ label: "classifier", total: steps });
      progress.update(done);
    },
  });
  progress?.finish();
  const report = await sampleReport(samples, classifier, digits.train, digits.unseen);
  classifier.dispose();
  return report;
}
