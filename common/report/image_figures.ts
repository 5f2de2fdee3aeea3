/**
 * The files of images that a run leaves: its samples, chains from noise to image, and its loss.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { writeSafetensors } from "../checkpoint.ts";
import { concatenated, encodeSafetensors, type HostTensor, vector } from "../files/safetensors.ts";
import { chainSheet, type ChainSheetOptions } from "../plot/chain_sheet.ts";
import { evenly } from "../plot/evenly.ts";
import { lossFigure } from "../plot/loss_figure.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import { labelledRows } from "../plot/labelled_rows.ts";
import type { ImageShape } from "../reverse_process.ts";
import type { RunFolder } from "../run/folder.ts";
import type { Schedule } from "../schedule.ts";
import type { LossByT } from "./loss_by_t.ts";

/** Samples on a sheet, eight in a row. */
const SHOWN = 64;

/** Classes on a sheet with a row for each, and samples of each. */
const ROWS = { classes: 30, columns: 10 };

/** Columns of the figure of the chain. */
const COLUMNS = 11;

/** Images that a model has drawn. */
export interface Samples {
  /** [N, H, W, C] in [-1, 1]. */
  samples: Float32Array;
  /** Their shape. */
  shape: ImageShape;
  /** Texts on how they were drawn, for the file's metadata. */
  how: Record<string, string>;
  /** The class that each was to be of, [N], and the names of all classes. */
  asked?: { labels: number[]; classes: string[] };
  /** Other names for the two files, without their endings. */
  names?: { numbers: string; sheet: string };
}

/** Writes samples as numbers, and as <script>_samples.png the first 64 of them, or a row for each class. */
export async function writeSamples(folder: RunFolder, drawn: Samples): Promise<void> {
  await writeNumbers(folder, drawn);
  const { names } = drawn;
  const name = names ? `${names.sheet}.png` : nameOf(folder, "samples");
  await folder.write(name, await sheetOf(drawn));
}

/**
 * Writes samples.safetensors, with the tensor `samples`, [N, H, W, C] in [-1, 1], and where classes were
 * asked for `labels`, [N].
 */
export async function writeNumbers(
  folder: RunFolder,
  { samples, shape, how, asked, names }: Samples,
): Promise<void> {
  const tensors = new Map([["samples", tf.tensor(samples, shape)]]);
  if (asked) tensors.set("labels", tf.tensor1d(asked.labels, "int32"));
  const path = folder.file(`${names?.numbers ?? "samples"}.safetensors`);
  await writeSafetensors(path, tensors, how);
  tf.dispose([...tensors.values()]);
}

async function sheetOf({ samples, shape, asked }: Samples): Promise<Uint8Array> {
  const [count, height, width, channels] = shape;
  const size = height * width * channels;
  if (asked && new Set(asked.labels).size > 1) return await sheetOfClasses(asked, samples, shape);
  const shown = Math.min(SHOWN, count);
  const images = samples.subarray(0, shown * size);
  return imageSheet({ images, count: shown, height, width, channels, columns: 8 });
}

/** The first samples of each class in a row of its own. */
async function sheetOfClasses(
  { labels, classes }: { labels: number[]; classes: string[] },
  samples: Float32Array,
  [, height, width, channels]: ImageShape,
): Promise<Uint8Array> {
  const size = height * width * channels;
  const ofClass = Map.groupBy(labels.keys(), (n) => labels[n]);
  const most = Math.max(...[...ofClass.values()].map(({ length }) => length));
  const columns = Math.min(ROWS.columns, most);
  const rows = classes.slice(0, ROWS.classes).map((name, label) => {
    const numbers = (ofClass.get(label) ?? []).slice(0, columns);
    const images = new Float32Array(columns * size).fill(1); // white where there are fewer
    numbers.forEach((n, i) => images.set(samples.subarray(n * size, (n + 1) * size), i * size));
    return { label: [name], images };
  });
  const longest = Math.max(...rows.map(({ label: [name] }) => name.length));
  const labelWidth = Math.min(165, 20 + 8 * longest);
  return await labelledRows({ height, width, channels, columns, labelWidth, rows });
}

/** The name of a figure of a run: it begins with that of its script. */
export function nameOf({ record }: RunFolder, figure: string): string {
  return `${record.script}_${figure}.png`;
}

/** What the figures show. */
export interface ImageFigures {
  /** More tensors for figures.safetensors. */
  others?: [string, HostTensor][];
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
 * Writes <script>_chain.png, chains from noise to image; <script>_loss.png, the loss by step and by t; and
 * the numbers behind them as figures.safetensors: `t` [K], `xt` and `x0Hat` [K, N, H, W, C] along the
 * chains, `perT.t` and `perT.value`, and `schedule.alphaBar` [T+1].
 */
export async function writeFigures(folder: RunFolder, figures: ImageFigures): Promise<void> {
  const { chain, losses, perT, schedule, others = [] } = figures;
  await folder.write(nameOf(folder, "chain"), await chainSheet(thinned(chain)));
  const figure = {
    lossLabel: "loss",
    losses,
    perT: { ...perT, label: "loss by t, after training" },
  };
  await folder.write(nameOf(folder, "loss"), await lossFigure(figure));
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
    ...others,
  ]);
  await folder.write("figures.safetensors", encodeSafetensors(record));
}

/** Some of a chain's points, evenly spaced, the first and the last among them. */
export function thinned(chain: ChainSheetOptions, columns = COLUMNS): ChainSheetOptions {
  const kept = evenly(chain.t.length, columns);
  const some = <X>(all: X[]) => kept.map((i) => all[i]);
  return { ...chain, t: some(chain.t), xt: some(chain.xt), x0Hat: some(chain.x0Hat) };
}
