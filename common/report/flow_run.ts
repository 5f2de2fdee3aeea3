/**
 * A finished run of flows in the plane: what is reported on, and the numbers that come out.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { PointData } from "../data/points/point_data.ts";
import type { Moment, Velocity } from "../ode.ts";
import type { RunFolder } from "../run/folder.ts";
import type { Paper1Beside } from "./paper_1_beside.ts";

/** The numbers of a finished run; in each list flow 0 comes first, then the reflows. */
export interface FlowReport {
  /** Sliced Wasserstein distance between samples.csv and the data. */
  slicedWasserstein: number;
  /** The same between two draws of the data: what a perfect model would get. */
  slicedWassersteinOfData: number;
  /** How often the network was asked for each sample of samples.csv. */
  evaluations: number;
  /** Mean distance of a sample from the noise-free shape, where it has one. */
  meanDistance?: number;
  /** The numbers of steps below. */
  steps: number[];
  /** The distance to the data after so many Euler steps, a list for each flow. */
  distanceOfFlow: number[][];
  /** The same of flow 0 after so many Heun steps, with two evaluations each. */
  distanceByHeun: number[];
  /** S of each flow. */
  straightness: number[];
  /** The mean log₂ p(x) of fresh data under each flow, in bits a point. */
  logLikelihood: number[];
  /** The same under N(0, I). */
  nullModel: number;
  /** The bound of the run of paper 1 beside it, in bits a point. */
  paper1K?: number;
  /** Its sliced Wasserstein distance. */
  paper1SlicedWasserstein?: number;
}

/** What is reported on. */
export interface FlowRun {
  /** Where everything is written. */
  folder: RunFolder;
  /** What was learned. */
  data: PointData;
  /** Decides all random numbers. */
  seed: number;
  /** The loss of every step. */
  losses: number[];
  /** The loss of flow 0 at single t. */
  lossPerT: { t: number[]; value: number[] };
  /** v of each flow, flow 0 first. */
  flows: Velocity[];
  /** ψₜ: where a noise is on its line to a data point. */
  line: (x0: tf.Tensor2D, x1: tf.Tensor2D, t: number) => tf.Tensor2D;
  /** Follows a flow from so many noises by the solver of the settings. */
  sample: (velocity: Velocity, count: number) => Iterable<Moment> | AsyncIterable<Moment>;
  /** S of a flow, from noises on, which are disposed of. */
  straightness: (velocity: Velocity, z0: tf.Tensor2D) => Promise<number>;
  /** The mean log p of points, in nats; the points are disposed of. */
  logLikelihood: (velocity: Velocity, x: tf.Tensor2D) => Promise<number>;
  /** A run of paper 1 to compare with. */
  beside?: Paper1Beside;
}

/** What a flow is called in words. */
export function flowName(reflows: number): string {
  return reflows === 0 ? "flow" : reflows === 1 ? "after one reflow" : `after ${reflows} reflows`;
}
