/**
 * What guidance does to the samples: for each strength w, how many are taken for what was asked, how far they are
 * from real images, and how much those of one class still differ.
 *
 * @module
 */
import { allImages, batch, type ImageSet } from "../data/images/image_set.ts";
import { type DigitClassifier, FEATURES } from "../network/digit_classifier.ts";
import { permutation } from "../random.ts";
import { frechetDistance } from "./metrics/frechet.ts";
import { type Measured, measuredMean, measuredShare } from "./metrics/measured.ts";

/** What the samples of one strength are like. */
export interface StrengthReport {
  /** The guidance strength. */
  w: number;
  /** Share of the samples that the classifier takes for what was asked, in 0..1. */
  asked?: Measured;
  /** Fréchet distance to the real unseen digits, in the classifier's features. */
  frechet?: Measured;
  /** Mean distance ‖x − y‖ between two samples of a class. */
  spread: Measured;
}

/** The same for all strengths, and what real images have. */
export interface GuidanceReport {
  /** In the order of the strengths. */
  strengths: StrengthReport[];
  /** What as many real images would have. */
  real: { frechet?: number; spread: number };
}

/** The samples of one strength: those of each seed, [N, H, W, C] in [-1, 1]. */
export interface StrengthSamples {
  /** The guidance strength. */
  w: number;
  /** At least two seeds. */
  seeds: Float32Array[];
}

/** What samples are measured with. */
export interface GuidanceRuler {
  /** The class that each sample of a seed is to be of, [N]. */
  labels: number[];
  /** What the model was trained on, with labels. */
  train: ImageSet;
  /** Real unseen digits, and a classifier trained on others; only where they are digits. */
  digits?: { unseen: ImageSet; classifier: DigitClassifier };
}

/**
 * Measures the samples of all strengths. The error of a share is that of so many independent answers; the
 * others come from how far the seeds are apart.
 */
export async function measureGuidance(
  strengths: StrengthSamples[],
  { labels, train, digits }: GuidanceRuler,
): Promise<GuidanceReport> {
  const unseen = digits && await featuresOf(allImages(digits.unseen), digits.classifier);
  const report: StrengthReport[] = [];
  for (const { w, seeds } of strengths) {
    const spread = measuredMean(seeds.map((samples) => spreadOf(samples, labels)));
    if (!digits || !unseen) {
      report.push({ w, spread });
      continue;
    }
    const found = await Promise.all(seeds.map((samples) => digits.classifier.classify(samples)));
    const hits = found.flatMap(({ label }) => labels.filter((asked, n) => label[n] === asked));
    const answers = found.length * labels.length;
    const distances = found.map(({ features }) => frechetDistance(features, unseen, FEATURES));
    const asked = measuredShare(hits.length / answers, answers);
    report.push({ w, asked, frechet: measuredMean(distances), spread });
  }
  return { strengths: report, real: await ofReal(labels, train, digits && { ...digits, unseen }) };
}

/** What as many training images of the same classes have. */
async function ofReal(
  labels: number[],
  train: ImageSet,
  digits?: { classifier: DigitClassifier; unseen?: Float32Array },
): Promise<GuidanceReport["real"]> {
  const indices = ofClasses(train, labels);
  const images = batch(train, indices);
  const spread = spreadOf(images, labels);
  if (!digits?.unseen) return { spread };
  const features = await featuresOf(images, digits.classifier);
  return { spread, frechet: frechetDistance(features, digits.unseen, FEATURES) };
}

/** An image of the set for each label, always the same ones; an image comes again only where a class is small. */
function ofClasses(set: ImageSet, labels: number[]): number[] {
  const order = permutation({ seed: 0, stream: "guidance report" }, set.count);
  const ofClass = Map.groupBy(order, (index) => set.labels![index]);
  const taken = new Map<number, number>();
  return labels.map((label) => {
    const some = ofClass.get(label)!;
    const at = taken.get(label) ?? 0;
    taken.set(label, at + 1);
    return some[at % some.length];
  });
}

async function featuresOf(images: Float32Array, classifier: DigitClassifier) {
  return (await classifier.classify(images)).features;
}

/**
 * The mean distance ‖x − y‖ between two images of a class, the mean over the classes with at least two.
 *
 * @param images [N, H, W, C].
 * @param labels [N].
 */
export function spreadOf(images: Float32Array, labels: number[]): number {
  const size = images.length / labels.length;
  const means: number[] = [];
  for (const numbers of Map.groupBy(labels.keys(), (n) => labels[n]).values()) {
    if (numbers.length < 2) continue;
    let [sum, pairs] = [0, 0];
    for (const [i, a] of numbers.entries()) {
      for (const b of numbers.slice(i + 1)) {
        let square = 0;
        for (let k = 0; k < size; k++) square += (images[a * size + k] - images[b * size + k]) ** 2;
        sum += Math.sqrt(square);
        pairs++;
      }
    }
    means.push(sum / pairs);
  }
  return means.reduce((sum, mean) => sum + mean, 0) / Math.max(1, means.length);
}
