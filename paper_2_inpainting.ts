/**
 * Inpainting: a trained model of paper 2 fills a hole in an image (Lugmayr, Danelljan, Romero, Yu,
 * Timofte & Van Gool 2022, "RePaint: Inpainting using Denoising Diffusion Probabilistic Models").
 *
 *     deno task inpaint                                                   # the right half is hidden
 *     deno task inpaint --mask box:4,4,8,8
 *     deno task inpaint --resume runs/paper2-quick-0 --mask random:0.7 --jumps 1
 *     deno task inpaint --label 7                                         # every hole becomes a seven
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
 * Without --resume the model that ships fills. Into the model's folder (without one: runs/shipped), or the
 * one given with --out, go paper2_inpainting.png and its numbers, inpainting.json and inpainting.csv. Nothing that is there is touched: the files of a second call are
 * paper2_inpainting-2.png, inpainting-2.json and inpainting-2.csv.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { makeMask, MASKS, parseMask } from "./common/data/images/masks.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { qJump, qSample } from "./common/forward_process.ts";
import { guided } from "./common/network/guided.ts";
import type { ImageModel } from "./common/network/image_model.ts";
import type { Hole } from "./common/report/inpainting_run.ts";
import {
  type ChainPoint,
  ddimStep,
  type Denoiser,
  fewerTimesteps,
  reverseProcess,
  withJumps,
} from "./common/reverse_process.ts";
import { labelOf, recordedClasses } from "./common/run/classes.ts";
import { parseCommandLine } from "./common/run/command_line.ts";
import {
  type Command,
  integer,
  number,
  type Settings as SettingsOf,
  text,
} from "./common/run/flags.ts";
import { filesOfRunFlags, recordedDataset } from "./common/run/dataset.ts";
import { helpText } from "./common/run/help.ts";
import { runMain } from "./common/run/main.ts";
import { loadModel } from "./common/run/model_settings.ts";
import { checkSampleSteps } from "./common/run/sampler_flags.ts";
import { commonFlags } from "./common/run/settings.ts";
import { classifierStepsFlag } from "./common/run/training_flags.ts";
import { UserError } from "./common/user_error.ts";

// ---------------------------------------------------------------------------------------------
// 1. RePaint: the known pixels lead the chain
// ---------------------------------------------------------------------------------------------

/** How the chain walks, and with which noise. */
export interface RepaintOptions {
  /** S, steps of the chain; T for all of them. */
  sampleSteps: number;
  /** j, see {@linkcode withJumps}. */
  jumpLength: number;
  /** r, see there. */
  jumps: number;
  /** The run's seed. */
  seed: number;
  /** The noise is a function of the seed and this name. */
  name: string;
}

/** The timesteps that {@linkcode repaint} visits before 0. */
export function repaintTimes(
  T: number,
  options: Pick<RepaintOptions, "sampleSteps" | "jumpLength" | "jumps">,
): number[] {
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
// 2. The run: settings, then make holes, fill them, draw, measure
// ---------------------------------------------------------------------------------------------

/** All settings. */
const flags = {
  resume: text({
    help: "the folder of the paper2 or paper3 run whose model fills [the model that ships]",
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
  label: text({
    help: "the class that the filled images are to be of, for a paper3 run [any]",
    placeholder: "CLASS",
    default: undefined,
  }),
  w: number({ help: "guidance strength towards --label", default: 1, min: 0, max: 100 }),
  classifierSteps: classifierStepsFlag,
  ...filesOfRunFlags,
  seed: commonFlags.seed,
  backend: commonFlags.backend,
  workers: commonFlags.workers,
  out: text({
    help:
      "the folder for the image and its numbers; earlier ones in it stay [that of --resume, or runs/shipped]",
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

async function main(args: string[]): Promise<number> {
  const { settings, given, help } = parseCommandLine(command, args);
  if (help) {
    console.log(helpText(command));
    return 0;
  }
  const { resume, mask, seed } = settings;
  if (given.image !== undefined && given.images !== undefined) {
    throw new UserError(`--images ${given.images} does not go with --image, which is one image`);
  }
  if (given.w !== undefined && given.label === undefined) {
    throw new UserError(`--w ${given.w} goes with --label: it is the strength towards that class`);
  }
  // what writes files and draws figures is for the command alone: a page has this script without it
  const { onBackend } = await import("./common/run/training_run.ts");
  const { inpaint } = await import("./common/report/inpainting_run.ts");
  const label = await askedLabel(settings, resume);
  const shipped = label === undefined ? "paper2" : "paper3"; // one that has learned labels
  const recorded = await recordedDataset(resume, shipped);
  return await onBackend(settings, async (backend) => {
    const model = await loadModel(resume, shipped);
    const { size, schedule: { T } } = model;
    checkSteps(settings, T);
    await inpaint({
      command: command.name,
      ...{ backend, model, recorded, settings },
      missing: await makeMask(parseMask(mask)!, { name: mask, size, seed }),
      chain: (hole, name) =>
        repaint(towards(label, model, settings, hole), hole, { ...settings, name }),
      length: repaintTimes(T, settings).length,
    });
    return 0;
  });
}

/** The label that is asked for, undefined for any. */
async function askedLabel(
  { label }: Settings,
  folder: string | undefined,
): Promise<number | undefined> {
  if (label === undefined) return undefined;
  return labelOf(label, await recordedClasses(folder, `--label ${label}`));
}

/** The model as it fills: led to a class where one is asked for (Ho & Salimans 2022, Eq. 6). */
function towards(
  label: number | undefined,
  model: ImageModel,
  { w }: Settings,
  { x0 }: Hole,
): Denoiser {
  if (label === undefined) return model;
  return guided(model, { labels: new Array(x0.shape[0]).fill(label), w });
}

/** @throws {UserError} The chain is longer than the model's, or a jump longer than the chain. */
function checkSteps({ sampleSteps: S, jumpLength: j, jumps: r }: Settings, T: number): void {
  checkSampleSteps(S, T);
  if (r > 1 && j >= S) {
    throw new UserError(
      `--jump-length ${j} with --sample-steps ${S}: a jump must be shorter than the chain; make it ` +
        "shorter, or give --jumps 1 for none",
    );
  }
}

if (import.meta.main) await runMain(main);
