/**
 * The learning rate over a training.
 *
 * @module
 */

/** What decides the rate. */
export interface RateSettings {
  /** The last step. */
  steps: number;
  /** The highest rate. */
  learningRate: number;
  /** Whether the rate falls to 0 along half a cosine, or not at all. */
  decay: "cosine" | "none";
  /** Steps in which the rate grows to the highest. Default: 1. */
  warmUp?: number;
}

/** The rate at a step from 1. */
export function learningRateAt(step: number, settings: RateSettings): number {
  const { steps, learningRate, decay, warmUp = 1 } = settings;
  const remaining = decay === "cosine" ? cosineDecay(step, steps) : 1;
  return learningRate * Math.min(1, step / warmUp) * remaining;
}

/** The share of the rate that is left after `step` of `steps`: from 1 to 0 along half a cosine. */
export function cosineDecay(step: number, steps: number): number {
  return (1 + Math.cos(Math.PI * step / steps)) / 2;
}
