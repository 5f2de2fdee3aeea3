/**
 * The forward process, which turns data into noise step by step, in closed form. Nothing is learned
 * here: everything about it is known exactly.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Schedule } from "./schedule.ts";

/**
 * Draws xₜ given x₀ in one go: xₜ = √ᾱₜ·x₀ + √(1−ᾱₜ)·ε   (Ho et al. 2020, Eq. 4).
 *
 * @param x0 Data, [B, ...].
 * @param t Timesteps in 0..T: one for each sample, or one for all.
 * @param eps ε ~ N(0, I), like x0.
 * @returns xₜ, like x0.
 *
 * @example An image early and late in the forward process
 * ```ts
 * import { qSample } from "./forward_process.ts";
 * import { linearSchedule } from "./schedule.ts";
 * import { gaussianNoise } from "./engine/noise.ts";
 * import * as tf from "@tensorflow/tfjs";
 *
 * const schedule = linearSchedule(1000);
 * const shape: [number, number, number, number] = [2, 16, 16, 1];
 * const x0 = tf.ones<tf.Rank.R4>(shape); // two white images
 * const eps = gaussianNoise<tf.Rank.R4>({ seed: 0, stream: "eps" }, shape);
 *
 * const xt = qSample(schedule, x0, [10, 900], eps); // nearly white, nearly noise
 * xt.dispose();
 * ```
 */
export function qSample<T extends tf.Tensor>(
  schedule: Schedule,
  x0: T,
  t: ArrayLike<number> | number,
  eps: T,
): T {
  return tf.tidy(() => {
    const signal = coefficient(x0, t, (t) => Math.sqrt(schedule.alphaBar(t)));
    const noise = coefficient(x0, t, (t) => Math.sqrt(1 - schedule.alphaBar(t)));
    return tf.add(tf.mul(signal, x0), tf.mul(noise, eps)) as T;
  });
}

/**
 * Adds noise to xₜ until it is a later xₙ, in one go: xₙ = √(ᾱₙ/ᾱₜ)·xₜ + √(1 − ᾱₙ/ᾱₜ)·ε. That is n − t single steps
 * q(xₜ | x_{t−1}) = N(√(1−βₜ)·x_{t−1}, βₜI)   (Ho et al. 2020, Eq. 2), and for t = 0 it is
 * {@linkcode qSample}.
 *
 * @param at.xt xₜ, [B, ...].
 * @param at.t In 0..n.
 * @param at.tNext n, in t..T.
 * @param at.eps ε ~ N(0, I), like xt.
 * @returns xₙ, like xt.
 * @throws {RangeError} n is before t.
 */
export function qJump<T extends tf.Tensor>(
  schedule: Schedule,
  { xt, t, tNext: n, eps }: { xt: T; t: number; tNext: number; eps: T },
): T {
  if (n < t) throw new RangeError(`qJump: from t = ${t} to ${n}; noise only grows with t`);
  const kept = schedule.alphaBar(n) / schedule.alphaBar(t); // α_{t+1}···αₙ
  return tf.tidy(() => tf.add(tf.mul(xt, Math.sqrt(kept)), tf.mul(eps, Math.sqrt(1 - kept))) as T);
}

/**
 * q(x_{t−1} | xₜ, x₀), a Gaussian: where xₜ came from, if one knows where it began.
 *
 * @param x0 Data, [B, ...].
 * @param xt xₜ, like x0.
 * @param t Timesteps in 1..T: one for each sample, or one for all.
 * @returns mean = √ᾱ_{t−1}·βₜ/(1−ᾱₜ)·x₀ + √αₜ·(1−ᾱ_{t−1})/(1−ᾱₜ)·xₜ, like x0, and std = √β̃ₜ, which
 * broadcasts against it   (Ho et al. 2020, Eqs. 6 and 7).
 */
export function qPosterior<T extends tf.Tensor>(
  schedule: Schedule,
  x0: T,
  xt: T,
  t: ArrayLike<number> | number,
): { mean: T; std: tf.Tensor } {
  return tf.tidy(() => {
    const coefX0 = coefficient(x0, t, (t) => schedule.posterior(t).coefX0);
    const coefXt = coefficient(x0, t, (t) => schedule.posterior(t).coefXt);
    const mean = tf.add(tf.mul(coefX0, x0), tf.mul(coefXt, xt)) as T;
    return { mean, std: coefficient(x0, t, (t) => schedule.posterior(t).std) };
  });
}

/** A number for each sample, shaped to multiply samples like x: [B, 1, ..., 1], or a scalar. */
function coefficient(
  x: tf.Tensor,
  t: ArrayLike<number> | number,
  of: (t: number) => number,
): tf.Tensor {
  if (typeof t === "number") return tf.scalar(of(t));
  return tf.tensor(Array.from(t, of), [x.shape[0], ...x.shape.slice(1).map(() => 1)]);
}
