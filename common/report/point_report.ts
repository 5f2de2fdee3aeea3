/**
 * What a finished run on points in the plane leaves behind: figures, samples, and the numbers that say
 * how good they are. Of the model it needs only its chains.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { concatenated, encodeSafetensors, type HostTensor, vector } from "../files/safetensors.ts";
import { qSample } from "../forward_process.ts";
import { pointsAsCsv } from "../data/points/csv.ts";
import type { PointData } from "../data/points/point_data.ts";
import { distancesToData, MEASURED } from "./point_distances.ts";
import { gaussianNoise } from "../engine/noise.ts";
import { arrowsOf, diffusionFigure, fieldFigure } from "../plot/figures.ts";
import { lossFigure } from "../plot/loss_figure.ts";
import type { RunFolder } from "../run/folder.ts";
import { leftFiniteNumbers } from "./finite.ts";
import type { Schedule } from "../schedule.ts";

/** A point of a reverse chain; its tensor is valid until the next one is asked for. */
export interface PointChain {
  /** From T down to 0. */
  t: number;
  /** [B, 2]. */
  xt: tf.Tensor2D;
}

/** The bound of paper 1 and what it is compared with, in bits for each point. */
export interface Bound {
  /** K, a lower bound of the mean log likelihood log₂ p(x₀). */
  K: number;
  /** L_null, the mean log likelihood of the data under the prior N(0, I). */
  nullModel: number;
  /** E KL(q‖p) of each t = 2..T, in nats a point. */
  klPerT: { t: number[]; value: number[] };
  /** The same of the best Gaussians, at some t, where the distribution of the data is known. */
  floorPerT?: { t: number[]; value: number[] };
}

/** The numbers of a finished run. */
export interface PointReport {
  /** The bound, in bits a point. */
  K: number;
  /** K − L_null: how much better than the prior the model explains the data. */
  KMinusNull: number;
  /** K of the best Gaussians, where the distribution of the data is known and T is at most 41. */
  KOfBest?: number;
  /** Sliced Wasserstein distance between samples and data. */
  slicedWasserstein: number;
  /** The same between two draws of the data: what a perfect model would get. */
  slicedWassersteinOfData: number;
  /** Mean distance of a sample from the noise-free shape, where it has one. */
  meanDistance?: number;
  /** Share of the samples that lie farther than {@linkcode STRAY} from that shape. */
  strays?: number;
}

/** A finished run, as its report needs it. */
export interface PointRun {
  /** The run's folder, where the files go. */
  folder: RunFolder;
  /** What the model was trained on. */
  data: PointData;
  /** Decides what is drawn. */
  seed: number;
  /** The loss of every step. */
  losses: number[];
  /** The model's schedule. */
  schedule: Schedule;
  /** The bound, as the script measured it. */
  bound: Bound;
  /** One step of the forward chain from x_{t−1} to xₜ, with noise z; all [B, 2]. */
  forwardStep: (before: tf.Tensor2D, t: number, z: tf.Tensor2D) => tf.Tensor2D;
  /** A reverse chain of so many points. */
  reverse: (count: number) => Iterable<PointChain>;
  /** μ_θ(xₜ, t), [B, 2]. */
  mean: (xt: tf.Tensor2D, t: number) => tf.Tensor;
}

/** How far from the shape a sample counts as a stray: the shapes are about 3 wide. */
export const STRAY = 0.05;
/** Points in a figure's panel. */
const SHOWN = 3000;
/** How many points are kept at every t, and how many positions at most over all t. */
const KEPT = 2000;
const MOST_PLACES = 200_000;
/** Where on the way from 0 to T the learned drift is drawn. */
const FIELD_TIMES = [0.4, 0.55, 0.7, 1];
/** Arrows along each side of a field. */
const ARROWS = 17;

/**
 * Writes samples.csv, the three figures and the numbers behind them (figures.safetensors, see
 * {@linkcode chainRecord}) into the run's folder, and measures the samples.
 */
export async function reportPoints(run: PointRun): Promise<PointReport> {
  const { folder, data, seed, losses, bound } = run;
  const reverse = await pointsAlongChain(run);
  const [samples] = reverse; // t = 0
  await folder.write("samples.csv", pointsAsCsv(samples));
  await folder.write("paper1_diffusion.png", await drawChains(run, reverse));
  const perT = {
    ...bound.klPerT,
    label: "KL of each t, nats a point",
    floor: bound.floorPerT && { ...bound.floorPerT, label: "the best Gaussians" },
  };
  const loss = await lossFigure({ lossLabel: "KL(q‖p), nats a number", losses, perT });
  await folder.write("paper1_loss.png", loss);
  await folder.write("paper1_field.png", await drawField(run));
  await folder.write("figures.safetensors", encodeSafetensors(await chainRecord(run, reverse)));
  const distances = distancesToData([samples], data, { seed });
  const fromShape = data.distance?.(samples);
  return {
    K: bound.K,
    KMinusNull: bound.K - bound.nullModel,
    KOfBest: kOfBest(bound),
    slicedWasserstein: distances.ofSamples[0],
    slicedWassersteinOfData: distances.ofData,
    meanDistance: fromShape && mean(fromShape),
    strays: fromShape && fromShape.filter((distance) => distance > STRAY).length / fromShape.length,
  };
}

/** K, had every t the KL of the floor: nats become bits. */
function kOfBest({ K, klPerT, floorPerT }: Bound): number | undefined {
  if (floorPerT?.t.length !== klPerT.t.length) return undefined;
  const above = klPerT.value.reduce((sum, kl, i) => sum + kl - floorPerT.value[i], 0);
  return K + above / Math.LN2;
}

/** The report as the last line of a run. */
export function inOneLine(report: PointReport, data: PointData): string {
  const { K, KMinusNull, meanDistance, strays } = report;
  const parts = [
    `K = ${K.toFixed(2)} bits a point (${data.scale}), K − L_null = ${KMinusNull.toFixed(2)} bits`,
    `sliced Wasserstein distance ${report.slicedWasserstein.toFixed(4)} ` +
    `(two draws of the data: ${report.slicedWassersteinOfData.toFixed(4)})`,
  ];
  if (meanDistance !== undefined && strays !== undefined) {
    parts.push(
      `mean distance from the spiral ${meanDistance.toFixed(4)}, ` +
        `${(100 * strays).toFixed(1)} % farther than ${STRAY}`,
    );
  }
  return parts.join("; ");
}

/**
 * The reverse chain's points, [B, 2] for each t from 0 to T.
 *
 * @throws {UserError} They are no finite numbers.
 */
async function pointsAlongChain({ schedule, reverse }: PointRun): Promise<Float32Array[]> {
  const points: Float32Array[] = new Array(schedule.T + 1);
  for (const { t, xt } of reverse(MEASURED)) {
    points[t] = await xt.data<"float32">();
    if (!points[t].every(Number.isFinite)) throw leftFiniteNumbers("points", t);
  }
  return points;
}

/**
 * What the animation and the explorer show: `forward` and `reverse`, the chains' points, and `mean`,
 * μ_θ(xₜ, t) of the reverse chain's points (x₀ itself at t = 0), all [T+1, N, 2] with t as the first
 * index; `perT.t` and `perT.value`, the KL of each t, and `floor.t` and `floor.value`, that of the best
 * Gaussians; and `schedule.alphaBar`, [T+1].
 */
async function chainRecord(
  run: PointRun,
  reverse: Float32Array[],
): Promise<Map<string, HostTensor>> {
  const { schedule, bound } = run;
  const { floorPerT: floor } = bound;
  const times = Array.from(reverse.keys());
  const N = Math.min(KEPT, Math.floor(MOST_PLACES / times.length));
  const chain = reverse.map((points) => points.subarray(0, 2 * N));
  const means = await Promise.all(chain.map(async (points, t) => {
    if (t === 0) return points;
    const mean = tf.tidy(() => run.mean(tf.tensor2d(points, [N, 2]), t));
    return await mean.data<"float32">().finally(() => mean.dispose());
  }));
  const paths = (rows: Float32Array[]): HostTensor => ({
    shape: [times.length, N, 2],
    data: concatenated(rows),
  });
  return new Map([
    ["forward", paths(await forwardChain(run, N))],
    ["reverse", paths(chain)],
    ["mean", paths(means)],
    ["perT.t", vector(bound.klPerT.t)],
    ["perT.value", vector(bound.klPerT.value)],
    ...floor ? [["floor.t", vector(floor.t)], ["floor.value", vector(floor.value)]] as const : [],
    ["schedule.alphaBar", vector(times.map(schedule.alphaBar))],
  ]);
}

/** N points on their way to noise, step by step: [N, 2] for each t from 0 to T. */
async function forwardChain({ data, seed, schedule, forwardStep }: PointRun, N: number) {
  const points = [data.sample({ seed, stream: "figure x0" }, N)];
  for (let t = 1; t <= schedule.T; t++) {
    const xt = tf.tidy(() => {
      const z = gaussianNoise<tf.Rank.R2>({ seed, stream: "figure z", step: t }, [N, 2]);
      return forwardStep(tf.tensor2d(points[t - 1], [N, 2]), t, z);
    });
    points.push(await xt.data<"float32">());
    xt.dispose();
  }
  return points;
}

/** The forward chain above, the learned reverse chain below. */
async function drawChains(
  run: PointRun,
  reverse: Float32Array[],
): Promise<Uint8Array> {
  const { T } = run.schedule;
  const times = [0, Math.floor(T / 2), T];
  const above = await Promise.all(times.map(async (t) => {
    const xt = tf.tidy(() => forwardPoints(run, t));
    const points = await xt.data<"float32">();
    xt.dispose();
    return { title: `t = ${t}`, points };
  }));
  const below = times.map((t) => ({
    title: `t = ${t}`,
    points: reverse[t].subarray(0, 2 * SHOWN),
  }));
  return await diffusionFigure({
    rows: [
      { label: "forward: data to noise", panels: above },
      { label: "reverse: noise to samples", panels: below },
    ],
  });
}

/** What the network knows: μ_θ(xₜ, t) − xₜ on a grid, over the data at that t. */
async function drawField(run: PointRun): Promise<Uint8Array> {
  const times = FIELD_TIMES.map((share) => Math.max(2, Math.round(share * run.schedule.T)));
  const panels = await Promise.all([...new Set(times)].map(async (t) => {
    const tensors = tf.tidy(() => {
      const xt = forwardPoints(run, t);
      const ticks = tf.mul(tf.linspace(-1, 1, ARROWS), tf.max(tf.abs(xt))); // a square holding all
      const [x, y] = tf.meshgrid(ticks, ticks);
      const grid = tf.stack([tf.reshape(x, [-1]), tf.reshape(y, [-1])], 1) as tf.Tensor2D;
      return [xt, grid, tf.sub(run.mean(grid, t), grid)];
    });
    const [dots, from, by] = await Promise.all(
      tensors.map((tensor: tf.Tensor) => tensor.data<"float32">()),
    );
    tf.dispose(tensors);
    return { title: `t = ${t}`, points: dots, arrows: arrowsOf(from, by) };
  }));
  return await fieldFigure({ panels });
}

/** Data points with the noise of t. */
function forwardPoints({ data, seed, schedule }: PointRun, t: number): tf.Tensor2D {
  const x0 = tf.tensor2d(data.sample({ seed, stream: "figure x0" }, SHOWN), [SHOWN, 2]);
  const eps = gaussianNoise<tf.Rank.R2>({ seed, stream: "figure eps" }, [SHOWN, 2]);
  return qSample(schedule, x0, t, eps);
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
