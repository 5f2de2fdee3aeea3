/**
 * A flow as a chain from noise to data, for all that draws chains.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Moment, Velocity } from "../ode.ts";
import type { ChainPoint, ImageShape } from "../reverse_process.ts";
import type { PointChain } from "./point_report.ts";

/** Follows a flow from z0, [B, D], which it disposes of. */
export type Follow = (velocity: Velocity, z0: tf.Tensor2D, how: FollowSettings) => Iterable<Moment>;

/** How a flow is followed. */
export interface FollowSettings {
  /** The kind of steps. */
  solver: "euler" | "heun";
  /** How many. */
  sampleSteps: number;
}

/**
 * The moments of a flow of images as the points of a chain. A chain counts down to the image: its t is 1 − t here.
 *
 * @param velocity Where it is given, the image that is expected is where the way would end straight on,
 * x̂₁ = xₜ + (1−t)·v(xₜ, t); without it xₜ stands in its place.
 */
export function* asChain(
  moments: Iterable<Moment>,
  shape: ImageShape,
  velocity?: Velocity,
): Generator<ChainPoint, void> {
  for (const { t, x } of moments) {
    const xt = tf.reshape<tf.Rank.R4>(x, shape);
    const expected = velocity && t < 1
      ? tf.tidy(() => tf.reshape<tf.Rank.R4>(tf.add(x, tf.mul(1 - t, velocity(x, t))), shape))
      : tf.clone(xt);
    try {
      yield { t: 1 - t, xt, x0Hat: expected };
    } finally {
      tf.dispose([xt, expected]);
    }
  }
}

/** The moments of a flow in the plane as the points of a chain, which counts down as well. */
export function* asPointChain(moments: Iterable<Moment>): Generator<PointChain, void> {
  for (const { t, x } of moments) yield { t: 1 - t, xt: x };
}
