/**
 * Inpainting: a trained model of paper 2 fills a hole in an image (Lugmayr, Danelljan, Romero, Yu,
 * Timofte & Van Gool 2022, "RePaint: Inpainting using Denoising Diffusion Probabilistic Models").
 *
 *     deno task inpaint --resume runs/paper2-quick-0                      # the right half is hidden
 *     deno task inpaint --resume runs/paper2-quick-0 --mask box:4,4,8,8
 *     deno task inpaint --resume runs/paper2-quick-0 --mask random:0.7 --jumps 1
 *
 * The model was never trained to fill anything. It walks its usual way from noise to an image; but at
 * every step the known pixels are put in, just as noisy as the chain is at that moment, and the hidden
 * ones have to fit to them. Now and then the chain goes some steps back towards the noise and down
 * again, so that the two parts come to agree. Other noises lead to other fillings: all of them are
 * possible, and where they differ the image was not decided by what is known.
 *
 * On 2 cores without a GPU the default takes about 50 s. It ends with how often a classifier takes a
 * filled image for the same digit as the original, and with the squared error in the hole next to
 * that of the mean image.
 *
 * Into the model's folder, or the one given with --out, go paper2_inpainting.png and its numbers,
 * inpainting.json and inpainting.csv; nothing else there is touched.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Backend, selectBackend } from "./common/backend.ts";
import { parseCommandLine } from "./common/run/command_line.ts";
import {
  type Command,
  integer,
  onOff,
  type Settings as SettingsOf,
  text,
} from "./common/run/flags.ts";
import { helpText } from "./common/run/help.ts";
import { runMain } from "./common/run/main.ts";
import { batch, type ImageSet } from "./common/data/images/image_set.ts";
import { hasDigits, loadImages } from "./common/data/images/load.ts";
import { readPngPicture } from "./common/data/images/png_folder.ts";
import { type RecordedDataset, recordedDataset } from "./common/run/recorded_dataset.ts";
import { type DigitClassifier, trainClassifier } from "./common/network/digit_classifier.ts";
import { drawImages, type ImageShape } from "./common/report/draw_images.ts";
import { makeFolder, writeAtomically } from "./common/files/files.ts";
import { qJump, qSample } from "./common/forward_process.ts";
import { type ImageModel, loadModel } from "./common/network/image_model.ts";
import {
  deviation,
  type Fillings,
  inpaintingCsv,
  inpaintingLines,
  inpaintingReport,
} from "./common/report/inpainting_report.ts";
import { makeMask, MASKS, parseMask } from "./common/data/images/masks.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { inpaintingSheet } from "./common/plot/inpainting_sheet.ts";
import { inWords } from "./common/run/progress.ts";
import { permutation } from "./common/random.ts";
import {
  type ChainPoint,
  ddimStep,
  type Denoiser,
  fewerTimesteps,
  reverseProcess,
  withJumps,
} from "./common/reverse_process.ts";
import { commonFlags } from "./common/run/settings.ts";
import { UserError } from "./common/user_error.ts";

/** All settings. */
const flags = {
  resume: text({
    help: "the folder of the paper2 run whose model fills",
    placeholder: "DIR",
    default: undefined,
  }),
  mask: text({
    help: "what is missing: a half, a box, a share of the pixels, or what is white in a PNG file",
    placeholder: "left|right|top|bottom|box:x,y,w,h|random:FRACTION|file.png",
    default: "right",
    allowed: MASKS,
    accepts: (mask) => parseMask(mask) !== undefined,
  }),
  image: text({
    help: "the PNG file to fill, cropped to a square; without it, images not seen in training",
    placeholder: "file.png",
    default: undefined,
  }),
  images: integer({ help: "how many different images to fill", default: 6, max: 32 }),
  fillings: integer({ help: "how often to fill each", default: 6, min: 2, max: 16 }),
  sampleSteps: integer({ help: "steps of the chain, jumps not counted", default: 50 }),
  jumpLength: integer({ help: "j, steps that a jump goes back", default: 5 }),
  jumps: integer({
    help: "r, how often each stretch of j steps is walked; 1 never goes back",
    default: 5,
    max: 1000,
  }),
  dataDir: text({
    help: "folder with the data set's files [that of the run]",
    placeholder: "DIR",
    default: undefined,
  }),
  download: onOff({ help: "fetch its files into runs/.data if they are not there" }),
  seed: commonFlags.seed,
  backend: commonFlags.backend,
  workers: commonFlags.workers,
  out: text({
    help: "the folder for the picture and its numbers [that of --resume]",
    placeholder: "DIR",
    default: undefined,
  }),
};
type Settings = SettingsOf<typeof flags>;

const command: Command<typeof flags> = {
  name: "inpaint",
  summary: "RePaint, Lugmayr et al. 2022: fills holes in images with a model that paper2 trained.",
  flags,
  presets: {},
};

// ---------------------------------------------------------------------------------------------
// 1. RePaint: the known pixels lead the chain
// ---------------------------------------------------------------------------------------------

/** What is filled, and how. */
export interface Hole {
  /** x₀, the images, [B, H, W, C] in [-1, 1]; where m is 0 they are not looked at. */
  x0: tf.Tensor4D;
  /** m, 1 where a pixel is known and 0 where it is missing, [1, H, W, 1]. */
  m: tf.Tensor4D;
}

/** How the chain walks, and with which noise. */
export interface RepaintOptions {
  /** S, steps of the chain; T for all of them. */
  sampleSteps: number;
  /** j and r, see {@linkcode withJumps}. */
  jumpLength: number;
  jumps: number;
  seed: number;
  /** The noise is a function of the seed and this name. */
  name: string;
}

/** The timesteps that {@linkcode repaint} visits before 0. */
export function repaintTimes(T: number, options: RepaintOptions): number[] {
  return withJumps(fewerTimesteps(T, options.sampleSteps), options);
}

/**
 * Algorithm 1, Inpainting using the RePaint approach (Lugmayr et al. 2022): the chain x_T, …, x₀. Where
 * m is 1, x₀ is the given image, bit for bit.
 *
 * With S = T and j = 1 it walks as the algorithm is printed. Otherwise n, the time that a step goes to,
 * is not always t ± 1: a jump goes j steps back at once (their appendix B), and with S < T a step down
 * skips some t (Song et al. 2021, Eq. 12).
 */
export function repaint(
  denoiser: Denoiser,
  { x0, m }: Hole,
  options: RepaintOptions,
): Generator<ChainPoint, void> {
  const { schedule } = denoiser;
  const { seed, name } = options;
  const noise = (what: string, step = 0) =>
    gaussianNoise<tf.Rank.R4>({ seed, stream: `${what} ${name}`, step }, x0.shape);
  // 1: x_T ~ N(0, I)
  const xT = noise("xT");
  // 2: for t = T, …, 1 do
  // 3: for u = 1, …, U do
  return reverseProcess(xT, repaintTimes(schedule.T, options), (xt, t, n, i) => {
    if (n > t) {
      // 9: if u < U and t > 1 then
      // 10: xₙ ~ N(√(ᾱₙ/ᾱₜ)·xₜ, (1 − ᾱₙ/ᾱₜ)·I), back towards the noise
      return { xNext: qJump(schedule, { xt, t, tNext: n, eps: noise("jump", i) }) };
      // 11: end if
    }
    // 4: ε ~ N(0, I) if n > 0, else its factor √(1−ᾱ₀) is 0
    const eps = noise("eps", i);
    // 5: xₙ^known = √ᾱₙ·x₀ + √(1−ᾱₙ)·ε   (Eq. 8a; in print with ᾱₜ, which belongs to xₜ)
    const known = qSample(schedule, x0, n, eps);
    // 6: z ~ N(0, I) if n > 0, else its factor σ is 0
    const z = noise("z", i);
    // 7: xₙ^unknown = μ_θ(xₜ, t) + σₜ·z   (Eq. 8b; η = 1 makes it the paper's step if n = t−1)
    const { x0Hat, xNext: unknown } = ddimStep(denoiser, { xt, t, tNext: n, eta: 1, z });
    // 8: xₙ = m ⊙ xₙ^known + (1−m) ⊙ xₙ^unknown   (Eq. 8c)
    const xNext = tf.add(tf.mul(m, known), tf.mul(tf.sub(1, m), unknown)) as tf.Tensor4D;
    return { x0Hat, xNext };
    // 12: end for
    // 13: end for
  }); // 14: return x₀
}

// ---------------------------------------------------------------------------------------------
// 2. The run: make holes, fill them, draw, measure
// ---------------------------------------------------------------------------------------------

async function main(args: string[]): Promise<number> {
  const { settings, given, help } = parseCommandLine(command, args);
  if (help) {
    console.log(helpText(command));
    return 0;
  }
  const { resume } = settings;
  if (resume === undefined) {
    throw new UserError("a trained model is needed; say where paper2 left one with --resume DIR");
  }
  if (given.image !== undefined && given.images !== undefined) {
    throw new UserError(`--images ${given.images} does not go with --image, which is one image`);
  }
  const recorded = await recordedDataset(resume);
  const backend = await selectBackend(settings.backend, settings);
  try {
    await inpaint({ ...settings, resume }, recorded, backend);
    return 0;
  } finally {
    backend.dispose();
  }
}

async function inpaint(
  settings: Settings & { resume: string },
  recorded: RecordedDataset,
  backend: Backend,
): Promise<void> {
  const { resume, mask, seed, out: folder = resume } = settings;
  const model = await loadModel(resume);
  const { size, inChannels: channels } = model;
  checkSteps(settings, model.schedule.T);
  const missing = await makeMask(parseMask(mask)!, { name: mask, size, seed });
  const { train, originals } = await chooseImages(settings, recorded, model);
  await makeFolder(folder);
  console.error(`${backend.reason}\nwriting to ${folder}`);

  const started = performance.now();
  const holes = { height: size, width: size, channels, missing, originals };
  const fillings = await fill(model, holes, settings);
  const took = inWords((performance.now() - started) / 1000);
  const filled: Fillings = { ...holes, fillings };
  const sheet = await inpaintingSheet({ ...filled, deviation: deviation(fillings) });
  await writeAtomically(`${folder}/paper2_inpainting.png`, sheet);

  const classifier = await digitClassifier(recorded, train, seed);
  const { report, rows } = await inpaintingReport(filled, train, classifier);
  classifier?.dispose();
  const record = { script: command.name, settings, results: report };
  await writeAtomically(`${folder}/inpainting.json`, JSON.stringify(record, null, 2) + "\n");
  await writeAtomically(`${folder}/inpainting.csv`, inpaintingCsv(rows));
  const { images, hidden, pixels } = report;
  const many = images === 1 ? ["1 image", "filled"] : [`${images} images`, "each filled"];
  console.log(
    `${folder}: ${many[0]} with ${hidden} of ${pixels} pixels hidden, ` +
      `${many[1]} ${report.fillings} times in ${took}`,
  );
  for (const line of inpaintingLines(report)) console.log(line);
}

/** The training images, and those to make holes in, [N, H, W, C] in [-1, 1]. */
async function chooseImages(
  { resume, image, images, seed, dataDir, download }: Settings,
  recorded: RecordedDataset,
  { size, inChannels }: ImageModel,
): Promise<{ train: ImageSet; originals: Float32Array }> {
  const { dataset } = recorded;
  if (image === undefined && dataset === "images") {
    throw new UserError(
      `the run in ${resume} has seen all images of its folder; give another one with --image file.png`,
    );
  }
  const source = { dataset, size, dataDir: dataDir ?? recorded.dataDir, download };
  const train = await loadImages({ ...source, split: "train" });
  checkChannels(train, `the data set of ${resume}/run.json, ${dataset},`, inChannels);
  if (image !== undefined) {
    const picture = { ...train, ...await readPngPicture(image, size) } as ImageSet;
    checkChannels(picture, `--image ${image}`, inChannels);
    return { train, originals: batch(picture, [0]) };
  }
  const unseen = await loadImages({ ...source, split: "test" });
  return { train, originals: batch(unseen, varied(unseen, images, seed)) };
}

/** So many of the images at random, each class once before any comes again. */
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
  model: ImageModel,
  { originals, missing, channels }: Omit<Fillings, "fillings">,
  settings: Settings,
): Promise<Float32Array[]> {
  const { size, schedule } = model;
  const { fillings: K, seed } = settings;
  const N = originals.length / (size * size * channels);
  const options = (index: number) => ({ ...settings, seed, name: `fillings ${index}` });

  // image i of all K·N is a filling of image i mod N: asking for more of them changes no earlier one
  function* chain(shape: ImageShape, index: number, first: number): Generator<ChainPoint, void> {
    const x0 = tf.tensor4d(repeated(originals, N, first, shape[0]), shape);
    const m = tf.tensor4d(Float32Array.from(missing, (pixel) => 1 - pixel), [1, size, size, 1]);
    try {
      yield* repaint(model, { x0, m }, options(index));
    } finally {
      tf.dispose([x0, m]);
    }
  }

  const steps = repaintTimes(schedule.T, options(0)).length;
  const all = await drawImages([K * N, size, size, channels], chain, steps, "filling");
  return Array.from(
    { length: K },
    (_, k) => all.subarray(k * originals.length, (k + 1) * originals.length),
  );
}

/** N images over and over again: of that row of images a batch from the `first` on, [B, H, W, C]. */
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
  seed: number,
): Promise<DigitClassifier | undefined> {
  return hasDigits(dataset) ? await trainClassifier(train, { seed, bar: true }) : undefined;
}

/** @throws {UserError} The chain is longer than the model's, or a jump longer than the chain. */
function checkSteps({ sampleSteps: S, jumpLength: j, jumps: r }: Settings, T: number): void {
  if (S > T) {
    throw new UserError(`--sample-steps ${S}: the chain has ${T} steps; allowed are 1 to ${T}`);
  }
  if (r > 1 && j >= S) {
    throw new UserError(
      `--jump-length ${j} with --sample-steps ${S}: a jump must be shorter than the chain; make it ` +
        "shorter, or give --jumps 1 for none",
    );
  }
}

/** @throws {UserError} The images have other channels than the model's. */
function checkChannels({ channels }: ImageSet, name: string, expected: number): void {
  if (channels === expected) return;
  const kind = (channels: number) => channels === 1 ? "grey" : "in colour";
  throw new UserError(
    `${name} is ${kind(channels)} and the model's images are ${
      kind(expected)
    }; they must be the same`,
  );
}

if (import.meta.main) await runMain(main);
