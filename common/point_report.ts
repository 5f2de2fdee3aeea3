/**
 * What a finished run on points in the plane leaves behind: figures, samples, and the numbers that say
 * how good they are. It knows nothing of the model but how its chains run.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { PointData } from "./data/points/point_data.ts";
import { slicedWasserstein } from "./metrics/sliced_wasserstein.ts";
import { gaussianNoise } from "./noise.ts";
import { diffusionFigure, fieldFigure, lossFigure } from "./plot/figures.ts";
import type { RunFolder } from "./run_folder.ts";

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
}

/** The numbers of a finished run. */
export interface PointReport {
  /** The bound, in bits a point. */
  K: number;
  /** K − L_null: how much better than the prior the model explains the data. */
  KMinusNull: number;
  /** Sliced Wasserstein distance between samples and data. */
  slicedWasserstein: number;
  /** The same between two draws of the data: what a perfect model would get. */
  slicedWassersteinOfData: number;
  /** Mean distance of a sample from the noise-free shape, where it has one. */
  meanDistance?: number;
}

/** What is reported on. */
export interface PointRun {
  folder: RunFolder;
  data: PointData;
  seed: number;
  /** The loss of every step. */
  losses: number[];
  T: number;
  bound: Bound;
  /** xₜ of the forward chain; all [B, 2]. */
  forward: (x0: tf.Tensor2D, t: number, eps: tf.Tensor2D) => tf.Tensor2D;
  /** A reverse chain of so many points. */
  reverse: (count: number) => Iterable<PointChain>;
  /** μ_θ(xₜ, t), [B, 2]. */
  mean: (xt: tf.Tensor2D, t: number) => tf.Tensor;
}

/** Points in a figure's panel, and points that are measured. */
const SHOWN = 3000;
const MEASURED = 5000;
/** Where on the way from 0 to T the learned drift is drawn. */
const FIELD_TIMES = [0.4, 0.55, 0.7, 1];
/** Arrows along each side of a field. */
const ARROWS = 17;

/** Writes samples.csv and the three figures into the run's folder, and measures the samples. */
export async function reportPoints(run: PointRun): Promise<PointReport> {
  const { folder, data, seed, losses, bound } = run;
  const reverse = await pointsAlongChain(run);
  const samples = reverse.get(0)!;
  await folder.write("samples.csv", csv(samples));
  await folder.write("paper1_diffusion.png", await drawChains(run, reverse));
  const perT = { ...bound.klPerT, label: "KL of each t, nats a point" };
  const loss = await lossFigure({ lossLabel: "KL(q‖p), nats a number", losses, perT });
  await folder.write("paper1_loss.png", loss);
  await folder.write("paper1_field.png", await drawField(run));
  return {
    K: bound.K,
    KMinusNull: bound.K - bound.nullModel,
    ...wassersteinDistances(samples, data, seed),
    meanDistance: data.distance && mean(data.distance(samples)),
  };
}

/** The report as the last line of a run. */
export function inOneLine(report: PointReport, data: PointData): string {
  const { K, KMinusNull, meanDistance } = report;
  const parts = [
    `K = ${K.toFixed(2)} bits a point (${data.scale}), K − L_null = ${KMinusNull.toFixed(2)} bits`,
    `sliced Wasserstein distance ${report.slicedWasserstein.toFixed(4)} ` +
    `(two draws of the data: ${report.slicedWassersteinOfData.toFixed(4)})`,
  ];
  if (meanDistance !== undefined) {
    parts.push(`mean distance from the spiral ${meanDistance.toFixed(4)}`);
  }
  return parts.join("; ");
}

/** The reverse chain's points at t = T, T/2 and 0. */
async function pointsAlongChain({ T, reverse }: PointRun): Promise<Map<number, Float32Array>> {
  const kept = new Map<number, Float32Array>();
  for (const { t, xt } of reverse(MEASURED)) {
    if ([T, Math.floor(T / 2), 0].includes(t)) kept.set(t, await xt.data<"float32">());
  }
  return kept;
}

/** The forward chain above, the learned reverse chain below. */
async function drawChains(
  run: PointRun,
  reverse: Map<number, Float32Array>,
): Promise<Uint8Array> {
  const times = [0, Math.floor(run.T / 2), run.T];
  const above = await Promise.all(times.map(async (t) => {
    const xt = tf.tidy(() => forwardPoints(run, t));
    const points = await xt.data<"float32">();
    xt.dispose();
    return { title: `t = ${t}`, points };
  }));
  const below = times.map((t) => ({
    title: `t = ${t}`,
    points: reverse.get(t)!.subarray(0, 2 * SHOWN),
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
  const times = FIELD_TIMES.map((share) => Math.max(2, Math.round(share * run.T)));
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
    const arrows = Array.from({ length: from.length / 2 }, (_, i) => ({
      x: from[2 * i],
      y: from[2 * i + 1],
      dx: by[2 * i],
      dy: by[2 * i + 1],
    }));
    return { title: `t = ${t}`, points: dots, arrows };
  }));
  return await fieldFigure({ panels });
}

/** Data as it is at t. */
function forwardPoints({ data, seed, forward }: PointRun, t: number): tf.Tensor2D {
  const x0 = tf.tensor2d(data.sample({ seed, stream: "figure x0" }, SHOWN), [SHOWN, 2]);
  const eps = gaussianNoise<tf.Rank.R2>({ seed, stream: "figure eps" }, [SHOWN, 2]);
  return forward(x0, t, eps);
}

/** Means over five draws: samples against data, and data against data. */
function wassersteinDistances(samples: Float32Array, data: PointData, seed: number) {
  const distances = [0, 1, 2, 3, 4].map((step) => {
    const fresh = data.sample({ seed, stream: "measure", step }, MEASURED);
    const other = data.sample({ seed, stream: "measure other", step }, MEASURED);
    const options = { directions: 200, draw: { seed, stream: "directions", step } };
    return [samples, other].map((points) => slicedWasserstein(points, fresh, options));
  });
  return {
    slicedWasserstein: mean(distances.map(([ofSamples]) => ofSamples)),
    slicedWassersteinOfData: mean(distances.map(([, ofData]) => ofData)),
  };
}

function csv(points: Float32Array): string {
  const rows = Array.from(
    { length: points.length / 2 },
    (_, i) => `${points[2 * i]},${points[2 * i + 1]}\n`,
  );
  return "x,y\n" + rows.join("");
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
