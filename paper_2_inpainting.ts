/**
 * Inpainting: a trained model of paper 2 fills a hole in an image it has never seen (Lugmayr,
 * Danelljan, Romero, Yu, Timofte & Van Gool 2022, "RePaint: Inpainting using Denoising Diffusion
 * Probabilistic Models").
 *
 * What it teaches: the model was never trained to fill anything. It walks its usual chain from noise
 * to an image; but at every step the known pixels are put in, as noisy as the chain is at that moment,
 * and the hidden ones have to fit to them. The chain also goes back a few steps now and then and down
 * again, so that both parts come to agree. Every noise gives another filling: all of them are possible.
 *
 *     deno task inpaint --resume runs/paper2-quick-0                      half a minute on 2 cores
 *     deno task inpaint --resume runs/paper2-quick-0 --mask box:4,4,8,8
 *     deno task inpaint --resume runs/paper2-quick-0 --mask random:0.7 --jumps 1
 *
 * It ends with how often a classifier takes filling and original for the same digit, and with the
 * squared error in the hole next to that of the mean image. Into the run's folder go
 * paper2_inpainting.png and inpainting.json.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Backend, selectBackend } from "./common/backend.ts";
import {
  type Command,
  helpText,
  integer,
  parseCommandLine,
  runMain,
  type Settings as SettingsOf,
  text,
} from "./common/command_line.ts";
import { batch, type ImageSet } from "./common/data/images/image_set.ts";
import { readPngPicture } from "./common/data/images/png_folder.ts";
import { loadDatasetOf } from "./common/data/images/recorded.ts";
import { trainClassifier } from "./common/digit_classifier.ts";
import { writeAtomically } from "./common/files.ts";
import { qJump, qSample } from "./common/forward_process.ts";
import { type ImageModel, loadModel } from "./common/image_model.ts";
import {
  type Fillings,
  fillingsFigure,
  type HoleErrors,
  holeErrors,
} from "./common/inpainting_report.ts";
import { makeMask, MASKS, parseMask } from "./common/masks.ts";
import { gaussianNoise } from "./common/noise.ts";
import { inWords, Progress } from "./common/progress.ts";
import { permutation } from "./common/random.ts";
import {
  type ChainPoint,
  ddimStep,
  type Denoiser,
  endOfChain,
  fewerTimesteps,
  reverseProcess,
  withJumps,
} from "./common/reverse_process.ts";
import { commonFlags } from "./common/run_settings.ts";
import { UserError } from "./common/user_error.ts";

const { seed, backend, workers } = commonFlags;

/** All settings. */
const flags = {
  resume: text({
    help: "the folder of the paper2 run whose model fills in",
    placeholder: "DIR",
    default: undefined,
  }),
  mask: text({
    help: "what is hidden; in a PNG file, white",
    placeholder: "box:x,y,w,h|left|right|top|bottom|random:FRACTION|FILE.png",
    default: "right",
    allowed: MASKS,
    accepts: (mask) => parseMask(mask) !== undefined,
  }),
  image: text({
    help: "fill this PNG file in place of unseen images of the run's data set",
    placeholder: "FILE.png",
    default: undefined,
  }),
  images: integer({ help: "how many unseen images to fill", default: 8, max: 64 }),
  fillings: integer({ help: "how often each is filled", default: 6, max: 16 }),
  sampleSteps: integer({ help: "steps of the chain, without the jumps", default: 50 }),
  jumpLength: integer({ help: "steps that a jump goes back (j in the paper)", default: 5 }),
  jumps: integer({
    help: "how often each stretch is walked (r in the paper); 1 never goes back",
    default: 5,
    max: 100,
  }),
  seed,
  backend,
  workers,
};
type Settings = SettingsOf<typeof flags>;

const command: Command<typeof flags> = {
  name: "inpaint",
  summary: "Fills holes in images with a model that paper2 has trained (Lugmayr et al. 2022).",
  flags,
  presets: {},
};

// ---------------------------------------------------------------------------------------------
// 1. RePaint: the reverse chain, with the known pixels put in at every step
// ---------------------------------------------------------------------------------------------

/** What {@linkcode repaint} fills and how. */
export interface RepaintOptions {
  /** x₀, the images; what the mask hides is not looked at. [B, H, W, C] in [-1, 1]. */
  x0: tf.Tensor4D;
  /** m: 1 where a pixel is known, 0 where it is hidden. [1, H, W, 1]. */
  known: tf.Tensor4D;
  sampleSteps: number;
  jumpLength: number;
  jumps: number;
  seed: number;
}

/**
 * Algorithm 1 of Lugmayr et al. 2022 on a chain of fewer steps (DDIM with η = 1, which on all T steps
 * is the DDPM of the paper).
 *
 * @returns Yields the chain; known pixels of its end are those of x₀, bit for bit.
 */
export function repaint(
  denoiser: Denoiser,
  { x0, known, sampleSteps, jumpLength, jumps, seed }: RepaintOptions,
): Generator<ChainPoint, void> {
  const { schedule } = denoiser;
  // for t = T, …, 1 do, for u = 1, …, U do
  const times = withJumps(fewerTimesteps(schedule.T, sampleSteps), { jumpLength, jumps });
  const xT = gaussianNoise<tf.Rank.R4>({ seed, stream: "inpaint xT" }, x0.shape);
  return reverseProcess(xT, times, (xt, t, tNext, i) => {
    const noise = (name: string) =>
      gaussianNoise<tf.Rank.R4>({ seed, stream: `inpaint ${name}`, step: i }, x0.shape);
    // xₜ ~ N(√(1−β)·x_{t−1}, β·I): back towards the noise, j steps at once
    if (tNext > t) return { xNext: qJump(schedule, { xt, t, tNext, eps: noise("back") }) };
    // x_{t−1}^known ~ N(√ᾱ_{t−1}·x₀, (1−ᾱ_{t−1})·I)   (Eq. 8a)
    const xKnown = qSample(schedule, x0, tNext, noise("known"));
    // x_{t−1}^unknown ~ N(μ_θ(xₜ, t), Σ_θ(xₜ, t))   (Eq. 8b)
    const { x0Hat, xNext: xUnknown } = ddimStep(denoiser, { xt, t, tNext, eta: 1, z: noise("z") });
    // x_{t−1} = m ⊙ x_{t−1}^known + (1 − m) ⊙ x_{t−1}^unknown   (Eq. 8c)
    const xNext = tf.add(tf.mul(known, xKnown), tf.mul(tf.sub(1, known), xUnknown)) as tf.Tensor4D;
    return { x0Hat, xNext };
  });
}

// ---------------------------------------------------------------------------------------------
// 2. The run: choose images, hide a part, fill it several times, draw, measure
// ---------------------------------------------------------------------------------------------

async function main(args: string[]): Promise<number> {
  const { settings, help } = parseCommandLine(command, args);
  if (help) {
    console.log(helpText(command));
    return 0;
  }
  const folder = settings.resume;
  if (folder === undefined) {
    throw new UserError("which model? say where paper2 left it with --resume DIR");
  }
  const backend = await selectBackend(settings.backend, settings);
  try {
    await inpaint(folder, settings, backend);
    return 0;
  } finally {
    backend.dispose();
  }
}

async function inpaint(folder: string, settings: Settings, backend: Backend): Promise<void> {
  const model = await loadModel(folder);
  checkChain(settings, model);
  const { size, inChannels } = model;
  const { mask: name, seed } = settings;
  const hidden = await makeMask(parseMask(name)!, { name, size, seed });
  const training = await loadDatasetOf(folder, { size, split: "train" });
  const originals = await chooseImages(folder, settings, model);
  console.error(`${backend.reason}\nwriting to ${folder}`);
  const started = performance.now();
  const filled = await fillAll(model, originals, hidden, settings);
  const seconds = (performance.now() - started) / 1000;
  const fillings = { height: size, width: size, channels: inChannels, hidden, originals, filled };
  await writeAtomically(`${folder}/paper2_inpainting.png`, await fillingsFigure(fillings));
  const errors = training.channels === inChannels ? holeErrors(fillings, training) : undefined;
  const agreement = training.labels ? await sameDigits(fillings, training, settings) : undefined;
  const { resume: _, ...used } = settings;
  const record = { settings: used, results: { agreement, ...errors }, seconds };
  await writeAtomically(`${folder}/inpainting.json`, JSON.stringify(record, null, 2) + "\n");
  console.log(
    `${folder}: ${originals.length / (size * size * inChannels)} images filled ` +
      `${settings.fillings} times each in ${inWords(seconds)}`,
  );
  for (const line of reportLines(agreement, errors)) console.log(line);
}

/** [N, H, W, C] in [-1, 1]: the file that was asked for, or images that the model has not seen. */
async function chooseImages(
  folder: string,
  { image, images: count, seed }: Settings,
  { size, inChannels }: ImageModel,
): Promise<Float32Array> {
  const set = image === undefined
    ? await loadDatasetOf(folder, { size, split: "test" })
    : { name: image, flips: false, ...await readPngPicture(image, size) } as ImageSet;
  if (set.channels !== inChannels) {
    const inWords = (channels: number) => channels === 1 ? "grey" : "in colour";
    throw new UserError(
      `${set.name} is ${inWords(set.channels)}; the model's images are ${inWords(inChannels)}`,
    );
  }
  return batch(
    set,
    permutation({ seed, stream: "inpainted images" }, set.count).subarray(0, count),
  );
}

/** Fills all images, all of them at once, so many times. */
async function fillAll(
  model: ImageModel,
  originals: Float32Array,
  hidden: Uint8Array,
  settings: Settings,
): Promise<Float32Array[]> {
  const { size, inChannels } = model;
  const x0 = tf.tensor4d(originals, [
    originals.length / (size * size * inChannels),
    size,
    size,
    inChannels,
  ]);
  const known = tf.tensor4d(Float32Array.from(hidden, (pixel) => 1 - pixel), [
    1,
    size,
    size,
    1,
  ]);
  const filled: Float32Array[] = [];
  const progress = new Progress({ label: "filling", total: settings.fillings });
  for (let k = 0; k < settings.fillings; k++) {
    // each filling draws its own noises: the seeds of one run are numbers apart from each other
    const seed = settings.seed * 1_000_003 + k;
    const end = await endOfChain(
      repaint(model, { ...settings, x0, known, seed }),
      async ({ xt }) => {
        await xt.data();
      },
    );
    filled.push(await end.data<"float32">());
    end.dispose();
    progress.update(k + 1);
  }
  progress.finish();
  tf.dispose([x0, known]);
  return filled;
}

/** The share of the fillings that a classifier takes for the same digit as the original. */
async function sameDigits(
  { originals, filled }: Fillings,
  training: ImageSet,
  { seed }: Settings,
): Promise<number> {
  let progress: Progress | undefined;
  const classifier = await trainClassifier(training, {
    seed,
    onStep: (done, total) => {
      progress ??= new Progress({ label: "classifier", total });
      progress.update(done);
    },
  });
  progress?.finish();
  const { label: before } = await classifier.classify(originals);
  let same = 0;
  for (const images of filled) {
    const { label } = await classifier.classify(images);
    same += label.filter((digit, n) => digit === before[n]).length;
  }
  classifier.dispose();
  return same / (before.length * filled.length);
}

function reportLines(agreement: number | undefined, errors: HoleErrors | undefined): string[] {
  const lines: string[] = [];
  if (agreement !== undefined) {
    lines.push(
      `taken for the same digit as the original: ${(100 * agreement).toFixed(1)} % of the fillings`,
    );
  }
  if (errors) {
    lines.push(
      `mean squared error in the hole: ${errors.filling.toFixed(3)} (mean of an image's fillings ` +
        `${errors.meanFilling.toFixed(3)}, the training set's mean image ${
          errors.meanImage.toFixed(3)
        })`,
    );
  }
  return lines;
}

/** @throws {UserError} The chain is longer than the model's, or a jump longer than the chain. */
function checkChain({ sampleSteps, jumpLength }: Settings, { schedule: { T } }: ImageModel): void {
  if (sampleSteps > T) {
    throw new UserError(
      `--sample-steps ${sampleSteps}: the model's chain has ${T} steps; allowed are 1 to ${T}`,
    );
  }
  if (jumpLength > sampleSteps) {
    throw new UserError(
      `--jump-length ${jumpLength}: the chain has ${sampleSteps} steps (--sample-steps); allowed ` +
        `are 1 to ${sampleSteps}`,
    );
  }
}

if (import.meta.main) await runMain(main);
