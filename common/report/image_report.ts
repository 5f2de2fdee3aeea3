/**
 * What a run of paper 2 leaves behind besides its model: sheets while it trains, and at its end images,
 * figures, and how good they are. Of the samplers it needs only their chains.
 *
 * @module
 */
import type { ImageSet } from "../data/images/image_set.ts";
import type { ImageModel } from "../network/image_model.ts";
import type { ChainSheetOptions } from "../plot/chain_sheet.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import {
  type ChainPoint,
  type ChainStart,
  endOfChain,
  type ImageShape,
} from "../reverse_process.ts";
import { type RunFolder, sheetName } from "../run/folder.ts";
import { inWords } from "../run/progress.ts";
import { chainLength, type SamplerSettings } from "../run/sampler_flags.ts";
import type { Conclusion } from "../run/training_run.ts";
import { type ClassifierSettings, withDigitMeasure } from "./digit_measure.ts";
import { drawImages, recordChain } from "./draw_images.ts";
import { type Samples, writeFigures, writeSamples } from "./image_figures.ts";
import { lossByT } from "./loss_by_t.ts";
import { reportNearest } from "./nearest_report.ts";
import { reportLines } from "./sample_report.ts";

/** Starts the chain of a sampler. */
export type ChainOf = (
  model: ImageModel,
  sampler: SamplerSettings,
  start: ChainStart,
) => Iterable<ChainPoint>;

/** What draws images: a model, the settings of its sampler, and where the files go. */
export interface Drawing {
  /** The model that draws. */
  model: ImageModel;
  /** How it draws, and how many images. */
  settings: SamplerSettings & { seed: number; timesteps: number; samples: number };
  /** Where the files go. */
  folder: RunFolder;
  /** Starts the chains. */
  chainOf: ChainOf;
  /** The class that each image is to be of, where the model is told. */
  asked?: Samples["asked"];
}

/** The sampler of the sheets that are drawn while a network trains. */
const SHEET = { images: 36, columns: 6, steps: 20 };
/** Digits whose way from noise is kept, and points kept of each. */
const CHAIN = { digits: 8, points: 41 };
/** Steps whose mean loss is reported. */
const LAST_STEPS = 500;

/** Writes sheet-<step>.png: what the same 36 noises lead to after so many steps of training. */
export async function writeSheet(
  { model, settings: { seed, timesteps }, folder }: Omit<Drawing, "chainOf">,
  step: number,
  chainOf: ChainOf,
): Promise<void> {
  const start = { shape: shapeOf(model, SHEET.images), seed, name: "sheet" };
  const sampleSteps = Math.min(SHEET.steps, timesteps);
  const x0 = await endOfChain(chainOf(model, { sampler: "ddim", sampleSteps, eta: 1 }, start));
  const images = await x0.data<"float32">();
  x0.dispose();
  const sheet = { ...sizesOf(model, SHEET.images), images, columns: SHEET.columns };
  await folder.write(sheetName(step), imageSheet(sheet));
}

/**
 * Draws the run's samples, writes its figures, and measures the samples: how near they are to training
 * images, and, where they are digits, how good.
 *
 * @param run.images What the model was trained on.
 * @param run.unseen Images that it has not seen, with labels, where they are digits.
 * @param run.losses The loss of every step.
 */
export async function reportImages(
  run: Drawing & {
    settings: ClassifierSettings;
    images: ImageSet;
    unseen?: ImageSet;
    losses: number[];
  },
): Promise<Conclusion> {
  const { settings, model, images, unseen, folder, losses } = run;
  const started = performance.now();
  const samples = await drawSamples(run);
  folder.addSeconds("sampling", (performance.now() - started) / 1000);
  await writeFigures(folder, {
    chain: await recordedChain(run),
    losses,
    perT: await lossByT(model, unseen ?? images, settings.seed),
    schedule: model.schedule,
  });
  const { loss, line } = lossAtEnd(losses);
  const report = unseen && settings.samples > 1
    ? await withDigitMeasure(
      { train: images, unseen },
      settings,
      (measure) => measure(samples),
    )
    : undefined;
  const nearest = await reportNearest(samples, { train: images, unseen, folder });
  const { training, sampling } = folder.record.seconds;
  const trained = `trained in ${inWords(training)} ${line}; ${settings.samples} images drawn in ` +
    inWords(sampling);
  return {
    results: { loss, ...report, ...nearest.results },
    lines: [trained, ...report ? reportLines(report) : [], ...nearest.lines],
  };
}

/** The mean loss of the last steps, and words on it. */
export function lossAtEnd(losses: number[]): { loss: number; line: string } {
  const recent = losses.slice(-LAST_STEPS);
  const loss = recent.reduce((sum, value) => sum + value, 0) / recent.length;
  return {
    loss,
    line: `to a loss of ${loss.toFixed(4)} (mean of the last ${recent.length} steps)`,
  };
}

/** Draws the samples; writes all as numbers, and the first 64 as a sheet. */
export async function drawSamples(
  { settings, model, folder, chainOf, asked }: Drawing,
): Promise<Float32Array> {
  const { samples: count, seed, sampler, sampleSteps, eta } = settings;
  const samples = await drawImages(
    shapeOf(model, count),
    (shape, index, first) =>
      chainOf(model, settings, { shape, seed, name: `samples ${index}`, first }),
    chainLength(settings, model.schedule.T),
  );
  const how: Record<string, string> = sampler === "ddpm"
    ? { sampler }
    : { sampler, sampleSteps: `${sampleSteps}`, eta: `${eta}` };
  await writeSamples(folder, { samples, shape: shapeOf(model, count), how, asked });
  return samples;
}

/** The chain of the first samples, at some of its points. */
export async function recordedChain(
  { model, settings, chainOf }: Drawing,
): Promise<ChainSheetOptions> {
  const start = { shape: shapeOf(model, CHAIN.digits), seed: settings.seed, name: "samples 0" };
  const length = chainLength(settings, model.schedule.T);
  const chain = chainOf(model, settings, start);
  return { ...sizesOf(model, CHAIN.digits), ...await recordChain(chain, length, CHAIN.points) };
}

/** The shape of `count` images of a model. */
export function shapeOf({ size, inChannels }: ImageModel, count: number): ImageShape {
  return [count, size, size, inChannels];
}

/** The same with the names that figures use. */
function sizesOf({ size, inChannels }: ImageModel, count: number) {
  return { count, height: size, width: size, channels: inChannels };
}
