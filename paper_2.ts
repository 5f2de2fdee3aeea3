/**
 * Paper 2: Ho, Jain & Abbeel 2020, "Denoising Diffusion Probabilistic Models", on handwritten digits.
 *
 *     deno task paper2                        # quick: 16x16 digits, within 10 minutes on 2 cores
 *     deno task paper2 --preset standard      # 32x32 digits, for a GPU
 *     deno task paper2 --sample-only --resume runs/paper2-quick-0 --sampler ddpm
 *
 * A network learns to see the noise in an image (Algorithm 1). Then pure noise is taken for a very
 * noisy digit, and what the network sees in it is removed a little at a time, until a digit is left
 * (Algorithm 2). Every 40 s a sheet shows what the same 36 noises have become by then.
 *
 * On 2 cores without a GPU the default takes about 9 and a half minutes. At its end a classifier takes
 * more than 8 of 10 samples for a digit with confidence 0.9 or more.
 *
 * Into the run's folder go paper2_samples.png, paper2_chain.png, paper2_loss.png, the numbers behind
 * them (samples.safetensors, figures.safetensors, loss.csv), the sheets sheet-<step>.png,
 * model.safetensors (the averaged weights, to sample from), run.json, and report.html, a page to move
 * through the chains with.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { Adam, valueAndGradients } from "./common/network/adam.ts";
import { type Backend, selectBackend } from "./common/backend.ts";
import { writeSafetensors } from "./common/checkpoint.ts";
import {
  choice,
  type Command,
  integer,
  kebab,
  number,
  onOff,
  type Settings as SettingsOf,
  text,
} from "./common/run/flags.ts";
import { commandText } from "./common/run/help.ts";
import { runMain } from "./common/run/main.ts";
import { batch, type ImageSet } from "./common/data/images/image_set.ts";
import { DATASETS, hasDigits, loadImages } from "./common/data/images/load.ts";
import { drawImages, type ImageShape, recordChain } from "./common/report/draw_images.ts";
import { writeReportPage } from "./common/page/page.ts";
import { qSample } from "./common/forward_process.ts";
import {
  createModel,
  type ImageModel,
  loadModel,
  modelFlags,
} from "./common/network/image_model.ts";
import {
  lossByT,
  type RealDigits,
  withDigitMeasure,
  writeFigures,
  writeSamples,
} from "./common/report/image_report.ts";
import { decayFlag, learningRateAt, type RateSettings } from "./common/network/learning_rate.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { imageSheet } from "./common/plot/image_sheet.ts";
import { inWords } from "./common/run/progress.ts";
import { integers } from "./common/random.ts";
import {
  type ChainPoint,
  ddimStep,
  type Denoiser,
  endOfChain,
  everyTimestep,
  fewerTimesteps,
  pSample,
  reverseProcess,
} from "./common/reverse_process.ts";
import { RunFolder } from "./common/run/folder.ts";
import { commonFlags, readSettings } from "./common/run/settings.ts";
import { reportLines } from "./common/report/sample_report.ts";
import {
  compareSamplers,
  comparisonLines,
  type Sampler,
} from "./common/report/sampler_comparison.ts";
import { followTraining, resumeTraining, type TrainingStep } from "./common/run/training.ts";
import { UserError } from "./common/user_error.ts";

/** All settings; the defaults are those of the preset `quick`. */
const flags = {
  preset: choice({
    help: "a set of settings; standard is the default where there is a GPU",
    of: ["quick", "standard", "paper"],
    default: "quick",
  }),
  ...commonFlags,
  dataset: choice({ help: "what to learn from", of: DATASETS, default: "mnist" }),
  dataDir: text({ help: "folder with its files", placeholder: "DIR", default: undefined }),
  download: onOff({ help: "fetch its files into runs/.data if they are not there" }),
  ...modelFlags,
  steps: integer({ help: "steps of training", default: 4400 }),
  batch: integer({ help: "images a step", default: 32, max: 4096 }),
  learningRate: number({ help: "Adam's step size", default: 2e-3, above: 0, max: 1 }),
  warmUp: integer({ help: "steps in which the learning rate grows to its value", default: 200 }),
  decay: decayFlag,
  emaDecay: number({ help: "decay of the averaged weights", default: 0.998, min: 0, max: 1 }),
  sampler: choice({
    help: "Algorithm 2, or the shorter chains of Song et al.",
    of: ["ddpm", "ddim"],
    default: "ddim",
  }),
  sampleSteps: integer({ help: "steps of a ddim chain", default: 50 }),
  eta: number({
    help: "noise in a ddim chain: 0 none, 1 as in ddpm; it mends what a young network gets wrong",
    default: 1,
    min: 0,
    max: 1,
  }),
  samples: integer({ help: "images to draw at the end", default: 512, max: 100_000 }),
  sampleOnly: onOff({ help: "draw images with the model of --resume, without training" }),
  compareSamplers: onOff({
    help: "send the same noises through several samplers with the model of --resume",
  }),
};
/** A run's settings. */
export type Settings = SettingsOf<typeof flags>;

const presets: Command<typeof flags>["presets"] = {
  /** 16x16 digits and a small UNet, for two cores. */
  quick: {},
  /** For a GPU: full size, and as many channels as make the strokes smooth. */
  standard: {
    size: 32,
    channels: 64,
    channelMults: "1,2,2,2",
    schedule: "linear",
    groups: 32,
    dropout: 0.1,
    steps: 20_000,
    batch: 64,
    learningRate: 2e-4,
    warmUp: 1000,
    emaDecay: 0.999,
  },
  /** Ho et al. 2020, appendix B. */
  paper: {
    size: 32,
    channels: 128,
    channelMults: "1,2,2,2",
    schedule: "linear",
    groups: 32,
    dropout: 0.1,
    steps: 800_000,
    batch: 128,
    learningRate: 2e-4,
    warmUp: 5000,
    decay: "none",
    emaDecay: 0.9999,
    sampler: "ddpm",
  },
};

/** Largest norm of the gradient; longer ones are shortened to it (Ho et al. 2020, appendix B). */
const CLIP_NORM = 1;

// ---------------------------------------------------------------------------------------------
// 1. Training: learn to see the noise
// ---------------------------------------------------------------------------------------------

/** What Algorithm 1 works with. */
export interface Training {
  model: ImageModel;
  adam: Adam;
  images: ImageSet;
  settings: RateSettings & { batch: number; seed: number };
}

/** What a training starts from: the images, an untrained model and its optimizer. */
export async function startTraining(
  settings: Settings,
): Promise<Training & { settings: Settings }> {
  const images = await loadImages({ ...settings, split: "train" });
  const model = createModel(settings, images.channels);
  const { emaDecay } = settings;
  const adam = new Adam(model.network.parameters, { clipNorm: CLIP_NORM, emaDecay });
  return { model, adam, images, settings };
}

/**
 * Algorithm 1, Training (Ho et al. 2020). Goes on from the step that the optimizer is at.
 *
 * @returns Yields each step with its loss, which the caller disposes of.
 */
export function* algorithm1(
  { model: { network, schedule }, adam, images, settings }: Training,
): Generator<TrainingStep> {
  const { steps, batch: B, seed } = settings;
  // 1: repeat
  for (let step = adam.steps + 1; step <= steps; step++) {
    const loss = tf.tidy(() => {
      // 2: x₀ ~ q(x₀)
      const x0 = drawX0(images, B, { seed, step }); // [B, H, W, C]
      // 3: t ~ Uniform({1, …, T})
      const t = integers({ seed, stream: "t", step }, B, 1, schedule.T + 1); // [B]
      // 4: ε ~ N(0, I)
      const eps = gaussianNoise<tf.Rank.R4>({ seed, stream: "eps", step }, x0.shape);
      // 5: take gradient descent step on ∇_θ ‖ε − ε_θ(√ᾱₜ·x₀ + √(1−ᾱₜ)·ε, t)‖²
      const { value, gradients } = valueAndGradients(network.parameters, () => {
        const xt = qSample(schedule, x0, t, eps); // √ᾱₜ·x₀ + √(1−ᾱₜ)·ε   (Eq. 4)
        const epsTheta = network.forward(xt, tf.tensor1d(t, "float32"), { training: true, step });
        return tf.mean(tf.square(tf.sub(eps, epsTheta))); // L_simple   (Eq. 14)
      });
      adam.step(gradients, learningRateAt(step, settings));
      return value;
    });
    yield { step, loss };
  } // 6: until converged
}

/** B images of the set, some turned left to right where that is natural: [B, H, W, C] in [-1, 1]. */
function drawX0(images: ImageSet, B: number, at: { seed: number; step: number }): tf.Tensor4D {
  const { height, width, channels } = images;
  const indices = integers({ ...at, stream: "batch" }, B, 0, images.count);
  const flips = images.flips ? integers({ ...at, stream: "flip" }, B, 0, 2) : undefined;
  return tf.tensor4d(batch(images, indices, flips), [B, height, width, channels]);
}

// ---------------------------------------------------------------------------------------------
// 2. Sampling: remove it step by step
// ---------------------------------------------------------------------------------------------

/** Which images a chain leads to: how many, and from which noise. */
export interface ChainStart {
  shape: ImageShape;
  seed: number;
  /** The noise is a function of the seed and this name. */
  name: string;
}

/** Algorithm 2, Sampling (Ho et al. 2020): the chain x_T, …, x₀. */
export function algorithm2(
  denoiser: Denoiser,
  { shape, seed, name }: ChainStart,
): Generator<ChainPoint, void> {
  // 1: x_T ~ N(0, I)
  const xT = gaussianNoise<tf.Rank.R4>({ seed, stream: `xT ${name}` }, shape);
  // 2: for t = T, …, 1 do
  return reverseProcess(xT, everyTimestep(denoiser.schedule.T), (xt, t) => {
    // 3: z ~ N(0, I) if t > 1, else z = 0
    const z = t > 1
      ? gaussianNoise<tf.Rank.R4>({ seed, stream: `z ${name}`, step: t }, shape)
      : tf.zeros<tf.Rank.R4>(shape);
    // 4: x_{t−1} = 1/√αₜ·(xₜ − (1−αₜ)/√(1−ᾱₜ)·ε_θ(xₜ, t)) + σₜ·z
    return pSample(denoiser, { xt, t, z });
    // 5: end for
  }); // 6: return x₀
}

// ---------------------------------------------------------------------------------------------
// 3. Sampling in fewer steps
// ---------------------------------------------------------------------------------------------

/**
 * DDIM (Song, Meng & Ermon 2021, Eq. 12): the same network, but only S of the T timesteps, and with
 * η = 0 no noise but the first.
 */
export function ddim(
  denoiser: Denoiser,
  { shape, seed, name, sampleSteps: S, eta }: ChainStart & { sampleSteps: number; eta: number },
): Generator<ChainPoint, void> {
  const xT = gaussianNoise<tf.Rank.R4>({ seed, stream: `xT ${name}` }, shape);
  return reverseProcess(xT, fewerTimesteps(denoiser.schedule.T, S), (xt, t, tNext) => {
    const z = eta > 0
      ? gaussianNoise<tf.Rank.R4>({ seed, stream: `z ${name}`, step: t }, shape)
      : undefined;
    return ddimStep(denoiser, { xt, t, tNext, eta, z });
  });
}

// ---------------------------------------------------------------------------------------------
// 4. The run: train, sample, draw, measure
// ---------------------------------------------------------------------------------------------

/** Settings that a run may be gone on with although it had others: they only concern the drawing. */
const FREE = [
  "sampler",
  "sampleSteps",
  "eta",
  "samples",
  "sampleOnly",
  "compareSamplers",
  "dataDir",
  "download",
];
/** Seconds from one sheet to the next. */
const SHEET_EVERY = 40;
/** Steps of the chains of the sheets. */
const SHEET_STEPS = 20;
/** Steps of the chains that are compared, and images that each draws unless --samples says more. */
const COMPARED = { steps: [100, 50, 20, 10], samples: 128 };
/** Digits whose way from noise is kept, and points kept of each. */
const CHAIN = { digits: 8, points: 41 };

/** The command line; which preset is the default depends on the machine. */
export function commandWith(preset: Settings["preset"]): Command<typeof flags> {
  return {
    name: "paper2",
    summary: "Paper 2, Ho et al. 2020: learns to draw images by removing noise step by step.",
    flags: { ...flags, preset: { ...flags.preset, default: preset } },
    presets,
  };
}

/** What the parts of a run share. */
interface Run extends Training {
  settings: Settings;
  folder: RunFolder;
}

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  const asked = await readSettings(commandWith("quick"), args, FREE);
  if (!asked) return 0;
  const backend = await selectBackend(asked.settings.backend, asked.settings);
  const fast = backend.hardware
    ? await readSettings(commandWith("standard"), args, FREE)
    : undefined;
  const { settings, given } = fast ?? asked;
  checkSampler(settings, given);
  if (settings.sampleOnly) return await sampleOnly(settings, backend);
  if (settings.compareSamplers) {
    return await compare({ ...settings, samples: given.samples ?? COMPARED.samples }, backend);
  }
  const training = await startTraining(settings);
  const digits = await realDigits(settings, training.images);
  const folder = await RunFolder.open({ script: "paper2", settings, backend, free: FREE });
  console.error(`${backend.reason}\nwriting to ${folder.path}`);
  try {
    return await train({ ...training, folder }, digits);
  } finally {
    folder.close();
    backend.dispose();
  }
}

/** Trains, then measures the averaged weights. */
async function train(run: Run, digits: RealDigits | undefined): Promise<number> {
  const { settings, model, adam, folder } = run;
  const end = await followTraining(algorithm1(run), {
    folder,
    losses: settings.resume === undefined ? [] : await goOn(run),
    steps: settings.steps,
    checkpointEvery: settings.checkpointEvery,
    state: () => new Map([...model.network.stateDict(), ...adam.stateDict()]),
    unit: "images",
    unitsPerStep: settings.batch,
    meanwhile: {
      everySeconds: SHEET_EVERY,
      run: (step) => adam.withAverages(() => writeSheet(run, step)),
    },
    resumeCommand: commandText("paper2", { resume: folder.path }),
  });
  return await adam.withAverages(async () => {
    await writeModel(run);
    if (end.status === "interrupted") return 130;
    await conclude(run, { losses: end.losses, digits });
    return 0;
  });
}

/** Brings model and optimizer to where an earlier process stopped; gives the losses until then. */
async function goOn({ model: { network }, adam, folder }: Run): Promise<number[]> {
  const { tensors, losses } = await resumeTraining(folder);
  if (tensors) {
    network.load(new Map([...tensors].filter(([name]) => !name.startsWith("adam."))));
    await adam.load(tensors);
    tf.dispose([...tensors.values()]);
  }
  return losses;
}

/** The weights that are in the model now: the averaged ones, when this is called. */
async function writeModel({ model, folder }: Run): Promise<void> {
  const weights = model.network.stateDict();
  await writeSafetensors(folder.file("model.safetensors"), weights);
  tf.dispose([...weights.values()]);
}

/** What the same 36 noises lead to after so many steps of training. */
async function writeSheet(run: Run, step: number): Promise<void> {
  const { settings: { seed, timesteps }, model, folder } = run;
  const start = { shape: shapeOf(model, 36), seed, name: "sheet" };
  const sampleSteps = Math.min(SHEET_STEPS, timesteps);
  const x0 = await endOfChain(ddim(model, { ...start, sampleSteps, eta: 1 }));
  const sheet = { ...pictures(model, 36), images: await x0.data<"float32">(), columns: 6 };
  x0.dispose();
  await folder.write(`sheet-${String(step).padStart(7, "0")}.png`, imageSheet(sheet));
  await writeModel(run);
}

/** Draws images with a trained model into its folder, and nothing else. */
async function sampleOnly(settings: Settings, backend: Backend): Promise<number> {
  const model = await loadModel(settings.resume!);
  const folder = await RunFolder.open({ script: "paper2", settings, backend });
  console.error(`${backend.reason}\nwriting to ${folder.path}`);
  try {
    const started = performance.now();
    await drawSamples({ settings, model, folder });
    const seconds = (performance.now() - started) / 1000;
    console.log(`${folder.path}: ${settings.samples} images in ${seconds.toFixed(1)} s`);
    return 0;
  } finally {
    folder.close();
    backend.dispose();
  }
}

/**
 * Algorithm 2 on all T steps and DDIM on fewer, from the same noises: the table of Song et al. 2021 in
 * small. With η = 0 every length of chain leads from a noise to about the same image.
 */
async function compare(settings: Settings, backend: Backend): Promise<number> {
  const { seed, timesteps: T, samples: count } = settings;
  const model = await loadModel(settings.resume!);
  const digits = count > 1 ? await realDigits(settings) : undefined; // one image has no spread
  const folder = await RunFolder.open({ script: "paper2", settings, backend });
  console.error(`${backend.reason}\nwriting to ${folder.path}`);
  const start = (shape: ImageShape, index: number) => ({ shape, seed, name: `compared ${index}` });
  const samplers: Sampler[] = [
    { name: `DDPM, ${T} steps`, steps: T, chain: (...at) => algorithm2(model, start(...at)) },
    ...[0, 1].flatMap((eta) =>
      COMPARED.steps.filter((steps) => steps <= T).map((steps): Sampler => ({
        name: `DDIM, ${steps} steps, η = ${eta}`,
        steps,
        chain: (...at) => ddim(model, { ...start(...at), sampleSteps: steps, eta }),
      }))
    ),
  ];
  const shape = shapeOf(model, count);
  try {
    const results = digits
      ? await withDigitMeasure(
        digits,
        seed,
        (measure) => compareSamplers(samplers, { folder, shape, measure }),
      )
      : await compareSamplers(samplers, { folder, shape });
    console.log([folder.path, ...comparisonLines(results)].join("\n"));
    return 0;
  } finally {
    folder.close();
    backend.dispose();
  }
}

/** Figures, files and numbers of the trained model. */
async function conclude(
  run: Run,
  { losses, digits }: { losses: number[]; digits?: RealDigits },
): Promise<void> {
  const { settings, model, images, folder } = run;
  const started = performance.now();
  const samples = await drawSamples(run);
  folder.spend("sampling", (performance.now() - started) / 1000);

  const first = { shape: shapeOf(model, CHAIN.digits), seed: settings.seed, name: "samples 0" };
  const chain = chainOf(model, settings, first);
  const record = await recordChain(chain, chainLength(settings), CHAIN.points);
  await writeFigures(folder, {
    chain: { ...pictures(model, CHAIN.digits), ...record },
    losses,
    perT: await lossByT(model, digits?.unseen ?? images, settings.seed),
    schedule: model.schedule,
  });

  const recent = losses.slice(-500);
  const loss = recent.reduce((sum, value) => sum + value, 0) / recent.length;
  const report = digits && settings.samples > 1
    ? await withDigitMeasure(digits, settings.seed, (measure) => measure(samples))
    : undefined;
  folder.spend("conclusion", (performance.now() - started) / 1000);
  await folder.update({ status: "finished", results: { loss, ...report } });
  await writeReportPage(folder.path);
  const { training, sampling } = folder.record.seconds;
  console.log(
    `${folder.path}: trained in ${inWords(training)} to a loss of ${
      loss.toFixed(4)
    } (mean of the ` +
      `last ${recent.length} steps); ${settings.samples} images drawn in ${inWords(sampling)}`,
  );
  for (const line of report ? reportLines(report) : []) console.log(line);
}

/** Draws the run's samples and writes them, as numbers and the first 64 as a sheet. */
async function drawSamples(
  { settings, model, folder }: Pick<Run, "settings" | "model" | "folder">,
) {
  const { samples: count, seed, sampler, sampleSteps, eta } = settings;
  const samples = await drawImages(
    shapeOf(model, count),
    (shape, index) => chainOf(model, settings, { shape, seed, name: `samples ${index}` }),
    chainLength(settings),
  );
  const how: Record<string, string> = sampler === "ddpm"
    ? { sampler }
    : { sampler, sampleSteps: `${sampleSteps}`, eta: `${eta}` };
  await writeSamples(folder, { samples, shape: shapeOf(model, count), how });
  return samples;
}

/** The chain that the settings ask for. */
function chainOf(model: ImageModel, settings: Settings, start: ChainStart) {
  const { sampler, sampleSteps, eta } = settings;
  return sampler === "ddpm"
    ? algorithm2(model, start)
    : ddim(model, { ...start, sampleSteps, eta });
}

function chainLength({ sampler, timesteps, sampleSteps }: Settings): number {
  return sampler === "ddpm" ? timesteps : sampleSteps;
}

/** What samples are measured with: the classifier and its report are made for digits. */
async function realDigits(
  settings: Settings,
  train?: ImageSet,
): Promise<RealDigits | undefined> {
  if (!hasDigits(settings.dataset)) return undefined;
  return {
    train: train ?? await loadImages({ ...settings, split: "train" }),
    unseen: await loadImages({ ...settings, split: "test" }),
  };
}

function shapeOf({ size, inChannels }: ImageModel, count: number): ImageShape {
  return [count, size, size, inChannels];
}

/** How the figures call the same. */
function pictures({ size, inChannels }: ImageModel, count: number) {
  return { count, height: size, width: size, channels: inChannels };
}

/** @throws {UserError} The settings of the sampling do not go together. */
function checkSampler(settings: Settings, given: Partial<Settings>): void {
  const { sampler, sampleSteps, timesteps, resume } = settings;
  for (const name of ["sampleOnly", "compareSamplers"] as const) {
    if (settings[name] && resume === undefined) {
      throw new UserError(`--${kebab(name)} needs a trained model; say where with --resume DIR`);
    }
  }
  for (const name of ["sampleSteps", "eta"] as const) {
    if (sampler === "ddpm" && given[name] !== undefined) {
      throw new UserError(`--${kebab(name)} ${given[name]} goes with --sampler ddim, not ddpm`);
    }
  }
  if (sampler === "ddim" && sampleSteps > timesteps) {
    throw new UserError(
      `--sample-steps ${sampleSteps}: the chain has ${timesteps} steps; allowed are 1 to ${timesteps}`,
    );
  }
}

if (import.meta.main) await runMain(main);
