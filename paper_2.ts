/**
 * Paper 2: Ho, Jain & Abbeel 2020, "Denoising Diffusion Probabilistic Models", on handwritten digits.
 *
 *     deno task paper2                        # quick: 16x16 digits, 7 to 8 minutes on 2 cores
 *     deno task paper2 --preset standard      # 32x32 digits, for a GPU
 *     deno task paper2 --sample-only --sampler ddpm               # with the model that ships
 *     deno task paper2 --sample-only --resume runs/paper2-quick-0 # with that of a run
 *     deno task paper2 --likelihood                               # bits per dimension
 *
 * A network learns to see the noise in an image (Algorithm 1). Then pure noise is taken for a very
 * noisy digit, and what the network sees in it is removed a little at a time, until a digit is left
 * (Algorithm 2). Every 40 s a sheet shows what the same 36 noises have become by then.
 *
 * On 2 cores without a GPU the default takes 7 to 8 minutes. At its end a classifier takes
 * more than 8 of 10 samples for a digit with confidence 0.9 or more.
 *
 * Into the run's folder go paper2_samples.png, paper2_chain.png, paper2_loss.png, nearest.png (samples
 * beside the training images nearest to them), the numbers behind them (samples.safetensors,
 * figures.safetensors, loss.csv), the sheets sheet-<step>.png, model.safetensors (the averaged weights,
 * to sample from), run.json, and report.html, a page to move through the chains with.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { batch, type ImageSet } from "./common/data/images/image_set.ts";
import { hasDigits, loadImages } from "./common/data/images/load.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { qSample } from "./common/forward_process.ts";
import { Adam, valueAndGradients } from "./common/network/adam.ts";
import { createModel, type ImageModel } from "./common/network/image_model.ts";
import { learningRateAt, type RateSettings } from "./common/network/learning_rate.ts";
import { integers } from "./common/random.ts";
import {
  type ChainPoint,
  type ChainStart,
  type Denoiser,
  everyTimestep,
  fewerTimesteps,
  heldInRange,
  reverseProcess,
} from "./common/reverse_process.ts";
import { datasetFlags } from "./common/run/dataset.ts";
import { type AfterTraining, drawingSteps } from "./common/run/duration.ts";
import {
  choice,
  type Command,
  integer,
  number,
  onOff,
  type Settings,
  text,
} from "./common/run/flags.ts";
import { runMain } from "./common/run/main.ts";
import { imageMemory, modelFlags, modelOptions } from "./common/run/model_settings.ts";
import {
  chainLength,
  checkSampler,
  samplerFlags,
  type SamplerSettings,
} from "./common/run/sampler_flags.ts";
import { commonFlags, readSettings } from "./common/run/settings.ts";
import type { TrainingStep } from "./common/run/training.ts";
import { classifierStepsFlag, decayFlag, minutesFlag } from "./common/run/training_flags.ts";
import type { Schedule } from "./common/schedule.ts";

// ---------------------------------------------------------------------------------------------
// 1. Training: learn to see the noise
// ---------------------------------------------------------------------------------------------

/** What Algorithm 1 works with. */
export interface Training {
  /** ε_θ and its schedule. */
  model: ImageModel;
  /** The optimizer of ε_θ. */
  adam: Adam;
  /** q(x₀), as a finite set. */
  images: ImageSet;
  /** The flags that training needs. */
  settings: RateSettings & { batch: number; snrGamma: number; seed: number };
}

/**
 * Algorithm 1, Training (Ho et al. 2020), from the step after the optimizer's last one.
 *
 * @returns Yields each step with its loss, which the caller disposes of.
 */
export function* algorithm1(
  { model: { network, schedule }, adam, images, settings }: Training,
): Generator<TrainingStep> {
  const { steps, batch: B, snrGamma, seed } = settings;
  // 1: repeat
  for (let step = adam.steps + 1; step <= steps; step++) {
    const loss = tf.tidy(() => {
      // 2: x₀ ~ q(x₀)
      const { x0 } = drawX0(images, B, { seed, step }); // [B, H, W, C]
      // 3: t ~ Uniform({1, …, T})
      const t = integers({ seed, stream: "t", step }, B, 1, schedule.T + 1); // [B]
      // 4: ε ~ N(0, I)
      const eps = gaussianNoise<tf.Rank.R4>({ seed, stream: "eps", step }, x0.shape);
      // 5: take gradient descent step on ∇_θ ‖ε − ε_θ(√ᾱₜ·x₀ + √(1−ᾱₜ)·ε, t)‖²
      const { value, gradients } = valueAndGradients(network.parameters, () => {
        const xt = qSample(schedule, x0, t, eps); // √ᾱₜ·x₀ + √(1−ᾱₜ)·ε   (Eq. 4)
        const epsTheta = network.forward(xt, tf.tensor1d(t, "float32"), { training: true, step });
        const error = tf.mean(tf.square(tf.sub(eps, epsTheta)), [1, 2, 3]); // of each image, [B]
        return tf.mean(tf.mul(lossWeights(schedule, t, snrGamma), error)); // L_simple: λₜ = 1   (Eq. 14)
      });
      adam.step(gradients, learningRateAt(step, settings));
      return value;
    });
    yield { step, loss };
  } // 6: until converged
}

/**
 * λₜ, how much each image's error counts, [B]. With γ = 0 it is 1, as in the paper: every t counts the
 * same. With another γ small t count less: there is hardly any noise, and the digit is decided already.
 * λₜ = min(SNRₜ, γ)/SNRₜ, with SNRₜ = ᾱₜ/(1−ᾱₜ)   (min-SNR-γ: Hang et al. 2023, section 3.4)
 */
export function lossWeights(schedule: Schedule, t: Int32Array, gamma: number): tf.Tensor1D {
  const snr = (t: number) => schedule.alphaBar(t) / (1 - schedule.alphaBar(t));
  return tf.tensor1d(Array.from(t, (t) => gamma === 0 ? 1 : Math.min(snr(t), gamma) / snr(t)));
}

/**
 * B random images of the set, some flipped left to right where that is natural.
 *
 * @returns x₀, [B, H, W, C] in [-1, 1], and which images of the set they are.
 */
export function drawX0(
  images: ImageSet,
  B: number,
  at: { seed: number; step: number },
): { x0: tf.Tensor4D; indices: Int32Array } {
  const { height, width, channels } = images;
  const indices = integers({ ...at, stream: "batch" }, B, 0, images.count);
  const flips = images.flips ? integers({ ...at, stream: "flip" }, B, 0, 2) : undefined;
  const x0 = tf.tensor4d(batch(images, indices, flips), [B, height, width, channels]);
  return { x0, indices };
}

// ---------------------------------------------------------------------------------------------
// 2. Sampling: remove it step by step
// ---------------------------------------------------------------------------------------------

/** Algorithm 2, Sampling (Ho et al. 2020): the chain x_T, …, x₀. */
export function algorithm2(
  { network, schedule }: Denoiser,
  { shape, seed, name }: ChainStart,
): Generator<ChainPoint, void> {
  // 1: x_T ~ N(0, I)
  const xT = gaussianNoise<tf.Rank.R4>({ seed, stream: `xT ${name}` }, shape);
  // 2: for t = T, …, 1 do
  return reverseProcess(xT, everyTimestep(schedule.T), (xt, t) => {
    // 3: z ~ N(0, I) if t > 1, else z = 0
    const z = t > 1
      ? gaussianNoise<tf.Rank.R4>({ seed, stream: `z ${name}`, step: t }, shape)
      : tf.zeros<tf.Rank.R4>(shape);
    // 4: x_{t−1} = 1/√αₜ·(xₜ − (1−αₜ)/√(1−ᾱₜ)·ε_θ(xₜ, t)) + σₜ·z, by way of the image x̂₀ that ε_θ
    //    implies, so that x̂₀ can be held within [-1, 1]; without that the two are equal
    const epsTheta = network.forward(xt, tf.fill([shape[0]], t));
    // x̂₀ = (xₜ − √(1−ᾱₜ)·ε_θ(xₜ, t))/√ᾱₜ   (Eq. 15)
    const alphaBar = schedule.alphaBar(t);
    const noise = tf.mul(epsTheta, Math.sqrt(1 - alphaBar));
    const x0Hat = heldInRange(tf.div(tf.sub(xt, noise), Math.sqrt(alphaBar)));
    // μ̃ₜ(xₜ, x̂₀) = √ᾱ_{t−1}·βₜ/(1−ᾱₜ)·x̂₀ + √αₜ·(1−ᾱ_{t−1})/(1−ᾱₜ)·xₜ,  σₜ² = β̃ₜ   (Eq. 7)
    const { coefX0, coefXt, std } = schedule.posterior(t);
    const mean = tf.add(tf.mul(x0Hat, coefX0), tf.mul(xt, coefXt));
    // x_{t−1} = μ̃ₜ + σₜ·z
    const xNext = tf.add(mean, tf.mul(z, std));
    return { x0Hat, xNext };
    // 5: end for
  }); // 6: return x₀
}

// ---------------------------------------------------------------------------------------------
// 3. Sampling in fewer steps
// ---------------------------------------------------------------------------------------------

/**
 * DDIM (Song, Meng & Ermon 2021, Eq. 12): the same network, but only S of the T timesteps, and with
 * η = 0 no noise but the first. From t it goes to n, the next of the S timesteps.
 */
export function ddim(
  { network, schedule }: Denoiser,
  { shape, seed, name, sampleSteps: S, eta }: ChainStart & { sampleSteps: number; eta: number },
): Generator<ChainPoint, void> {
  const xT = gaussianNoise<tf.Rank.R4>({ seed, stream: `xT ${name}` }, shape);
  return reverseProcess(xT, fewerTimesteps(schedule.T, S), (xt, t, n) => {
    const [alphaBar, alphaBarNext] = [schedule.alphaBar(t), schedule.alphaBar(n)];
    const epsTheta = network.forward(xt, tf.fill([shape[0]], t));
    // "predicted x₀": x̂₀ = (xₜ − √(1−ᾱₜ)·ε_θ(xₜ, t))/√ᾱₜ, held within [-1, 1]
    const noise = tf.mul(epsTheta, Math.sqrt(1 - alphaBar));
    const x0Hat = heldInRange(tf.div(tf.sub(xt, noise), Math.sqrt(alphaBar)));
    // σₜ = η·√((1−ᾱₙ)/(1−ᾱₜ))·√(1 − ᾱₜ/ᾱₙ)   (Eq. 16)
    const sigma = eta *
      Math.sqrt((1 - alphaBarNext) / (1 - alphaBar) * (1 - alphaBar / alphaBarNext));
    // "direction pointing to xₜ": √(1−ᾱₙ−σₜ²)·ε, with the ε between x̂₀ and xₜ: ε_θ where nothing was clipped
    const eps = tf.div(tf.sub(xt, tf.mul(x0Hat, Math.sqrt(alphaBar))), Math.sqrt(1 - alphaBar));
    const towardsXt = tf.mul(eps, Math.sqrt(Math.max(0, 1 - alphaBarNext - sigma ** 2)));
    // xₙ = √ᾱₙ·x̂₀ + √(1−ᾱₙ−σₜ²)·ε + σₜ·z   (Eq. 12)
    const mean = tf.add(tf.mul(x0Hat, Math.sqrt(alphaBarNext)), towardsXt);
    if (sigma === 0) return { x0Hat, xNext: mean };
    const z = gaussianNoise<tf.Rank.R4>({ seed, stream: `z ${name}`, step: t }, shape);
    const xNext = tf.add(mean, tf.mul(z, sigma));
    return { x0Hat, xNext };
  });
}

/** The chain that the settings ask for. */
export function chainOf(
  model: Denoiser,
  { sampler, sampleSteps, eta }: SamplerSettings,
  start: ChainStart,
): Generator<ChainPoint, void> {
  return sampler === "ddpm"
    ? algorithm2(model, start)
    : ddim(model, { ...start, sampleSteps, eta });
}

// ---------------------------------------------------------------------------------------------
// 4. The run: settings, then train, sample, draw, measure
// ---------------------------------------------------------------------------------------------

/** All settings; the defaults are those of the preset `quick`. */
const flags = {
  preset: choice({
    help: "a set of settings; standard is for a GPU",
    of: ["quick", "standard", "paper"],
    default: "quick",
  }),
  ...commonFlags,
  ...datasetFlags,
  ...modelFlags,
  steps: integer({ help: "steps of training", default: 4400 }),
  minutes: minutesFlag,
  batch: integer({ help: "images a step", default: 32, max: 4096 }),
  learningRate: number({ help: "Adam's step size", default: 2e-3, above: 0, max: 1 }),
  warmUp: integer({ help: "steps in which the learning rate grows to its value", default: 200 }),
  decay: decayFlag,
  snrGamma: number({
    help: "weigh an image's loss by min(SNR, γ)/SNR at its t; 0: all alike, as in the paper",
    default: 0,
    min: 0,
    max: 1e6,
  }),
  emaDecay: number({ help: "decay of the averaged weights", default: 0.998, min: 0, max: 1 }),
  ...samplerFlags,
  samples: integer({ help: "images to draw at the end", default: 512, max: 100_000 }),
  classifierSteps: classifierStepsFlag,
  sampleOnly: onOff({
    help: "draw images with the model of --resume, into --out [<run>-samples beside the run]",
  }),
  compareSamplers: onOff({
    help: "send the same noises through several samplers, into --out [<run>-samplers]",
  }),
  likelihood: onOff({
    help:
      "bits per dimension of unseen images, into --out [<run>-likelihood]; --samples are for each t [32]",
  }),
  exportData: text({
    help: "only write the images that the run learns from, for pytorch/train.py",
    placeholder: "FILE.safetensors",
    default: undefined,
  }),
};
/** A run's settings. */
export type PaperSettings = Settings<typeof flags>;

/** The command line. */
export const command: Command<typeof flags> = {
  name: "paper2",
  summary: "Paper 2, Ho et al. 2020: learns to draw images by removing noise step by step.",
  flags,
  presets: {
    /** 16x16 digits and a small UNet, for two cores. */
    quick: {},
    /** For a GPU: full size, and as many channels as make the strokes smooth. */
    standard: {
      ...{ size: 32, channels: 64, channelMults: "1,2,2,2", groups: 32, dropout: 0.1 },
      ...{ steps: 20_000, batch: 64 },
      ...{ learningRate: 2e-4, warmUp: 1000, emaDecay: 0.999 },
    },
    /** Ho et al. 2020, appendix B. */
    paper: {
      ...{ size: 32, channels: 128, channelMults: "1,2,2,2", groups: 32, dropout: 0.1 },
      ...{ schedule: "linear", steps: 800_000, batch: 128, sampler: "ddpm" },
      ...{ learningRate: 2e-4, warmUp: 5000, decay: "none", emaDecay: 0.9999 },
    },
  },
  mayChangeOnResume: [
    ...["sampler", "sampleSteps", "eta", "samples", "sampleOnly", "compareSamplers", "likelihood"],
    ...["classifierSteps", "dataDir", "download", "exportData"],
  ],
  drawsWithModel: ["sampleOnly", "compareSamplers", "likelihood"],
};

/** Largest norm of the gradient; longer ones are shortened to it (Ho et al. 2020, appendix B). */
export const CLIP_NORM = 1;

/** Seconds from one sheet of samples to the next, while the network trains. */
export const SHEET_EVERY = 40;

/** What a training starts from: the images, an untrained model and its optimizer. */
export async function startTraining(
  settings: PaperSettings,
): Promise<Training & { settings: PaperSettings; unseen?: ImageSet }> {
  const images = await loadImages({ ...settings, split: "train" });
  const unseen = hasDigits(settings.dataset)
    ? await loadImages({ ...settings, split: "test" })
    : undefined; // what the samples are measured with
  const model = createModel(modelOptions(settings, images.channels));
  const { emaDecay } = settings;
  const adam = new Adam(model.network.parameters, { clipNorm: CLIP_NORM, emaDecay });
  return { model, adam, images, unseen, settings };
}

/** What a run does after its training: the samples, and figures and a classifier for half a minute. */
export function afterTraining(settings: PaperSettings): AfterTraining {
  const { samples, batch, timesteps } = settings;
  const steps = drawingSteps(samples, chainLength(settings, timesteps), batch);
  return { steps, seconds: 30 };
}

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  const read = await readSettings(command, args);
  if (!read) return 0;
  const { settings, given } = read;
  checkSampler(settings, given, settings.timesteps);
  modelOptions(settings, 1); // what does not go together is said before anything is started
  if (settings.exportData !== undefined) {
    const { exportImages } = await import("./common/report/data_export.ts");
    const images = await loadImages({ ...settings, split: "train" });
    await exportImages(images, settings.exportData);
    return 0;
  }
  if (settings.sampleOnly || settings.compareSamplers || settings.likelihood) {
    const { drawWithModel } = await import("./common/report/draw_with_model.ts");
    return await drawWithModel({ command, settings, given, chainOf });
  }
  // what writes files and draws figures is for the command alone: a page has this script without it
  const { trainAndReport } = await import("./common/run/training_run.ts");
  const { reportImages, writeSheet } = await import("./common/report/image_report.ts");
  const { writeReportPage } = await import("./common/page/page.ts");
  return await trainAndReport({
    command,
    memory: imageMemory,
    start: startTraining,
    data: ({ images }) => images.sha256,
    network: ({ model }) => model.network,
    averaged: true,
    train: algorithm1,
    bar: { unit: "images", unitsPerStep: settings.batch },
    after: afterTraining,
    meanwhile: { everySeconds: SHEET_EVERY, run: (run, step) => writeSheet(run, step, chainOf) },
    report: (run, losses) => reportImages({ ...run, losses, chainOf }),
    writePage: writeReportPage,
  }, settings);
}

if (import.meta.main) await runMain(main);
