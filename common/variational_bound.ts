/**
 * How well a model describes images it has not seen: the variational bound of Ho et al. 2020,
 *
 *     −log p(x₀) ≤ E[ D_KL(q(x_T|x₀)‖p(x_T)) + Σ_{t>1} D_KL(q(x_{t−1}|xₜ,x₀)‖p_θ(x_{t−1}|xₜ)) − log p_θ(x₀|x₁) ]
 *                     L_T                     L_{t−1}                                      L₀        (Eq. 5)
 *
 * read as a message (section 4.3): with so many nats a sender can tell a receiver an image, first x_T, then
 * what each step adds, and at last the exact grey values.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { qSample } from "./forward_process.ts";
import { type Denoiser, heldInRange } from "./reverse_process.ts";
import type { Schedule } from "./schedule.ts";

/** σₜ² of p_θ(x_{t−1}|xₜ): βₜ or β̃ₜ, between which Ho et al. chose (section 3.2). */
export const VARIANCES = ["beta", "posterior"] as const;
/** One of {@linkcode VARIANCES}. */
export type Variance = typeof VARIANCES[number];

/** A term of the bound, for each of B images. */
export interface BoundTerm {
  /** L_{t−1} in nats, [B], with each variance. */
  nats: Record<Variance, Float64Array>;
  /** ‖x₀ − x̂₀‖²/D, [B]: what the receiver of xₜ still gets wrong, D being the numbers of an image. */
  distortion: Float64Array;
}

/** σₜ². At t = 1, where β̃₁ is 0, that of β̃ is β̃₂, as in the authors' code. */
export function reverseVariance({ beta, posterior }: Schedule, t: number, of: Variance): number {
  return of === "beta" ? beta(t) : posterior(Math.max(2, t)).std ** 2;
}

/**
 * L_T = D_KL(q(x_T|x₀)‖N(0, I)) in nats, what tells the receiver x_T; nothing in it is learned.
 *
 * @param x0 The numbers of one image.
 */
export function priorTerm({ T, alphaBar }: Schedule, x0: Float32Array): number {
  const variance = 1 - alphaBar(T);
  // ½·(1−ᾱ_T + ᾱ_T·x₀² − 1 − log(1−ᾱ_T)) for each number
  return x0.reduce(
    (sum, x) => sum + (variance + alphaBar(T) * x * x - 1 - Math.log(variance)) / 2,
    0,
  );
}

/**
 * L_{t−1} for a batch of images that are at the same t; L₀ for t = 1. The mean of p_θ is that of Algorithm 2:
 * x̂₀ is held within [-1, 1].
 *
 * @param at.x0 x₀, [B, H, W, C] in [-1, 1].
 * @param at.t In 1..T.
 * @param at.eps ε ~ N(0, I), like x₀.
 */
export async function boundTerm(
  { network, schedule }: Denoiser,
  { x0, t, eps }: { x0: tf.Tensor4D; t: number; eps: tf.Tensor4D },
): Promise<BoundTerm> {
  const B = x0.shape[0];
  const x0Hat = tf.tidy(() => {
    const alphaBar = schedule.alphaBar(t);
    // xₜ = √ᾱₜ·x₀ + √(1−ᾱₜ)·ε   (Eq. 4)
    const xt = qSample(schedule, x0, t, eps);
    const epsTheta = network.forward(xt, tf.fill([B], t));
    // x̂₀ = (xₜ − √(1−ᾱₜ)·ε_θ(xₜ, t))/√ᾱₜ   (Eq. 15)
    const noise = tf.mul(epsTheta, Math.sqrt(1 - alphaBar));
    return heldInRange(tf.div(tf.sub(xt, noise), Math.sqrt(alphaBar)));
  });
  const [truth, expected] = await Promise.all([x0, x0Hat].map((x) => x.data<"float32">()));
  x0Hat.dispose();
  const D = truth.length / B;
  const { coefX0, std } = schedule.posterior(t);
  const perImage = (of: (x: number, xHat: number) => number) =>
    Float64Array.from({ length: B }, (_, b) => {
      let sum = 0;
      for (let i = b * D; i < (b + 1) * D; i++) sum += of(truth[i], expected[i]);
      return sum;
    });
  const nats = (of: Variance) => {
    const variance = reverseVariance(schedule, t, of);
    // L₀ = −log p_θ(x₀|x₁), whose mean is x̂₀
    if (t === 1) {
      return perImage((x, xHat) => -discreteLogLikelihood(x, xHat, Math.sqrt(variance)));
    }
    // two Gaussians, whose means are √ᾱ_{t−1}·βₜ/(1−ᾱₜ)·(x₀ − x̂₀) apart (Eq. 7):
    // L_{t−1} = ½·(log(σₜ²/β̃ₜ) + β̃ₜ/σₜ² − 1 + ‖μ̃ₜ − μ_θ‖²/σₜ²) for each number   (Eq. 8)
    const ratio = std ** 2 / variance;
    return perImage((x, xHat) =>
      (-Math.log(ratio) + ratio - 1 + (coefX0 * (x - xHat)) ** 2 / variance) / 2
    );
  };
  return {
    nats: { beta: nats("beta"), posterior: nats("posterior") },
    distortion: perImage((x, xHat) => (x - xHat) ** 2 / D),
  };
}

/** Half the distance of two grey values v/127.5 − 1. */
const HALF_STEP = 1 / 255;

/**
 * The discrete decoder: log ∫ N(x; μ, σ²) dx over the numbers that are rounded to one grey value,
 *
 *     δ₋(x) = −∞ if x = −1, else x − 1/255;   δ₊(x) = ∞ if x = 1, else x + 1/255   (Ho et al. 2020, Eq. 13)
 *
 * @param x A grey value, v/127.5 − 1 with v in 0..255.
 */
export function discreteLogLikelihood(x: number, mean: number, std: number): number {
  const from = x < -1 + HALF_STEP ? -Infinity : (x - HALF_STEP - mean) / std;
  const to = x > 1 - HALF_STEP ? Infinity : (x + HALF_STEP - mean) / std;
  return logBetween(from, to);
}

/** log(Φ(to) − Φ(from)) of the standard normal distribution, accurate far out, too. */
function logBetween(from: number, to: number): number {
  if (from < 0 && to > 0) return Math.log1p(-Math.exp(logAbove(to)) - Math.exp(logAbove(-from)));
  const [near, far] = from >= 0 ? [from, to] : [-to, -from]; // both on the upper side
  return logAbove(near) + Math.log1p(-Math.exp(logAbove(far) - logAbove(near)));
}

/** log(1 − Φ(z)) for z ≥ 0, to 10⁻⁷ (Press et al., Numerical Recipes, section 6.2, erfcc). */
function logAbove(z: number): number {
  if (z === Infinity) return -Infinity;
  const x = z / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const polynomial = ERFC.reduceRight((sum, c) => sum * t + c, 0);
  return Math.log(t / 2) - x * x + polynomial;
}

const ERFC = [
  ...[-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806],
  ...[0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277],
];
