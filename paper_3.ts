/**
 * Paper 3: Ho & Salimans 2022, "Classifier-Free Diffusion Guidance" (arXiv 2207.12598), on handwritten
 * digits: draw me a seven.
 *
 *     deno task paper3
 *     deno task paper3 --draw 2026                                 with the model that ships, 2 s on 2 cores
 *     deno task paper3 --label 7 --w 4                             8 s
 *     deno task paper3 --resume runs/paper3-quick-0 --draw 2026    with that of a run
 *
 * The network of paper 2 is told which digit it looks at; now and then it is not told (Algorithm 1). So it
 * knows two things: how a noisy seven differs from a clean one, and how any noisy digit does. What the
 * first has and the second has not is what makes a seven a seven, and it can be given more weight than it
 * has by nature: w is how much more (Algorithm 2). Every text-to-image program draws like that.
 *
 * The settings are those of paper 2, with the same defaults, and three more.
 *
 * Into the run's folder go paper3_samples.png, a row for each class; paper3_guidance.png, the same noises
 * with w = 0, 0.5, 1, 2, 4, 8; paper3_tradeoff.png, what that trades for what; paper3_chain.png and
 * paper3_loss.png; nearest.png, samples beside the training images nearest to them; the numbers behind
 * them (samples.safetensors with `samples` [N, H, W, C] and `labels` [N], figures.safetensors, loss.csv);
 * the sheets sheet-<step>.png; model.safetensors, run.json, and report.html, a page with sliders for the
 * label and w.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "./common/data/images/image_set.ts";
import { hasDigits, loadImages } from "./common/data/images/load.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { qSample } from "./common/forward_process.ts";
import { Adam, valueAndGradients } from "./common/network/adam.ts";
import { type Guidance, guided } from "./common/network/guided.ts";
import { createModel, type ImageModel } from "./common/network/image_model.ts";
import { learningRateAt, type RateSettings } from "./common/network/learning_rate.ts";
import { integers, uniform } from "./common/random.ts";
import {
  type ChainPoint,
  type ChainStart,
  everyTimestep,
  heldInRange,
  reverseProcess,
} from "./common/reverse_process.ts";
import { type AfterTraining, drawingSteps } from "./common/run/duration.ts";
import { type Command, integer, number, onOff, type Settings, text } from "./common/run/flags.ts";
import { runMain } from "./common/run/main.ts";
import { imageMemory, modelOptions } from "./common/run/model_settings.ts";
import { chainLength, checkSampler, type SamplerSettings } from "./common/run/sampler_flags.ts";
import { readSettings } from "./common/run/settings.ts";
import type { TrainingStep } from "./common/run/training.ts";
import { CLIP_NORM, command as paper2, ddim, drawX0, lossWeights, SHEET_EVERY } from "./paper_2.ts";

// ---------------------------------------------------------------------------------------------
// 1. Training: learn to see the noise with and without knowing the label
// ---------------------------------------------------------------------------------------------

/** What Algorithm 1 works with. */
export interface Training {
  /** ε_θ and its schedule. */
  model: ImageModel;
  /** The optimizer of ε_θ. */
  adam: Adam;
  /** p(x, c), as a finite set: images with labels. */
  images: ImageSet;
  /** The flags that training needs. */
  settings: RateSettings & { batch: number; pUncond: number; snrGamma: number; seed: number };
}

/**
 * Algorithm 1, Joint training a diffusion model with classifier-free guidance (Ho & Salimans 2022), from
 * the step after the optimizer's last one. In place of their log SNR λ it draws the timestep t of paper 2,
 * whose log SNR is log(ᾱₜ/(1−ᾱₜ)).
 *
 * @returns Yields each step with its loss, which the caller disposes of.
 */
export function* algorithm1(
  { model: { network, schedule }, adam, images, settings }: Training,
): Generator<TrainingStep> {
  const { steps, batch: B, pUncond, snrGamma, seed } = settings;
  // 1: repeat
  for (let step = adam.steps + 1; step <= steps; step++) {
    const loss = tf.tidy(() => {
      // 2: (x, c) ~ p(x, c)
      const { x0: x, indices } = drawX0(images, B, { seed, step }); // [B, H, W, C]
      const c = Array.from(indices, (i) => images.labels![i]); // [B]
      // 3: c ← ∅ with probability p_uncond
      const u = uniform({ seed, stream: "uncond", step }, B);
      const cOrNone = c.map((label, i) => u[i] < pUncond ? network.classes : label); // [B]
      // 4: λ ~ p(λ), here by its t ~ Uniform({1, …, T})
      const t = integers({ seed, stream: "t", step }, B, 1, schedule.T + 1); // [B]
      // 5: ε ~ N(0, I)
      const eps = gaussianNoise<tf.Rank.R4>({ seed, stream: "eps", step }, x.shape);
      // 6: z_λ = α_λ·x + σ_λ·ε, that is xₜ = √ᾱₜ·x + √(1−ᾱₜ)·ε
      const xt = qSample(schedule, x, t, eps);
      // 7: take gradient step on ∇_θ ‖ε_θ(z_λ, c) − ε‖²
      const { value, gradients } = valueAndGradients(network.parameters, () => {
        const how = { labels: cOrNone, training: true, step };
        const epsTheta = network.forward(xt, tf.tensor1d(t, "float32"), how);
        const error = tf.mean(tf.square(tf.sub(epsTheta, eps)), [1, 2, 3]); // of each image, [B]
        return tf.mean(tf.mul(lossWeights(schedule, t, snrGamma), error)); // in print λₜ = 1: γ = 0
      });
      adam.step(gradients, learningRateAt(step, settings));
      return value;
    });
    yield { step, loss };
  } // 8: until converged
}

// ---------------------------------------------------------------------------------------------
// 2. Sampling: what the label changes, a little more of it
// ---------------------------------------------------------------------------------------------

/**
 * Algorithm 2, Conditional sampling with classifier-free guidance (Ho & Salimans 2022): the chain
 * x_T, …, x₀.
 *
 * Why it leads to the label: −ε_θ(xₜ)/√(1−ᾱₜ) is about ∇ log p(xₜ), the direction in which images become
 * more probable, and the same with c. By Bayes' rule p(c | xₜ) ∝ p(xₜ | c)/p(xₜ), so
 * ∇ log p(c | xₜ) = −(ε_θ(xₜ, c) − ε_θ(xₜ))/√(1−ᾱₜ): the network has a classifier within it that nobody
 * trained (section 3.2). ε̃ goes w times along its gradient, and samples from about p(xₜ | c)·p(c | xₜ)^w.
 *
 * @param guidance.labels c of each image.
 * @param guidance.w The guidance strength; 0 samples from p(x | c).
 */
export function algorithm2(
  { network, schedule }: ImageModel,
  { labels: c, w }: Guidance,
  { shape, seed, name }: ChainStart,
): Generator<ChainPoint, void> {
  const [B] = shape;
  const none = new Array(B).fill(network.classes);
  // 1: z₁ ~ N(0, I), here x_T
  const xT = gaussianNoise<tf.Rank.R4>({ seed, stream: `xT ${name}` }, shape);
  // 2: for t = 1, …, T do; their t rises towards the image, ours falls
  return reverseProcess(xT, everyTimestep(schedule.T), (xt, t) => {
    // ε_θ(xₜ, c) and ε_θ(xₜ), asked for at once in a batch of twice the size
    const both = network.forward(tf.concat([xt, xt]), tf.fill([2 * B], t), {
      labels: [...Array.from(c), ...none],
    });
    const conditional = tf.slice(both, [0, 0, 0, 0], shape);
    const unconditional = tf.slice(both, [B, 0, 0, 0], shape);
    // 3: ε̃ₜ = (1+w)·ε_θ(xₜ, c) − w·ε_θ(xₜ)   (Eq. 6)
    const epsTilde = tf.sub(tf.mul(conditional, 1 + w), tf.mul(unconditional, w));
    // 4: x̃ₜ = (xₜ − √(1−ᾱₜ)·ε̃ₜ)/√ᾱₜ, held within [-1, 1], where images are
    const alphaBar = schedule.alphaBar(t);
    const noise = tf.mul(epsTilde, Math.sqrt(1 - alphaBar));
    const xTilde = heldInRange(tf.div(tf.sub(xt, noise), Math.sqrt(alphaBar)));
    // 5: x_{t−1} ~ N(μ̃(xₜ, x̃ₜ), σ̃²) if t > 1, else x₀ = x̃₁; their v is 0: the posterior's variance
    const { coefX0, coefXt, std } = schedule.posterior(t);
    const mean = tf.add(tf.mul(xTilde, coefX0), tf.mul(xt, coefXt));
    if (t === 1) return { x0Hat: xTilde, xNext: mean }; // the mean is x̃₁ there
    const z = gaussianNoise<tf.Rank.R4>({ seed, stream: `z ${name}`, step: t }, shape);
    return { x0Hat: xTilde, xNext: tf.add(mean, tf.mul(z, std)) };
    // 6: end for
  }); // 7: return x₀
}

/** The chain that the settings ask for. "Could be replaced by another sampler, e.g. DDIM" (line 4). */
export function guidedChainOf(
  model: ImageModel,
  { sampler, sampleSteps, eta }: SamplerSettings,
  guidance: Guidance,
  start: ChainStart,
): Generator<ChainPoint, void> {
  return sampler === "ddpm"
    ? algorithm2(model, guidance, start)
    : ddim(guided(model, guidance), { ...start, sampleSteps, eta });
}

// ---------------------------------------------------------------------------------------------
// 3. The run: settings, then train, sample, draw, measure
// ---------------------------------------------------------------------------------------------

/** What is measured with a finished model of paper 2 alone is left out. */
const { compareSamplers: _, likelihood: __, ...flagsOfPaper2 } = paper2.flags;

/** All settings: those of paper 2, and how labels are learned and asked for. */
const flags = {
  ...flagsOfPaper2,
  pUncond: number({
    help: "share of the labels that are left out in training",
    default: 0.1,
    min: 0,
    max: 1,
  }),
  w: number({
    help: "guidance strength of the samples: 0 none, 1 twice the label's own pull",
    default: 1,
    min: 0,
    max: 100,
  }),
  guidanceSamples: integer({
    help: "images by which six w are compared, for each of three seeds; 0 for no comparison",
    default: 100,
    min: 0,
    max: 10_000,
  }),
  sampleOnly: onOff({
    help: "draw images of all classes with the model of --resume, into --out [<run>-samples]",
  }),
  label: text({
    help: "draw 64 images of this class with the model of --resume, into --out [<run>-label]",
    placeholder: "CLASS",
    default: undefined,
  }),
  draw: text({
    help: "draw this number with the model of --resume, into --out [<run>-draw]",
    placeholder: "2026",
    default: undefined,
    allowed: "1 to 64 digits, like 2026",
    accepts: (digits) => /^[0-9]{1,64}$/.test(digits),
  }),
};
/** A run's settings. */
export type GuidedSettings = Settings<typeof flags>;

/** The command line. */
export const command: Command<typeof flags> = {
  name: "paper3",
  summary: "Paper 3, Ho & Salimans 2022: draws the digit that it is asked for.",
  flags,
  presets: paper2.presets as Command<typeof flags>["presets"],
  mayChangeOnResume: [...paper2.mayChangeOnResume!, "w", "guidanceSamples", "label", "draw"],
  drawsWithModel: ["sampleOnly", "label", "draw"],
};

/** What a training starts from: labelled images, an untrained model and its optimizer. */
export async function startTraining(
  settings: GuidedSettings,
): Promise<Training & { settings: GuidedSettings; unseen?: ImageSet }> {
  const images = await loadImages({ ...settings, split: "train", labelled: true });
  const unseen = hasDigits(settings.dataset)
    ? await loadImages({ ...settings, split: "test", labelled: true })
    : undefined; // what the samples are measured with
  const classes = images.classes!.length;
  const model = createModel({ ...modelOptions(settings, images.channels), classes });
  const { emaDecay } = settings;
  const adam = new Adam(model.network.parameters, { clipNorm: CLIP_NORM, emaDecay });
  return { model, adam, images, unseen, settings };
}

/**
 * What a run does after its training: the samples, those of all w, and figures and a classifier for half
 * a minute.
 *
 * @param passesOfComparison Passes of the network for one image with all w.
 */
export function afterTraining(settings: GuidedSettings, passesOfComparison: number): AfterTraining {
  const { samples, guidanceSamples, batch, timesteps, w } = settings;
  const passes = chainLength(settings, timesteps) * (w === 0 ? 1 : 2);
  const steps = drawingSteps(samples, passes, batch) +
    drawingSteps(guidanceSamples, passesOfComparison, batch);
  return { steps, seconds: 30 };
}

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  const read = await readSettings(command, args);
  if (!read) return 0;
  const { settings, given } = read;
  checkSampler(settings, given, settings.timesteps);
  modelOptions(settings, 1); // what does not go together is said before anything is started
  if (settings.sampleOnly || settings.label !== undefined || settings.draw !== undefined) {
    const { drawAsked } = await import("./common/report/draw_asked.ts");
    return await drawAsked({ command, settings, given, guidedChainOf });
  }
  if (settings.exportData !== undefined) {
    const { exportImages } = await import("./common/report/data_export.ts");
    const images = await loadImages({ ...settings, split: "train", labelled: true });
    await exportImages(images, settings.exportData);
    return 0;
  }
  // what writes files and draws figures is for the command alone: a page has this script without it
  const { trainAndReport } = await import("./common/run/training_run.ts");
  const { comparisonPasses, inTurn, reportGuided } = await import(
    "./common/report/guidance_report.ts"
  );
  const { writeSheet } = await import("./common/report/image_report.ts");
  const { writeReportPage } = await import("./common/page/page.ts");
  /** The chain of images whose classes have their turns. */
  const chainOf = (model: ImageModel, sampler: SamplerSettings, start: ChainStart) => {
    const labels = inTurn(start.shape[0], model.classes, start.first);
    return guidedChainOf(model, sampler, { labels, w: settings.w }, start);
  };
  return await trainAndReport({
    command,
    memory: (settings) => imageMemory(settings, { classes: 10 }),
    start: startTraining,
    data: ({ images }) => images.sha256,
    classes: ({ images }) => images.classes!,
    network: ({ model }) => model.network,
    averaged: true,
    train: algorithm1,
    bar: { unit: "images", unitsPerStep: settings.batch },
    after: (settings) => afterTraining(settings, comparisonPasses()),
    meanwhile: { everySeconds: SHEET_EVERY, run: (run, step) => writeSheet(run, step, chainOf) },
    report: (run, losses) => reportGuided({ ...run, losses, chainOf, guidedChainOf }),
    writePage: writeReportPage,
  }, settings);
}

if (import.meta.main) await runMain(main);
