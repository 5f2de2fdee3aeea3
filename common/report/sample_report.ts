/**
 * How good the samples of a model are, next to how good real images are by the same measure.
 *
 * A small classifier trained on the real digits is the ruler: what share of the samples does it take
 * for a digit without hesitating, do all ten digits appear, and how far apart are the samples and the
 * real ones in its features? The distance is the Fréchet distance in the classifier's features. It is
 * not FID, which is the same distance in the features of an Inception network trained on ImageNet:
 * compare its values with each other only.
 *
 * @module
 */
import { allImages, batch, type ImageSet } from "../data/images/image_set.ts";
import { type DigitClassifier, FEATURES } from "../network/digit_classifier.ts";
import { frechetDistance } from "./metrics/frechet.ts";
import { permutation } from "../random.ts";

/** A sample counts as a digit when the classifier is at least this sure of one. */
export const SURE = 0.9;

/** What is printed at the end of a run and kept in run.json; shares are in 0..1. */
export interface SampleReport {
  /** Number of samples. */
  samples: number;
  /** Share of the samples that are taken for a digit with confidence ≥ 0.9. */
  confident: number;
  /** The same of real digits that neither the model nor the classifier has seen. */
  confidentReal: number;
  /** Share of the real unseen digits that the classifier gets right. */
  accuracyReal: number;
  /** Share of the samples that are taken for each digit, [10]. */
  perDigit: number[];
  /** Fréchet distance in the classifier's features between the samples and the real unseen digits. */
  frechet: number;
  /** The same between real ones: as many training digits as there are samples, and the unseen ones. */
  frechetReal: number;
}

/**
 * Measures samples.
 *
 * @param samples [N, H, W, C] in [-1, 1], N at least 2, of the classifier's size.
 * @param classifier Trained on `realTrain`.
 * @param realTrain What the model was trained on; its images stand in for perfect samples.
 * @param realTest Unseen real images, with labels.
 * @throws {Error} The unseen images have no labels.
 */
export async function sampleReport(
  samples: Float32Array,
  classifier: DigitClassifier,
  realTrain: ImageSet,
  realTest: ImageSet,
): Promise<SampleReport> {
  const { labels } = realTest;
  if (!labels) throw new Error(`sampleReport: the images of ${realTest.name} have no labels`);
  const measured = await classifier.classify(samples);
  const count = measured.label.length;
  const unseen = await classifier.classify(allImages(realTest));
  const perfect = await classifier.classify(batch(realTrain, someOf(realTrain, count)));
  const perDigit = new Array(10).fill(0);
  for (const label of measured.label) perDigit[label] += 1 / count;
  return {
    samples: count,
    confident: shareSure(measured.confidence),
    confidentReal: shareSure(unseen.confidence),
    accuracyReal: unseen.label.filter((label, k) => label === labels[k]).length / labels.length,
    perDigit,
    frechet: frechetDistance(measured.features, unseen.features, FEATURES),
    frechetReal: frechetDistance(perfect.features, unseen.features, FEATURES),
  };
}

/** The report in words, a line for each measure. */
export function reportLines(report: SampleReport): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const perDigit = report.perDigit.map((share, digit) => `${digit}: ${percent(share)}`).join(", ");
  return [
    `taken for a digit with confidence ≥ ${SURE}: ${percent(report.confident)} of ` +
    `${report.samples} samples (real unseen digits: ${percent(report.confidentReal)})`,
    `share of each digit: ${perDigit}`,
    `Fréchet distance in the classifier's features: ${report.frechet.toFixed(2)} ` +
    `(between two sets of real digits: ${report.frechetReal.toFixed(2)})`,
  ];
}

/** The indices of up to `count` images, always the same ones, in a random order. */
function someOf(set: ImageSet, count: number): Int32Array {
  return permutation({ seed: 0, stream: "sample report" }, set.count).subarray(0, count);
}

/** The share of the samples that the classifier is sure of. */
export function shareSure(confidence: Float32Array): number {
  return confidence.filter((p) => p >= SURE).length / confidence.length;
}
