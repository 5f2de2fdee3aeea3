/**
 * The best that a Gaussian step backwards can be, where the distribution of the data is known.
 *
 * @module
 */
import { knownX0, type Mixture } from "../../data/points/mixture.ts";
import type { Schedule } from "../../schedule.ts";

/**
 * Mean and standard deviation of q(x_{t−1} | xₜ) at points xₜ: of all Gaussians with these, and of no
 * others, E KL(q(x_{t−1} | xₜ, x₀)‖p) is least.
 *
 * @param xt [B·2].
 * @param known q(x₀).
 * @returns Both [B·2].
 */
export function bestGaussian(
  schedule: Schedule,
  t: number,
  xt: Float32Array,
  known: Mixture,
): { mean: Float32Array; std: Float32Array } {
  const { coefX0, coefXt, std: posteriorStd } = schedule.posterior(t);
  const [mean, std] = [new Float32Array(xt.length), new Float32Array(xt.length)];
  for (let i = 0; i < xt.length; i += 2) {
    const x0 = knownX0(known, [xt[i], xt[i + 1]], schedule.alphaBar(t));
    for (let d = 0; d < 2; d++) {
      // E[x_{t−1} | xₜ] = √ᾱ_{t−1}·βₜ/(1−ᾱₜ)·E[x₀ | xₜ] + √αₜ·(1−ᾱ_{t−1})/(1−ᾱₜ)·xₜ
      mean[i + d] = coefX0 * x0.mean[d] + coefXt * xt[i + d];
      // Var[x_{t−1} | xₜ] = β̃ₜ + (√ᾱ_{t−1}·βₜ/(1−ᾱₜ))²·Var[x₀ | xₜ]
      std[i + d] = Math.sqrt(posteriorStd ** 2 + coefX0 ** 2 * x0.variance[d]);
    }
  }
  return { mean, std };
}
