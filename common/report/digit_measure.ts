/**
 * The measure of drawn digits: a classifier trained on the real ones.
 *
 * @module
 */
import type { ImageSet } from "../data/images/image_set.ts";
import type { DigitClassifier } from "../network/digit_classifier.ts";
import { trainClassifier } from "./classifier_training.ts";
import { type SampleReport, sampleReport } from "./sample_report.ts";

/** The real digits that samples are measured with. */
export interface RealDigits {
  /** Those that the model was trained on. */
  train: ImageSet;
  /** Others, with labels. */
  unseen: ImageSet;
}

/** How the classifier is trained. */
export interface ClassifierSettings {
  /** Decides its first weights and the order of the digits. */
  seed: number;
  /** Its steps of training. */
  classifierSteps: number;
}

/**
 * Trains a classifier on the real digits, under a progress bar, and lets `use` measure samples with it.
 *
 * @param use Gets the measure, which takes samples, [N, H, W, C] in [-1, 1], N at least 2; and the
 * classifier itself.
 */
export async function withDigitMeasure<Result>(
  { train, unseen }: RealDigits,
  { seed, classifierSteps: steps }: ClassifierSettings,
  use: (
    measure: (samples: Float32Array) => Promise<SampleReport>,
    classifier: DigitClassifier,
  ) => Promise<Result>,
): Promise<Result> {
  const classifier = await trainClassifier(train, { seed, steps, bar: true });
  try {
    return await use((samples) => sampleReport(samples, classifier, train, unseen), classifier);
  } finally {
    classifier.dispose();
  }
}
