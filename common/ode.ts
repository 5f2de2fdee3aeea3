/**
 * Solvers of ordinary differential equations, dx/dt = v(x, t): Euler, Heun, and Dormand & Prince 1980
 * with steps as long as the error allows.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** v(x, t), like x: where the points at x go at the time t. */
export type Velocity = (x: tf.Tensor2D, t: number) => tf.Tensor2D;

/** A moment of a solution. */
export interface Moment {
  /** When. */
  t: number;
  /** [B, D]; valid until the next moment is asked for. */
  x: tf.Tensor2D;
  /** How often v was computed until now: what a solution costs. */
  evaluations: number;
}

/** One step of a solver, from x at t to x at t + h. */
export interface Step {
  /** Takes it; h is negative on the way back. */
  take(velocity: Velocity, x: tf.Tensor2D, t: number, h: number): tf.Tensor2D;
  /** How often it computes v. */
  evaluations: number;
}

/** Euler's step, of first order: straight on. */
export const eulerStep: Step = {
  evaluations: 1,
  // x_{t+h} = x + h·v(x, t)
  take: (velocity, x, t, h) => tf.add(x, tf.mul(h, velocity(x, t))),
};

/** Heun's step, of second order: with the mean of the velocities at both ends. */
export const heunStep: Step = {
  evaluations: 2,
  take(velocity, x, t, h) {
    const k1 = velocity(x, t);
    const k2 = velocity(tf.add(x, tf.mul(h, k1)), t + h);
    // x_{t+h} = x + h·(k₁ + k₂)/2
    return tf.add(x, tf.mul(h / 2, tf.add(k1, k2)));
  },
};

/** From when to when; backwards where `to` is the smaller. */
export interface Interval {
  /** Default: 0. */
  from?: number;
  /** Default: 1. */
  to?: number;
}

/**
 * Solves in steps of one length. The first moment is the beginning itself, the last is at `to` exactly.
 *
 * @param start x at `from`, [B, D]; it is disposed of.
 * @param options.steps How many.
 * @param options.step The kind of step. Default: Euler's.
 */
export function* solve(
  velocity: Velocity,
  start: tf.Tensor2D,
  { steps, step = eulerStep, from = 0, to = 1 }: Interval & { steps: number; step?: Step },
): Generator<Moment, void> {
  const timeOf = (i: number) => i === steps ? to : from + (to - from) * i / steps;
  let x = start;
  try {
    yield { t: from, x, evaluations: 0 };
    for (let i = 0; i < steps; i++) {
      const t = timeOf(i);
      const next = tf.tidy(() => step.take(velocity, x, t, timeOf(i + 1) - t));
      x.dispose();
      x = next;
      yield { t: timeOf(i + 1), x, evaluations: (i + 1) * step.evaluations };
    }
  } finally {
    x.dispose();
  }
}

/** The times of Dormand & Prince's seven velocities, and what each is computed from (1980, table 2). */
const C = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
const A = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
/** The solution of fifth order less the one of fourth: an estimate of the error. */
const E = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/**
 * One step of Dormand and Prince, of fifth order.
 *
 * @param k1 v(x, t), the last velocity of the step before.
 * @returns x at t + h; an estimate of its error; and v there. The caller disposes of all three.
 */
export function dormandPrinceStep(
  velocity: Velocity,
  { x, t, h, k1 }: { x: tf.Tensor2D; t: number; h: number; k1: tf.Tensor2D },
): { x: tf.Tensor2D; error: tf.Tensor2D; k7: tf.Tensor2D } {
  return tf.tidy(() => {
    const k = [k1];
    let next = x;
    for (let i = 1; i < 7; i++) {
      // kᵢ = v(x + h·Σⱼ aᵢⱼ·kⱼ, t + cᵢ·h); the last x is the one of fifth order
      next = tf.add(x, tf.mul(h, weightedSum(A[i], k)));
      k.push(velocity(next, t + C[i] * h));
    }
    return { x: next, error: tf.mul(h, weightedSum(E, k)), k7: k[6] };
  });
}

function weightedSum(weights: number[], k: tf.Tensor2D[]): tf.Tensor2D {
  return tf.addN(weights.flatMap((weight, j) => weight === 0 ? [] : [tf.mul(weight, k[j])]));
}

/** How far one step may be longer or shorter than the one before, and how careful it is. */
const LEAST_CHANGE = 0.2;
const MOST_CHANGE = 5;
const SAFETY = 0.9;
/** Steps, taken or refused, after which an equation counts as too stiff. */
const MOST_STEPS = 10_000;

/**
 * Solves with steps that are as long as the tolerance allows: where the way bends, they are short. A step
 * with too large an error is taken again with a shorter one.
 *
 * @param start x at `from`, [B, D]; it is disposed of.
 * @param options.tolerance The error of a step that is let pass, relative to 1 + |x|, as the root of the
 * mean square over all numbers.
 * @throws {RangeError} There are more than 10,000 steps, or the error is no number.
 */
export async function* dormandPrince(
  velocity: Velocity,
  start: tf.Tensor2D,
  { tolerance, from = 0, to = 1 }: Interval & { tolerance: number },
): AsyncGenerator<Moment, void> {
  let [t, h, evaluations] = [from, (to - from) / 10, 1];
  let x = start;
  let k1 = tf.tidy(() => velocity(x, t));
  try {
    yield { t, x, evaluations: 0 };
    for (let tries = 0; t !== to; tries++) {
      if (tries === MOST_STEPS) {
        throw new RangeError(`dormandPrince: ${tries} steps, still at ${t}`);
      }
      const isLast = Math.abs(to - t) <= Math.abs(h) * (1 + 1e-9);
      if (isLast) h = to - t;
      const step = dormandPrinceStep(velocity, { x, t, h, k1 });
      evaluations += 6;
      const error = await relativeError(step, tolerance);
      if (Number.isNaN(error)) throw new RangeError(`dormandPrince: the error at ${t} is NaN`);
      const isGood = error <= 1;
      tf.dispose([step.error, ...(isGood ? [x, k1] : [step.x, step.k7])]);
      if (isGood) {
        [x, k1] = [step.x, step.k7];
        t = isLast ? to : t + h;
        yield { t, x, evaluations };
      }
      const change = SAFETY * Math.max(error, 1e-10) ** (-1 / 5);
      h *= Math.min(isGood ? MOST_CHANGE : 1, Math.max(LEAST_CHANGE, change));
    }
  } finally {
    tf.dispose([x, k1]);
  }
}

/** The error of a step in units of the one that is let pass. */
async function relativeError(
  { x, error }: { x: tf.Tensor2D; error: tf.Tensor2D },
  tolerance: number,
): Promise<number> {
  const size = tf.tidy(() => {
    const allowed = tf.mul(tolerance, tf.add(1, tf.abs(x)));
    return tf.sqrt(tf.mean(tf.square(tf.div(error, allowed))));
  });
  const [value] = await size.data();
  size.dispose();
  return value;
}
