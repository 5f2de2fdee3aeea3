/**
 * Paper 5: Kamb & Ganguli 2025, "An analytic theory of creativity in convolutional diffusion models"
 * (ICML 2025, arXiv 2412.20292), on handwritten digits.
 *
 *     deno task paper5                                   # beside the model of paper 2 that ships
 *     deno task paper5 --resume runs/paper2-quick-0      # beside the network that paper2 trained
 *
 * Why does a network that only ever learned to undo noise on 9,000 digits draw other digits than
 * those? The best answer to its task is known exactly, and it copies: its chains end in training
 * digits. What invents is the fact that a convolution sees only a patch around each pixel (locality)
 * and does the same at each place (equivariance). The best that can be done under these two
 * limitations is known exactly, too. Nothing here is trained: the network is the one that ships.
 *
 * From the same noises it draws with the perfect denoiser, with the local one (LS), with the local one
 * that has also forgotten where its patch was (ELS), and with the network. That takes about a minute of
 * one core, the most of it for ELS. LS foretells the default network's image with a median r² of 0.80,
 * the perfect denoiser with 0.60. Into the run's folder go
 * paper5_invention.png, the rows of all of them with the nearest training digits; paper5_plane.png, the
 * perfect denoiser of ever more points of the spiral; samples.safetensors
 * with `noise`, `perfect`, `ls`, `els`, `network` and `nearest`, [N, H, W, C]; and run.json with r².
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "./common/data/images/image_set.ts";
import { loadImages } from "./common/data/images/load.ts";
import {
  type Examples,
  examplesAt,
  imagesOfPixels,
  indistinguishable,
  noisyPatch,
  patchAround,
  sideBySide,
  type TrainingImages,
  trainingImages,
} from "./common/data/images/patches.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { softmax } from "./common/engine/ops/attention.ts";
import { linear, matMul } from "./common/engine/ops/mat_mul.ts";
import { askForFolder } from "./common/files/writing.ts";
import type { ImageModel } from "./common/network/image_model.ts";
import { permutation } from "./common/random.ts";
import { reportInvention } from "./common/report/invention_report.ts";
import { type PlaneDenoiser, reportPlane } from "./common/report/plane_report.ts";
import {
  type ChainPoint,
  type ChainStart,
  fewerTimesteps,
  type ImageShape,
  reverseProcess,
} from "./common/reverse_process.ts";
import { parseCommandLine } from "./common/run/command_line.ts";
import { filesOfRunFlags, recordedDataset } from "./common/run/dataset.ts";
import { type Command, integer, kebab, type Settings, text } from "./common/run/flags.ts";
import { helpText } from "./common/run/help.ts";
import { runMain } from "./common/run/main.ts";
import { loadModel } from "./common/run/model_settings.ts";
import { SHIPPED_NAME } from "./common/run/model_source.ts";
import { inWords } from "./common/run/progress.ts";
import { commonFlags } from "./common/run/settings.ts";
import { inRunFolder, onBackend } from "./common/run/training_run.ts";
import { cosineSchedule, type Schedule } from "./common/schedule.ts";
import { UserError } from "./common/user_error.ts";
import { ddim } from "./paper_2.ts";

// ---------------------------------------------------------------------------------------------
// 1. The perfect denoiser: the mean of all training images, each weighted by how likely it is
// ---------------------------------------------------------------------------------------------

/** x̂₀(xₜ): the image that a denoiser expects at xₜ, [B, H, W, C], when ᾱₜ of the signal is left. */
export type Expectation = (xt: tf.Tensor4D, alphaBar: number) => tf.Tensor4D;

/** Most weights that are in memory at once: 16 million, 64 MB. */
const MOST_WEIGHTS = 2 ** 24;

/**
 * The mean of what the examples vote for, each weighted with the probability that the noisy piece came
 * from it. That is the best guess in the sense of squared error, and it is attention: the noisy pieces
 * are the queries, the training set has the keys and the values.
 *
 * @param noisy [M, K].
 * @returns [M, V].
 */
function posteriorMean(
  noisy: tf.Tensor2D,
  { pieces, values }: Examples,
  alphaBar: number,
): tf.Tensor2D {
  const [M, K] = noisy.shape;
  const together = Math.max(1, Math.floor(MOST_WEIGHTS / pieces.shape[1]));
  const squares = matMul(tf.ones<tf.Rank.R2>([1, K]), tf.square(pieces)); // ‖x_i‖², [1, N]
  const offset = tf.mul(tf.reshape(squares, [-1]), -Math.sqrt(alphaBar) / 2);
  const parts: tf.Tensor2D[] = [];
  for (let from = 0; from < M; from += together) {
    parts.push(tf.tidy(() => {
      const phi = tf.slice(noisy, [from, 0], [Math.min(together, M - from), K]);
      // −‖φ − √ᾱₜ·x_i‖²/(2(1−ᾱₜ)) = √ᾱₜ/(1−ᾱₜ)·(φ·x_i − √ᾱₜ/2·‖x_i‖²) + what is the same for all i
      const likeness = linear(phi, pieces, offset); // [M, N]
      // W_i(φ) = N(φ; √ᾱₜ·x_i, (1−ᾱₜ)·I) / Σⱼ N(φ; √ᾱₜ·xⱼ, (1−ᾱₜ)·I)
      const weights = softmax(likeness, Math.sqrt(alphaBar) / (1 - alphaBar));
      // x̂₀ = Σ_i W_i(φ)·x_i
      return matMul(weights, values, { transposeB: true });
    }));
  }
  return parts.length === 1 ? parts[0] : tf.concat(parts, 0);
}

/**
 * The ideal score machine (Kamb & Ganguli 2025, section 3): whole images are compared with whole
 * images. Its score (√ᾱₜ·x̂₀ − xₜ)/(1−ᾱₜ) is exactly that of the noisy training set.
 */
export function perfectDenoiser({ shape: [H, W, C], pixels }: TrainingImages): Expectation {
  return (xt, alphaBar) =>
    tf.tidy(() => {
      const pieces = tf.concat(pixels, 0); // [H·W·C, N]
      const noisy = tf.reshape(xt, [-1, H * W * C]) as tf.Tensor2D;
      const x0Hat = posteriorMean(noisy, { pieces, values: pieces }, alphaBar);
      return tf.reshape(x0Hat, xt.shape);
    });
}

// ---------------------------------------------------------------------------------------------
// 2. Locality: every pixel decides by its own patch
// ---------------------------------------------------------------------------------------------

/**
 * The local score machine, LS (Kamb & Ganguli 2025, section 4): the best denoiser among those that see
 * only a patch around each pixel. Pixel by pixel it is the perfect one of the training set's patches at
 * this place; neighbours may take theirs from different images.
 *
 * @param radius r; a patch has 2r+1 pixels a side. From H−1 on it equals {@linkcode perfectDenoiser}.
 */
export function localDenoiser(images: TrainingImages, radius: number): Expectation {
  const [H, W] = images.shape;
  return (xt, alphaBar) =>
    tf.tidy(() => {
      const pixels: tf.Tensor2D[] = [];
      for (let y = 0; y < H; y++) {
        for (let x = 0; x < W; x++) {
          pixels.push(tf.tidy(() => {
            const patch = patchAround(y, x, [H, W], radius);
            const examples = examplesAt(images, patch);
            return posteriorMean(noisyPatch(xt, patch), examples, alphaBar); // [B, C]
          }));
        }
      }
      return imagesOfPixels(pixels, xt.shape);
    });
}

// ---------------------------------------------------------------------------------------------
// 3. Equivariance: a convolution does not know where its patch is
// ---------------------------------------------------------------------------------------------

/**
 * The equivariant local score machine with its borders, ELS (Kamb & Ganguli 2025, section 4): the best
 * denoiser among those that see a patch and have also forgotten where it is. A patch is compared with
 * the patches of all training images at all places, those over the border with those over the same
 * border.
 */
export function equivariantLocalDenoiser(images: TrainingImages, radius: number): Expectation {
  const [H, W] = images.shape;
  return (xt, alphaBar) =>
    tf.tidy(() => {
      const B = xt.shape[0];
      const pixels: tf.Tensor2D[] = new Array(H * W);
      for (const ys of indistinguishable(H, radius)) {
        for (const xs of indistinguishable(W, radius)) {
          const patches = ys.flatMap((y) => xs.map((x) => patchAround(y, x, [H, W], radius)));
          const found = tf.tidy(() => {
            const examples = patches.map((patch) => examplesAt(images, patch));
            const noisy = tf.concat(patches.map((patch) => noisyPatch(xt, patch)), 0);
            const means = posteriorMean(noisy, sideBySide(examples), alphaBar); // [P·B, C]
            return patches.map((_, k) => tf.slice(means, [k * B, 0], [B, -1]));
          });
          patches.forEach(({ y, x }, k) => pixels[y * W + x] = found[k]);
        }
      }
      return imagesOfPixels(pixels, xt.shape);
    });
}

// ---------------------------------------------------------------------------------------------
// 4. How much a pixel sees, and the way from noise to image
// ---------------------------------------------------------------------------------------------

/**
 * The side of the patches while ᾱₜ is below a bound: while there is much noise a network looks at the
 * whole image, in the end at the pixels next to each. Calibrated as in the paper, by which patches come
 * closest to the x̂₀ of the network along its own chains: with LS, 12 noises and the default model of
 * paper 2, on 16×16 digits.
 */
export const PATCHES = [
  { below: 0.28, side: Infinity },
  { below: 0.42, side: 9 },
  { below: 0.82, side: 5 },
  { below: 1, side: 3 },
];

/** The radius of the patches when ᾱₜ of the signal is left. */
export function patchRadius(alphaBar: number): number {
  return (PATCHES.find(({ below }) => alphaBar < below)!.side - 1) / 2;
}

/**
 * A local denoiser whose patches shrink with the noise. While each of them is the whole image, there is
 * no other place to take one from, and both local denoisers are the perfect one.
 *
 * @param local Where patches are smaller.
 */
export function withShrinkingPatches(
  images: TrainingImages,
  local: (radius: number) => Expectation,
): Expectation {
  const [H, W] = images.shape;
  return (xt, alphaBar) => {
    const radius = patchRadius(alphaBar);
    const isWhole = radius >= Math.max(H, W) - 1;
    return (isWhole ? perfectDenoiser(images) : local(radius))(xt, alphaBar);
  };
}

/**
 * The chain of a denoiser that says x̂₀ instead of ε: DDIM with η = 0, which adds no noise but the
 * first, so that the same noise can be followed through different denoisers.
 */
export function flow(
  schedule: Schedule,
  expectation: Expectation,
  { shape, seed, name, sampleSteps: S }: ChainStart & { sampleSteps: number },
): Generator<ChainPoint, void> {
  const xT = gaussianNoise<tf.Rank.R4>({ seed, stream: `xT ${name}` }, shape);
  return reverseProcess(xT, fewerTimesteps(schedule.T, S), (xt, t, n) => {
    const [alphaBar, alphaBarNext] = [schedule.alphaBar(t), schedule.alphaBar(n)];
    const x0Hat = expectation(xt, alphaBar);
    // ε = (xₜ − √ᾱₜ·x̂₀)/√(1−ᾱₜ)
    const eps = tf.div(tf.sub(xt, tf.mul(x0Hat, Math.sqrt(alphaBar))), Math.sqrt(1 - alphaBar));
    // xₙ = √ᾱₙ·x̂₀ + √(1−ᾱₙ)·ε   (Song et al. 2021, Eq. 12)
    const signal = tf.mul(x0Hat, Math.sqrt(alphaBarNext));
    const xNext = tf.add(signal, tf.mul(eps, Math.sqrt(1 - alphaBarNext)));
    return { x0Hat, xNext };
  });
}

// ---------------------------------------------------------------------------------------------
// 5. In the plane: the same with points
// ---------------------------------------------------------------------------------------------

/** Steps of the chains in the plane. */
const PLANE_STEPS = 50;

/** The perfect denoiser of points, [N·2]: a point is an image of one pixel in two colours, x and y. */
export function planeDenoiser(
  schedule: Schedule,
  points: Float32Array,
  { seed }: { seed: number },
): PlaneDenoiser {
  const N = points.length / 2;
  const pixel = tf.tidy(() => tf.transpose(tf.tensor2d(points, [N, 2]))); // [2, N]
  const expectation = perfectDenoiser({ shape: [1, 1, 2, N], pixels: [pixel] });
  const chain = (count: number) =>
    flow(schedule, expectation, {
      ...{ shape: [count, 1, 1, 2], seed, name: "plane", sampleSteps: PLANE_STEPS },
    });
  return { expectation, chain };
}

// ---------------------------------------------------------------------------------------------
// 6. The run: the same noises through all of them
// ---------------------------------------------------------------------------------------------

/** All settings. */
const flags = {
  resume: text({
    help: "the folder of the paper2 run whose network is compared [the model that ships]",
    placeholder: "DIR",
    default: undefined,
  }),
  samples: integer({ help: "noises to follow", default: 32, max: 64 }),
  sampleSteps: integer({ help: "steps of the chains", default: 20, max: 1000 }),
  trainingImages: integer({ help: "training images for the perfect and LS", default: 9000 }),
  elsImages: integer({
    help: "training images for ELS, which compares every patch with every patch of each",
    default: 500,
  }),
  ...filesOfRunFlags,
  seed: commonFlags.seed,
  backend: commonFlags.backend,
  workers: commonFlags.workers,
  out: commonFlags.out,
};
/** A run's settings. */
type InventionSettings = Settings<typeof flags>;

/** The command line. */
export const command: Command<typeof flags> = {
  name: "paper5",
  summary: "Paper 5, Kamb & Ganguli 2025: why a network that learned to undo noise invents.",
  flags,
  presets: {},
};

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  const { settings, help } = parseCommandLine(command, args);
  if (help) {
    console.log(helpText(command));
    return 0;
  }
  const { resume } = settings;
  if (resume !== undefined) await askForModel(resume);
  const recorded = await recordedDataset(resume);
  return await onBackend(settings, async (backend) => {
    const model = await loadModel(resume);
    const { size } = model;
    const dataDir = settings.dataDir ?? recorded.dataDir;
    const images = await loadImages({ ...settings, ...recorded, dataDir, size, split: "train" });
    checkCounts(settings, images);
    const run = { ...settings, resume: undefined, model: resume ?? SHIPPED_NAME, preset: "quick" };
    return await inRunFolder({ command, settings: run, backend }, async (folder) => {
      const started = performance.now();
      const { results, lines } = await reportInvention({
        ...{ folder, images },
        ...chainsOf(images, settings, model),
        length: settings.sampleSteps,
        shape: [settings.samples, size, size, images.channels],
      });
      const plane = await reportPlane({
        ...{ folder, seed: settings.seed },
        denoiserOf: (points) => planeDenoiser(cosineSchedule(1000), points, settings),
      });
      lines.push(...plane.lines);
      folder.addSeconds("all", (performance.now() - started) / 1000);
      await folder.update({ status: "finished", results: { ...results, plane: plane.results } });
      console.log(`${folder.path}, ${inWords(folder.record.seconds.all)}: ${lines.join("\n")}`);
      return 0;
    });
  });
}

/** The chain of each denoiser, from the same noises. */
function chainsOf(images: ImageSet, settings: InventionSettings, model: ImageModel) {
  const { seed, samples, sampleSteps } = settings;
  const { schedule } = model;
  const order = permutation({ seed, stream: "training images" }, images.count);
  const all = trainingImages(images, order.subarray(0, settings.trainingImages));
  const some = trainingImages(images, order.subarray(0, settings.elsImages));
  const { height, width, channels } = images;
  const shape: ImageShape = [samples, height, width, channels];
  const start = { shape, seed, name: "invention", sampleSteps };
  const ls = withShrinkingPatches(all, (radius) => localDenoiser(all, radius));
  const els = withShrinkingPatches(all, (radius) => equivariantLocalDenoiser(some, radius));
  return {
    perfect: () => flow(schedule, perfectDenoiser(all), start),
    ls: () => flow(schedule, ls, start),
    els: () => flow(schedule, els, start),
    network: () => ddim(model, { ...start, eta: 0 }),
  };
}

/** @throws {UserError} More training images are asked for than there are. */
function checkCounts(settings: InventionSettings, { name, count }: ImageSet): void {
  for (const flag of ["trainingImages", "elsImages"] as const) {
    if (settings[flag] <= count) continue;
    throw new UserError(`--${kebab(flag)} ${settings[flag]}: ${name} has 1 to ${count}`);
  }
}

/** @throws {UserError} There is no run in the folder. */
async function askForModel(folder: string): Promise<void> {
  await askForFolder(folder);
  try {
    await Deno.stat(`${folder}/run.json`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(
      `--resume ${folder}: there is no run; train a model with deno task paper2, or leave the flag out ` +
        `for ${SHIPPED_NAME}`,
    );
  }
}

if (import.meta.main) await runMain(main);
