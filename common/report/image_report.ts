/**
 * What a run of paper 2 leaves behind besides its model: its images, as numbers and as figures, and
 * how good they are.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { writeSafetensors } from "../checkpoint.ts";
import { concatenated, encodeSafetensors, vector } from "../files/safetensors.ts";
import { batch, type ImageSet } from "../data/images/image_set.ts";
import { trainClassifier } from "../network/digit_classifier.ts";
import type { ImageShape } from "./draw_images.ts";
import { evenly } from "../plot/evenly.ts";
import { qSample } from "../forward_process.ts";
import type { ImageModel } from "../network/image_model.ts";
import { gaussianNoise } from "../engine/noise.ts";
import { chainSheet, type ChainSheetOptions } from "../plot/chain_sheet.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import { lossFigure } from "../plot/figures.ts";
import { integers } from "../random.ts";
import type { RunFolder } from "../run/folder.ts";
import type { Schedule } from "../schedule.ts";
import { type SampleReport, sampleReport } from "./sample_report.ts";

/** Samples on a sheet, eight in a row. */
const SHOWN = 64;

/** Columns of the figure of the chain. */
const COLUMNS = 11;

/** Images and timesteps that the loss by t is measured with. */
const MEASURED = { images: 64, timesteps: 20 };

/**
 * Writes samples.safetensors, with the one tensor `samples`, [N, H, W, C] in [-1, 1], and the first 64
 * of them as paper2_samples.png.
 *
 * @param how Texts on how they were drawn, for the file's metadata.
 */
export async function writeSamples(
  folder: RunFolder,
  { samples, shape, how }: {
    samples: Float32Array;
    shape: ImageShape;
    how: Record<string, string>;
  },
): Promise<void> {
  const tensor = tf.tensor(samples, shape);
  await writeSafetensors(folder.file("samples.safetensors"), new Map([["samples", tensor]]), how);
  tensor.dispose();
  const [count, height, width, channels] = shape;
  const shown = Math.min(SHOWN, count);
  const images = samples.subarray(0, shown * height * width * channels);
  const sheet = imageSheet({ images, count: shown, height, width, channels, columns: 8 });
  await folder.write("paper2_samples.png", sheet);
}

/** The real digits that samples are measured with. */
export interface RealDigits {
  /** Those that the model was trained on. */
  train: ImageSet;
  /** Others, with labels. */
  unseen: ImageSet;
}

/**
 * Trains a classifier on the real digits, under a progress bar, and hands out what measures with it.
 *
 * @param use Gets the measure, which takes samples, [N, H, W, C] in [-1, 1], N at least 2.
 */
export async function withDigitMeasure<Result>(
  { train, unseen }: RealDigits,
  seed: number,
  use: (measure: (samples: Float32Array) => Promise<SampleReport>) => Promise<Result>,
): Promise<Result> {
  const classifier = await trainClassifier(train, { seed, bar: true });
  try {
    return await use((samples) => sampleReport(samples, classifier, train, unseen));
  } finally {
    classifier.dispose();
  }
}

/** The loss of single timesteps. */
export interface LossByT {
  t: number[];
  value: number[];
}

/** What the figures show. */
export interface ImageFigures {
  /** Chains from noise to image, at so many points of them as were kept. */
  chain: ChainSheetOptions;
  /** The loss of every step. */
  losses: number[];
  perT: LossByT;
  schedule: Schedule;
}

/**
 * Writes paper2_chain.png, chains from noise to image; paper2_loss.png, the loss by step and by t; and
 * the numbers behind them as figures.safetensors: `t` [K], `xt` and `x0Hat` [K, N, H, W, C] along the
 * chains, `perT.t` and `perT.value`, and `schedule.alphaBar` [T+1].
 */
export async function writeFigures(folder: RunFolder, figures: ImageFigures): Promise<void> {
  const { chain, losses, perT, schedule } = figures;
  await folder.write("paper2_chain.png", await chainSheet(thinned(chain)));
  const figure = {
    lossLabel: "loss",
    losses,
    perT: { ...perT, label: "loss by t, after training" },
  };
  await folder.write("paper2_loss.png", await lossFigure(figure));
  const { t, xt, x0Hat, count, height, width, channels } = chain;
  const alphaBars = Array.from({ length: schedule.T + 1 }, (_, t) => schedule.alphaBar(t));
  const shape = [t.length, count, height, width, channels];
  const record = new Map([
    ["t", vector(t)],
    ["xt", { shape, data: concatenated(xt) }],
    ["x0Hat", { shape, data: concatenated(x0Hat) }],
    ["perT.t", vector(perT.t)],
    ["perT.value", vector(perT.value)],
    ["schedule.alphaBar", vector(alphaBars)],
  ]);
  await folder.write("figures.safetensors", encodeSafetensors(record));
}

/** Some of a chain's points, evenly spaced, the first and the last among them. */
function thinned(chain: ChainSheetOptions): ChainSheetOptions {
  const kept = evenly(chain.t.length, COLUMNS);
  const some = <X>(all: X[]) => kept.map((i) => all[i]);
  return { ...chain, t: some(chain.t), xt: some(chain.xt), x0Hat: some(chain.x0Hat) };
}

/**
 * E ‖ε − ε_θ(xₜ, t)‖², a pixel's mean, of t = 1 and of twenty more up to T. A small t is hard: there
 * is hardly any noise in x₁ to be seen.
 */
export async function lossByT(
  { network, schedule }: ImageModel,
  images: ImageSet,
  seed: number,
): Promise<LossByT> {
  const { images: B, timesteps } = MEASURED;
  const { height, width, channels, count } = images;
  const indices = integers({ seed, stream: "loss by t" }, B, 0, count);
  const later = Array.from({ length: timesteps }, (_, i) => (i + 1) * schedule.T / timesteps);
  const t = [1, ...later.map(Math.ceil)];
  const losses = tf.tidy(() => {
    const x0 = tf.tensor4d(batch(images, indices), [B, height, width, channels]);
    return tf.stack(t.map((t) => {
      const eps = gaussianNoise<tf.Rank.R4>({ seed, stream: "loss by t eps", step: t }, x0.shape);
      const epsTheta = network.forward(qSample(schedule, x0, t, eps), tf.fill([B], t));
      return tf.mean(tf.square(tf.sub(eps, epsTheta)));
    }));
  });
  const value = Array.from(await losses.data());
  losses.dispose();
  return { t, value };
}
