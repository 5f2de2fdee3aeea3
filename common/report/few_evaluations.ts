/**
 * How good images are by how often the network was asked for them: diffusion and flows side by side.
 *
 * @module
 */
import { allImages, type ImageSet } from "../data/images/image_set.ts";
import { type DigitClassifier, FEATURES } from "../network/digit_classifier.ts";
import type { ChainPoint, ImageShape } from "../reverse_process.ts";
import { Progress } from "../run/progress.ts";
import { batchesOf, drawUnwatched } from "./draw_images.ts";
import { frechetDistance } from "./metrics/frechet.ts";
import { measuredShare } from "./metrics/measured.ts";
import { shareSure, SURE } from "./sample_report.ts";

/** Evaluations of the network for each image. */
export const EVALUATIONS = [1, 2, 3, 5, 10, 20, 50];

/** A way from noise to images. */
export interface Method {
  /** What it is called. */
  name: string;
  /** Starts the chain of a batch with so many evaluations; see {@linkcode drawUnwatched}. */
  chain(evaluations: number, shape: ImageShape, index: number): Iterable<ChainPoint>;
}

/** How good the images of a method are, each list by {@linkcode EVALUATIONS}. */
export interface MethodResult {
  /** The method's name. */
  name: string;
  /** Share of the images that are taken for a digit with confidence ≥ 0.9, in 0..1. */
  confident: number[];
  /** Its standard error, that of a share. */
  confidentError: number[];
  /** Fréchet distance to real digits in the classifier's features. */
  frechet: number[];
  /** Its standard error, by leaving out an eighth of the images in turn. */
  frechetError: number[];
}

/** What measures. */
export interface Ruler {
  /** Trained on real digits. */
  classifier: DigitClassifier;
  /** Real digits that it has not seen. */
  unseen: ImageSet;
}

/** Parts of the images that are left out in turn. */
const PARTS = 8;

/**
 * Draws the images of each method from the same noises by each number of evaluations, and measures them.
 *
 * @param shape Of the images by each, at least sixteen where they are measured.
 * @param ruler Without it nothing is measured.
 * @returns The results, and the first images of each method by each number of evaluations.
 */
export async function compareEvaluations(
  methods: Method[],
  { shape, shown, ruler }: { shape: ImageShape; shown: number; ruler?: Ruler },
): Promise<{ results: MethodResult[]; images: Float32Array[][] }> {
  const size = shape.slice(1).reduce((product, side) => product * side, 1);
  const real = ruler && await ruler.classifier.classify(
    allImages(ruler.unseen),
  );
  const passes = batchesOf(shape[0]) * EVALUATIONS.reduce((sum, n) => sum + n, 0);
  const progress = new Progress({ label: "comparing", total: methods.length * passes });
  let done = 0;
  const results: MethodResult[] = [];
  const images: Float32Array[][] = [];
  for (const { name, chain } of methods) {
    const result: MethodResult = {
      ...{ name, confident: [], confidentError: [], frechet: [], frechetError: [] },
    };
    const firsts: Float32Array[] = [];
    for (const evaluations of EVALUATIONS) {
      const drawn = await drawUnwatched(
        shape,
        (shape, index) => chain(evaluations, shape, index),
        (index, step) => progress.update(done + index * evaluations + step),
      );
      done += batchesOf(shape[0]) * evaluations;
      firsts.push(drawn.slice(0, shown * size));
      if (!ruler || !real) continue;
      const { confidence, features } = await ruler.classifier.classify(drawn);
      const sure = measuredShare(shareSure(confidence), shape[0]);
      result.confident.push(sure.mean);
      result.confidentError.push(sure.error);
      const distance = (features: Float32Array) =>
        frechetDistance(features, real.features, FEATURES);
      result.frechet.push(distance(features));
      result.frechetError.push(jackknifeError(features, FEATURES, distance));
    }
    if (ruler) results.push(result);
    images.push(firsts);
  }
  progress.finish();
  return { results, images };
}

/**
 * The standard error of a measure of N samples, by the jackknife that leaves out a part of them in turn:
 * √((g−1)/g·Σᵢ(θᵢ − mean θ)²)   (Efron & Stein 1981).
 *
 * @param values [N·D], the numbers of each sample in turn; N at least twice the parts.
 */
export function jackknifeError(
  values: Float32Array,
  D: number,
  measure: (values: Float32Array) => number,
): number {
  const without = Array.from(
    { length: PARTS },
    (_, part) => measure(values.filter((_, k) => Math.floor(k / D) % PARTS !== part)),
  );
  const mean = without.reduce((sum, value) => sum + value, 0) / PARTS;
  const squares = without.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt((PARTS - 1) / PARTS * squares);
}

/** The results as lines of a table. */
export function evaluationLines(results: MethodResult[]): string[] {
  const widest = Math.max(...results.map(({ name }) => name.length));
  const row = (name: string, cells: string[]) =>
    [name.padEnd(widest), ...cells.map((cell) => cell.padStart(12))].join(" ");
  const both = (values: number[], errors: number[], digits: number, scale = 1) =>
    values.map((x, i) => `${(scale * x).toFixed(digits)} ± ${(scale * errors[i]).toFixed(digits)}`);
  const head = EVALUATIONS.map(String);
  return [
    `taken for a digit with confidence ≥ ${SURE}, in percent, by evaluations of the network:`,
    row("", head),
    ...results.map((r) => row(r.name, both(r.confident, r.confidentError, 1, 100))),
    "Fréchet distance:",
    row("", head),
    ...results.map((r) => row(r.name, both(r.frechet, r.frechetError, 1))),
  ];
}

/** The results as a file. */
export function evaluationsAsCsv(results: MethodResult[]): string {
  const rows = results.flatMap(({ name, confident, confidentError, frechet, frechetError }) =>
    EVALUATIONS.map((evaluations, i) =>
      [
        ...[`"${name}"`, evaluations, confident[i], confidentError[i]],
        ...[frechet[i], frechetError[i]],
      ].join(",") + "\n"
    )
  );
  return "method,evaluations,confident,confidentError,frechet,frechetError\n" + rows.join("");
}
