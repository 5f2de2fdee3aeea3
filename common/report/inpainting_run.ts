/**
 * What the inpainting script does around its algorithm: images with holes, their fillings as a figure, and how
 * good these are.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Backend } from "../backend.ts";
import { batch, type ImageSet } from "../data/images/image_set.ts";
import { hasDigits, loadImages } from "../data/images/load.ts";
import { readPngImage } from "../data/images/png_folder.ts";
import { unusedPaths } from "../files/numbered.ts";
import { makeFolder, writeAtomically } from "../files/writing.ts";
import { trainClassifier } from "./classifier_training.ts";
import { type DigitClassifier } from "../network/digit_classifier.ts";
import type { ImageModel } from "../network/image_model.ts";
import { type Fillings, inpaintingSheet } from "../plot/inpainting_sheet.ts";
import { permutation } from "../random.ts";
import type { ChainPoint, ImageShape } from "../reverse_process.ts";
import type { RecordedDataset } from "../run/dataset.ts";
import { SHIPPED_DRAWINGS } from "../run/model_source.ts";
import { inWords } from "../run/progress.ts";
import { UserError } from "../user_error.ts";
import { drawImages } from "./draw_images.ts";
import {
  deviation,
  inpaintingCsv,
  inpaintingLines,
  inpaintingReport,
} from "./inpainting_report.ts";

/** What is filled. */
export interface Hole {
  /** x₀, the images, [B, H, W, C] in [-1, 1]; where m is 0 they are ignored. */
  x0: tf.Tensor4D;
  /** m, 1 where a pixel is known and 0 where it is missing, [1, H, W, 1]. */
  m: tf.Tensor4D;
}

/** The settings that decide what is filled, and where the files go. */
export interface InpaintingSettings {
  /** The folder of the run whose model fills. Absent for the model that ships. */
  resume: string | undefined;
  /** The folder for the figure and the numbers. Default: that of the run, or runs/shipped. */
  out: string | undefined;
  /** Decides all noises. */
  seed: number;
  /** The image file to fill; without it, images of the data set that the model has not seen. */
  image: string | undefined;
  /** How many of those. */
  images: number;
  /** K, how often each is filled. */
  fillings: number;
  /** The folder with the data set's files. Default: that of the run. */
  dataDir: string | undefined;
  /** Whether its files may be fetched. */
  download: boolean;
  /** Steps of training of the classifier that says which digit a filling is. */
  classifierSteps: number;
}

/** What {@linkcode inpaint} works with. */
export interface Inpainting {
  /** The script's name, for the record. */
  command: string;
  /** What computes. */
  backend: Backend;
  /** The model that fills. */
  model: ImageModel;
  /** What the model was trained on. */
  recorded: RecordedDataset;
  /** What is filled, and where the files go. */
  settings: InpaintingSettings;
  /** [H, W], 1 where a pixel is missing. */
  missing: Uint8Array;
  /** Starts the chain that fills a hole; the noise is a function of the name. */
  chain: (hole: Hole, name: string) => Iterable<ChainPoint>;
  /** Steps of such a chain. */
  length: number;
}

/** The files that one call leaves; where these are there from an earlier one, all have a number. */
function filesOf({ labelled }: RecordedDataset): string[] {
  const script = labelled ? "paper3" : "paper2";
  return [`${script}_inpainting.png`, "inpainting.json", "inpainting.csv"];
}

/** Makes holes in images, fills them, and writes the figure, the numbers, and how good the fillings are. */
export async function inpaint(inpainting: Inpainting): Promise<void> {
  const { command, backend, model, recorded, settings, missing } = inpainting;
  const { out: folder = settings.resume ?? SHIPPED_DRAWINGS } = settings;
  const { size, inChannels: channels } = model;
  const { train, originals } = await chooseImages(settings, recorded, model);
  await makeFolder(folder);
  console.error(`${backend.reason}\nwriting to ${folder}`);

  const started = performance.now();
  const holes = { height: size, width: size, channels, missing, originals };
  const fillings = await fill(inpainting, originals);
  const took = inWords((performance.now() - started) / 1000);
  const filled: Fillings = { ...holes, fillings };
  const sheet = await inpaintingSheet({ ...filled, deviation: deviation(fillings) });

  const classifier = await digitClassifier(recorded, train, settings);
  const { report, rows } = await inpaintingReport(filled, train, classifier);
  classifier?.dispose();
  const record = { script: command, settings, results: report };
  const [figure, numbers, table] = await unusedPaths(folder, filesOf(recorded));
  await writeAtomically(figure, sheet);
  await writeAtomically(numbers, JSON.stringify(record, null, 2) + "\n");
  await writeAtomically(table, inpaintingCsv(rows));
  const { images, hidden, pixels } = report;
  const many = images === 1 ? ["1 image", "filled"] : [`${images} images`, "each filled"];
  console.log(
    `${figure}: ${many[0]} with ${hidden} of ${pixels} pixels hidden, ` +
      `${many[1]} ${report.fillings} times in ${took}`,
  );
  for (const line of inpaintingLines(report)) console.log(line);
}

/** The training images, and those to make holes in, [N, H, W, C] in [-1, 1]. */
async function chooseImages(
  { resume, image, images, seed, dataDir, download }: InpaintingSettings,
  recorded: RecordedDataset,
  { size, inChannels }: ImageModel,
): Promise<{ train: ImageSet; originals: Float32Array }> {
  const { dataset, labelled } = recorded;
  if (image === undefined && dataset === "images") {
    throw new UserError(
      `the run in ${resume} has seen all images of its folder; give another one with --image file.png`,
    );
  }
  const source = { dataset, size, dataDir: dataDir ?? recorded.dataDir, download, labelled };
  const train = await loadImages({ ...source, split: "train" });
  checkChannels(train, `the data set of ${resume}/run.json, ${dataset},`, inChannels);
  if (image !== undefined) {
    const given = { ...train, ...await readPngImage(image, size) } as ImageSet;
    checkChannels(given, `--image ${image}`, inChannels);
    return { train, originals: batch(given, [0]) };
  }
  const unseen = await loadImages({ ...source, split: "test" });
  return { train, originals: batch(unseen, varied(unseen, images, seed)) };
}

/** `count` of the images at random: every class comes once before any comes again. */
function varied({ count, labels }: ImageSet, wanted: number, seed: number): number[] {
  const order = permutation({ seed, stream: "inpainted images" }, count);
  const seen = new Map<number | undefined, number>();
  const turns = Array.from(order, (index) => {
    const turn = seen.get(labels?.[index]) ?? 0;
    seen.set(labels?.[index], turn + 1);
    return { index, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).slice(0, wanted).map(({ index }) => index);
}

/**
 * Fills the holes of all N images K times.
 *
 * @returns K times [N, H, W, C] in [-1, 1].
 */
async function fill(
  { model, settings: { fillings: K }, missing, chain, length }: Inpainting,
  originals: Float32Array,
): Promise<Float32Array[]> {
  const { size, inChannels: channels } = model;
  const N = originals.length / (size * size * channels);

  // image i of all K·N is a filling of image i mod N: asking for more of them changes no earlier one
  function* fillBatch(
    shape: ImageShape,
    index: number,
    first: number,
  ): Generator<ChainPoint, void> {
    const x0 = tf.tensor4d(repeated(originals, N, first, shape[0]), shape);
    const m = tf.tensor4d(Float32Array.from(missing, (pixel) => 1 - pixel), [1, size, size, 1]);
    try {
      yield* chain({ x0, m }, `fillings ${index}`);
    } finally {
      tf.dispose([x0, m]);
    }
  }

  const all = await drawImages([K * N, size, size, channels], fillBatch, length, "filling");
  return Array.from(
    { length: K },
    (_, k) => all.subarray(k * originals.length, (k + 1) * originals.length),
  );
}

/** A batch out of the N images repeated endlessly, from number `first` on: [B, H, W, C]. */
function repeated(
  images: Float32Array,
  N: number,
  first: number,
  B: number,
): Float32Array {
  const length = images.length / N;
  const values = new Float32Array(B * length);
  for (let k = 0; k < B; k++) {
    const n = (first + k) % N;
    values.set(images.subarray(n * length, (n + 1) * length), k * length);
  }
  return values;
}

/** A classifier of the digits that the model was trained on, or undefined if they are no digits. */
async function digitClassifier(
  { dataset }: RecordedDataset,
  train: ImageSet,
  { seed, classifierSteps: steps }: InpaintingSettings,
): Promise<DigitClassifier | undefined> {
  return hasDigits(dataset) ? await trainClassifier(train, { seed, steps, bar: true }) : undefined;
}

/** @throws {UserError} The images have another number of channels than the model. */
function checkChannels({ channels }: ImageSet, name: string, expected: number): void {
  if (channels === expected) return;
  const kind = (channels: number) => channels === 1 ? "grey" : "in colour";
  throw new UserError(
    `${name} is ${kind(channels)} and the model's images are ${
      kind(expected)
    }; they must be the same`,
  );
}
