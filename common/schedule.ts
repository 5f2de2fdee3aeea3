/**
 * How much noise the forward process adds at each of its T steps, and what follows from it in closed
 * form. Time is 1-based, t = 1..T, as in the papers; this is the one place that turns it into an
 * array's index.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** The mean's coefficients and the standard deviation of q(x_{t−1} | xₜ, x₀). */
export interface PosteriorCoefficients {
  /** √ᾱ_{t−1}·βₜ/(1−ᾱₜ). */
  coefX0: number;
  /** √αₜ·(1−ᾱ_{t−1})/(1−ᾱₜ). */
  coefXt: number;
  /** √β̃ₜ with β̃ₜ = (1−ᾱ_{t−1})/(1−ᾱₜ)·βₜ; 0 at t = 1. */
  std: number;
}

/** A batch's quantities as tensors, each [B], for the t of every sample. */
export interface ScheduleBatch {
  /** βₜ. */
  beta: tf.Tensor1D;
  /** αₜ. */
  alpha: tf.Tensor1D;
  /** ᾱₜ. */
  alphaBar: tf.Tensor1D;
  /** See {@linkcode PosteriorCoefficients}. */
  coefX0: tf.Tensor1D;
  /** See {@linkcode PosteriorCoefficients}. */
  coefXt: tf.Tensor1D;
  /** See {@linkcode PosteriorCoefficients}. */
  std: tf.Tensor1D;
}

/** A noise schedule. All functions throw a RangeError for a t that is not one of its steps. */
export interface Schedule {
  /** Number of steps. */
  readonly T: number;
  /** βₜ, the variance added at step t; t in 1..T. */
  beta(t: number): number;
  /** αₜ = 1 − βₜ; t in 1..T. */
  alpha(t: number): number;
  /** ᾱₜ = α₁·α₂···αₜ, the share of x₀'s variance left in xₜ; t in 0..T, with ᾱ₀ = 1. */
  alphaBar(t: number): number;
  /** q(x_{t−1} | xₜ, x₀); t in 1..T   (Ho et al. 2020, Eq. 7). */
  posterior(t: number): PosteriorCoefficients;
  /** The same for a batch of t, as tensors. */
  batch(t: ArrayLike<number>): ScheduleBatch;
}

/**
 * βₜ rises linearly from `first` to `last` (Ho et al. 2020, section 4).
 *
 * @throws {RangeError} T is not a whole number from 2, or a β is not in (0, 1).
 *
 * @example What is left of the data at both ends
 * ```ts
 * import { linearSchedule } from "./schedule.ts";
 * import { assert } from "@std/assert";
 *
 * const schedule = linearSchedule(1000);
 *
 * assert(schedule.alphaBar(0) === 1); // x₀ is all data
 * assert(schedule.alphaBar(1000) < 1e-4); // x_T is all noise
 * ```
 */
export function linearSchedule(T: number, first = 1e-4, last = 0.02): Schedule {
  return fromBetas(T, (t) => first + (last - first) * (t - 1) / (T - 1));
}

/**
 * βₜ rises along a sigmoid from 10⁻⁵ to 0.3: almost nothing happens at first, then noise pours in.
 * The schedule of the original script for paper 1, which leaves it open (Sohl-Dickstein et al. 2015
 * train theirs, section 2.4.1).
 *
 * @throws {RangeError} T is not a whole number from 2.
 */
export function sigmoidSchedule(T: number): Schedule {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  return fromBetas(T, (t) => 1e-5 + (0.3 - 1e-5) * sigmoid(-18 + 28 * (t - 1) / (T - 1)));
}

/**
 * ᾱₜ falls along a squared cosine; β is held at 0.999 or below (Nichol & Dhariwal 2021, Eq. 17).
 *
 * @throws {RangeError} T is not a whole number from 2.
 */
export function cosineSchedule(T: number): Schedule {
  const f = (t: number) => Math.cos((t / T + 0.008) / 1.008 * Math.PI / 2) ** 2;
  return fromBetas(T, (t) => Math.min(0.999, 1 - f(t) / f(t - 1)));
}

function fromBetas(T: number, betaOf: (t: number) => number): Schedule {
  if (!Number.isInteger(T) || T < 2) {
    throw new RangeError(`a schedule of ${T} steps; allowed are whole numbers from 2`);
  }
  const betas = Float64Array.from({ length: T + 1 }, (_, t) => t === 0 ? 0 : betaOf(t));
  const bad = betas.findIndex((beta, t) => t > 0 && !(beta > 0 && beta < 1));
  if (bad > 0) throw new RangeError(`β at step ${bad} is ${betas[bad]}; allowed is 0 < β < 1`);
  const alphaBars = new Float64Array(T + 1).fill(1);
  for (let t = 1; t <= T; t++) alphaBars[t] = alphaBars[t - 1] * (1 - betas[t]);

  function check(t: number, lowest: number): number {
    if (Number.isInteger(t) && t >= lowest && t <= T) return t;
    throw new RangeError(`t = ${t}; this schedule has t = ${lowest}..${T}`);
  }
  const beta = (t: number) => betas[check(t, 1)];
  const alpha = (t: number) => 1 - betas[check(t, 1)];
  const alphaBar = (t: number) => alphaBars[check(t, 0)];

  function posterior(t: number): PosteriorCoefficients {
    if (check(t, 1) === 1) return { coefX0: 1, coefXt: 0, std: 0 }; // x₀ is known
    const before = alphaBar(t - 1);
    const noise = 1 - alphaBar(t);
    return {
      coefX0: Math.sqrt(before) * beta(t) / noise,
      coefXt: Math.sqrt(alpha(t)) * (1 - before) / noise,
      std: Math.sqrt((1 - before) / noise * beta(t)),
    };
  }

  function batch(t: ArrayLike<number>): ScheduleBatch {
    const times = Array.from(t);
    const tensor = (of: (t: number) => number) => tf.tensor1d(times.map(of));
    return {
      beta: tensor(beta),
      alpha: tensor(alpha),
      alphaBar: tensor(alphaBar),
      coefX0: tensor((t) => posterior(t).coefX0),
      coefXt: tensor((t) => posterior(t).coefXt),
      std: tensor((t) => posterior(t).std),
    };
  }

  return { T, beta, alpha, alphaBar, posterior, batch };
}
