/**
 * The files of images that a run leaves: its samples, chains from noise to image, and its loss.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { writeSafetensors } from "../checkpoint.ts";
import { concatenated, encodeSafetensors, vector } from "../files/safetensors.ts";
import { chainSheet, type ChainSheetOptions } from "../plot/chain_sheet.ts";
import { evenly } from "../plot/evenly.ts";
import { lossFigure } from "../plot/loss_figure.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import type { ImageShape } from "../reverse_process.ts";
import type { RunFolder } from "../run/folder.ts";
import type { Schedule } from "../schedule.ts";
import type { LossByT } from "./loss_by_t.ts";

/** Samples on a sheet, eight in a row. */
const SHOWN = 64;

/** Columns of the figure of the chain. */
const COLUMNS = 11;

/**
 * Writes samples.safetensors, with the one tensor `samples`, [N, H, W, C] in [-1, 1], and the first 64
 * of them as paper2_samples.png.
 *
 * @param how Texts on how they were drawn, for the file's metadata.
 * @param names Other names for the two files, without their endings.
 */
export async function writeSamples(
  folder: RunFolder,
  { samples, shape, how, names = { numbers: "samples", sheet: "paper2_samples" } }: {
    samples: Float32Array;
    shape: ImageShape;
    how: Record<string, string>;
    names?: { numbers: string; sheet: string };
  },
): Promise<void> {
  const tensor = tf.tensor(samples, shape);
  const path = folder.file(`${names.numbers}.safetensors`);
  await writeSafetensors(path, new Map([["samples", tensor]]), how);
  tensor.dispose();
  const [count, height, width, channels] = shape;
  const shown = Math.min(SHOWN, count);
  const images = samples.subarray(0, shown * height * width * channels);
  const sheet = imageSheet({ images, count: shown, height, width, channels, columns: 8 });
  await folder.write(`${names.sheet}.png`, sheet);
}

/** What the figures show. */
export interface ImageFigures {
  /** Chains from noise to image, at the points that were kept. */
  chain: ChainSheetOptions;
  /** The loss of every step. */
  losses: number[];
  /** The loss of single timesteps. */
  perT: LossByT;
  /** The model's schedule. */
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
export function thinned(chain: ChainSheetOptions, columns = COLUMNS): ChainSheetOptions {
  const kept = evenly(chain.t.length, columns);
  const some = <X>(all: X[]) => kept.map((i) => all[i]);
  return { ...chain, t: some(chain.t), xt: some(chain.xt), x0Hat: some(chain.x0Hat) };
}
