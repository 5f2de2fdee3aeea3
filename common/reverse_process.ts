/**
 * The way from noise to an image: single steps of the reverse process, and the loop that walks them.
 *
 * Sampling, inpainting, the animation and the figures all go through {@linkcode reverseProcess}.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Schedule } from "./schedule.ts";

/** A trained denoiser and the schedule it was trained with. */
export interface Denoiser {
  /** ε_θ: predicts the noise in xₜ, [B, H, W, C], at timesteps t, [B]. */
  network: { forward(xt: tf.Tensor4D, t: tf.Tensor1D): tf.Tensor4D };
  /** How much noise is in xₜ. */
  schedule: Schedule;
  /** Whether x̂₀ is held within [-1, 1], where images are. Default: true. */
  clip?: boolean;
}

/** [B, H, W, C]. */
export type ImageShape = [B: number, H: number, W: number, C: number];

/** Where a chain starts: how many images, and from which noise. */
export interface ChainStart {
  /** Of the images. */
  shape: ImageShape;
  /** The run's seed. */
  seed: number;
  /** The noise is a function of the seed and this name. */
  name: string;
  /** The number of its first image among all that are drawn in several chains. Default: 0. */
  first?: number;
}

/** What a step computes at xₜ: the image it expects, and the next point. */
export type Transition = {
  /** x̂₀, the image that xₜ would come from if the predicted noise were right. */
  x0Hat: tf.Tensor4D;
  /** The point of the chain that comes next. */
  xNext: tf.Tensor4D;
};

/** A step of a chain as a script writes it. A step of the forward process gives no x0Hat. */
export type Step = (
  xt: tf.Tensor4D,
  t: number,
  tNext: number,
  i: number,
) => { x0Hat?: tf.Tensor; xNext: tf.Tensor };

/** A point of the chain. Its tensors are valid until the next point is asked for: clone to keep. */
export interface ChainPoint {
  /** From T down to 0. */
  t: number;
  /** [B, H, W, C]. */
  xt: tf.Tensor4D;
  /** x̂₀ at xₜ, or the latest one where a forward step follows; x₀ itself at t = 0. */
  x0Hat: tf.Tensor4D;
}

/**
 * Walks a chain from x_T to x₀.
 *
 * @param xT The noise to begin with; the chain disposes of it.
 * @param times The timesteps to visit, e.g. {@linkcode everyTimestep}; 0 follows the last one. They
 * may also rise: then the step is one of the forward process.
 * @param step From xₜ at time t to the point at time tNext; tensors it makes on the way are freed.
 * `i` counts the steps from 0: with jumps, several steps start at the same t.
 * @returns Yields a point for each time, and finally x₀ with t = 0.
 *
 * @example Algorithm 2 with a network that sees no noise
 * ```ts
 * import { everyTimestep, pSample, reverseProcess } from "./reverse_process.ts";
 * import { linearSchedule } from "./schedule.ts";
 * import { gaussianNoise } from "./engine/noise.ts";
 * import * as tf from "@tensorflow/tfjs";
 *
 * const schedule = linearSchedule(10);
 * const network = { forward: (xt: tf.Tensor4D) => tf.zerosLike(xt) };
 * const noise = (stream: string, step = 0) =>
 *   gaussianNoise<tf.Rank.R4>({ seed: 0, stream, step }, [1, 8, 8, 1]);
 *
 * const step = (xt: tf.Tensor4D, t: number) =>
 *   pSample({ network, schedule }, { xt, t, z: noise("z", t) });
 * for (const { t, xt } of reverseProcess(noise("xT"), everyTimestep(10), step)) {
 *   console.error(t, xt.shape); // 10, 9, …, 0, each with [1, 8, 8, 1]
 * }
 * ```
 */
export function* reverseProcess(
  xT: tf.Tensor4D,
  times: number[],
  step: Step,
): Generator<ChainPoint, void> {
  let xt = xT;
  let x0Hat: tf.Tensor4D | undefined;
  let xNext: tf.Tensor4D | undefined;
  try {
    for (const [i, t] of times.entries()) {
      const next = tf.tidy(() => step(xt, t, times[i + 1] ?? 0, i)) as Partial<Transition>;
      xNext = next.xNext;
      if (next.x0Hat) {
        x0Hat?.dispose();
        x0Hat = next.x0Hat;
      }
      yield { t, xt, x0Hat: x0Hat ?? xt };
      xt.dispose();
      xt = xNext!;
      xNext = undefined;
    }
    yield { t: 0, xt, x0Hat: xt };
  } finally { // also when the caller stops early
    tf.dispose([xt, x0Hat, xNext].filter((tensor) => tensor !== undefined));
  }
}

/**
 * Walks a chain to its end.
 *
 * @param chain From {@linkcode reverseProcess}.
 * @param watch Called with every point.
 * @returns x₀, [B, H, W, C]; the caller disposes of it.
 */
export async function endOfChain(
  chain: Iterable<ChainPoint>,
  watch: (point: ChainPoint) => void | Promise<void> = () => {},
): Promise<tf.Tensor4D> {
  let x0: tf.Tensor4D | undefined;
  for (const point of chain) {
    await watch(point);
    if (point.t === 0) x0 = tf.clone(point.xt);
  }
  return x0!;
}

/** T, T−1, …, 1. */
export function everyTimestep(T: number): number[] {
  return Array.from({ length: T }, (_, i) => T - i);
}

/**
 * S of the T timesteps, evenly spaced, the largest being T: the τ of Song et al. 2021, section 4.2,
 * from the last to the first.
 *
 * @throws {RangeError} S is not a whole number in 1..T.
 */
export function fewerTimesteps(T: number, S: number): number[] {
  if (!Number.isInteger(S) || S < 1 || S > T) {
    throw new RangeError(`${S} sampling steps; allowed are 1 to ${T}`);
  }
  return Array.from({ length: S }, (_, i) => Math.round((S - i) * T / S));
}

/**
 * The timesteps of a chain that goes back and forth: from every j-th one it jumps j steps up, towards
 * the noise, and walks down again, so that each stretch of j steps is walked r times (Lugmayr et al.
 * 2022, appendix B; with j = 1 the loops of their Algorithm 1).
 *
 * @param times From T down to the last one before 0, e.g. {@linkcode fewerTimesteps}.
 * @param options.jumpLength j, counted in elements of `times`.
 * @param options.jumps r; 1 gives `times` themselves.
 * @returns `times` with the jumps: each step goes to the next earlier one, or rises by j of them.
 * @throws {RangeError} j or r is not a whole number from 1.
 */
export function withJumps(
  times: number[],
  { jumpLength: j, jumps: r }: { jumpLength: number; jumps: number },
): number[] {
  if (![j, r].every((n) => Number.isInteger(n) && n >= 1)) {
    throw new RangeError(`${r} jumps of length ${j}; allowed are whole numbers from 1`);
  }
  const path: number[] = [];
  const last = times.length - 1;
  const jumpsLeft = times.map((_, at) => at >= j && (last - at) % j === 0 ? r - 1 : 0);
  let at = 0;
  while (at <= last) {
    path.push(times[at]);
    if (jumpsLeft[at] > 0) {
      jumpsLeft[at]--;
      at -= j;
    } else {
      at++;
    }
  }
  return path;
}

/**
 * One step of the reverse process, p_θ(x_{t−1} | xₜ): line 4 of Algorithm 2 (Ho et al. 2020).
 *
 * x_{t−1} = 1/√αₜ · (xₜ − βₜ/√(1−ᾱₜ) · ε_θ(xₜ, t)) + σₜ·z, written by way of x̂₀ so that x̂₀ can be
 * held within [-1, 1]; without that the two are equal. σₜ² is the posterior variance β̃ₜ (Eq. 7).
 *
 * @param at.xt xₜ, [B, H, W, C].
 * @param at.t In 1..T.
 * @param at.z Gaussian noise like xₜ.
 */
export function pSample(
  denoiser: Denoiser,
  { xt, t, z }: { xt: tf.Tensor4D; t: number; z: tf.Tensor4D },
): Transition {
  const { coefX0, coefXt, std } = denoiser.schedule.posterior(t);
  const epsTheta = predictNoise(denoiser, xt, t);
  const x0Hat = expectedImage(denoiser, { xt, t, epsTheta });
  // μ̃ₜ(xₜ, x̂₀) = √ᾱ_{t−1}·βₜ/(1−ᾱₜ) · x̂₀ + √αₜ·(1−ᾱ_{t−1})/(1−ᾱₜ) · xₜ   (Ho et al. 2020, Eq. 7)
  const mean = tf.add(tf.mul(x0Hat, coefX0), tf.mul(xt, coefXt));
  // x_{t−1} = μ̃ₜ + σₜ·z
  const xNext = tf.add(mean, tf.mul(z, std)) as tf.Tensor4D;
  return { x0Hat, xNext };
}

/**
 * One step of DDIM from t to an earlier tNext (Song et al. 2021, Eq. 12).
 *
 * @param at.xt xₜ, [B, H, W, C].
 * @param at.t In 1..T.
 * @param at.tNext In 0..t−1.
 * @param at.eta η: 0 adds no noise, 1 as much as {@linkcode pSample} on all T steps.
 * @param at.z Gaussian noise like xₜ; only used when η > 0.
 */
export function ddimStep(
  denoiser: Denoiser,
  { xt, t, tNext, eta, z }: {
    xt: tf.Tensor4D;
    t: number;
    tNext: number;
    eta: number;
    z?: tf.Tensor4D;
  },
): Transition {
  const alphaBar = denoiser.schedule.alphaBar(t);
  const alphaBarNext = denoiser.schedule.alphaBar(tNext);
  const epsTheta = predictNoise(denoiser, xt, t);
  const x0Hat = expectedImage(denoiser, { xt, t, epsTheta });
  // the noise between x̂₀ and xₜ: ε_θ itself where x̂₀ was not clipped
  const signal = tf.mul(x0Hat, Math.sqrt(alphaBar));
  const eps = tf.div(tf.sub(xt, signal), Math.sqrt(1 - alphaBar));
  // σ = η·√((1−ᾱₙ)/(1−ᾱₜ))·√(1 − ᾱₜ/ᾱₙ), with n for tNext   (Song et al. 2021, Eq. 16)
  const sigma = eta *
    Math.sqrt((1 - alphaBarNext) / (1 - alphaBar) * (1 - alphaBar / alphaBarNext));
  // √(1−ᾱₙ−σ²)·ε, "the direction pointing to xₜ"
  const towardsXt = tf.mul(eps, Math.sqrt(Math.max(0, 1 - alphaBarNext - sigma ** 2)));
  // xₙ = √ᾱₙ·x̂₀ + √(1−ᾱₙ−σ²)·ε + σ·z   (Song et al. 2021, Eq. 12)
  const mean = tf.add(tf.mul(x0Hat, Math.sqrt(alphaBarNext)), towardsXt) as tf.Tensor4D;
  const xNext = z && sigma > 0 ? tf.add(mean, tf.mul(z, sigma)) as tf.Tensor4D : mean;
  return { x0Hat, xNext };
}

/** x̂₀, the image under the predicted noise. */
function expectedImage(
  { schedule, clip = true }: Denoiser,
  { xt, t, epsTheta }: { xt: tf.Tensor4D; t: number; epsTheta: tf.Tensor4D },
): tf.Tensor4D {
  const alphaBar = schedule.alphaBar(t);
  // x̂₀ = (xₜ − √(1−ᾱₜ)·ε_θ(xₜ, t))/√ᾱₜ   (Ho et al. 2020, Eq. 15)
  const noise = tf.mul(epsTheta, Math.sqrt(1 - alphaBar));
  const x0Hat = tf.div(tf.sub(xt, noise), Math.sqrt(alphaBar)) as tf.Tensor4D;
  return clip ? heldInRange(x0Hat) : x0Hat;
}

/**
 * An image held within [-1, 1]. What is no finite number becomes NaN: clipping alone makes −1 of it on
 * some backends, and a broken model would draw black images.
 */
export function heldInRange(image: tf.Tensor4D): tf.Tensor4D {
  return tf.add(tf.clipByValue(image, -1, 1), tf.mul(image, 0)); // ∞·0 and NaN·0 are NaN
}

/** ε_θ(xₜ, t) for a batch that is at the same t. */
function predictNoise({ network }: Denoiser, xt: tf.Tensor4D, t: number): tf.Tensor4D {
  return network.forward(xt, tf.fill([xt.shape[0]], t) as tf.Tensor1D);
}
