/**
 * The learning rate over a training.
 *
 * @module
 */
import { choice } from "../run/flags.ts";

/** The flag that says how the rate falls. */
export const decayFlag = choice({
  help: "how the learning rate falls: to 0 along half a cosine, or not at all",
  of: ["cosine", "none"],
  default: "cosine",
});

/** What decides the rate. */
export interface RateSettings {
  /** The last step. */
  steps: number;
  /** The highest rate. */
  learningRate: number;
  decay: "cosine" | "none";
  /** Steps in which the rate grows to the highest; 1 unless told. */
  warmUp?: number;
}

/** The rate at a step from 1. */
export function learningRateAt(step: number, settings: RateSettings): number {
  const { steps, learningRate, decay, warmUp = 1 } = settings;
  const remaining = decay === "cosine" ? (1 + Math.cos(Math.PI * step / steps)) / 2 : 1;
  return learningRate * Math.min(1, step / warmUp) * remaining;
}
