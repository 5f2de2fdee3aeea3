/**
 * Paper 1: Sohl-Dickstein, Weiss, Maheswaranathan & Ganguli 2015, "Deep Unsupervised Learning using
 * Nonequilibrium Thermodynamics", on the Swiss roll.
 *
 * What it teaches: data is turned into noise by many small steps, each of which is known exactly. The
 * same steps backwards are Gaussians, too, as long as the steps are small; so a network need only
 * learn their means and widths. Then the chain runs backwards, and noise turns into data.
 *
 *     deno task paper1                  about 20 s on 2 cores without a GPU
 *     deno task paper1 --data moons     another shape; or your own: --data points.csv
 *
 * It ends with a sliced Wasserstein distance of about 0.014 between samples and data, as between two
 * draws of the data, and samples about 0.01 away from the spiral. In the run's folder it leaves
 * paper1_diffusion.png, paper1_loss.png, paper1_field.png, the numbers behind them (samples.csv,
 * loss.csv, figures.safetensors), run.json, the model (model.safetensors) and what it needs to go on
 * (state.safetensors), sheet-<step>.png, samples from the middle of the training, and report.html, a page
 * to move through the chain with.
 *
 * Shapes: N timesteps at once, B points for each, two coordinates.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { centresAt } from "./common/data/points/mixture.ts";
import { type PointData, pointData } from "./common/data/points/point_data.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { Adam, valueAndGradients } from "./common/network/adam.ts";
import { HeadAndTails } from "./common/network/head_and_tails.ts";
import { learningRateAt } from "./common/network/learning_rate.ts";
import { evenly } from "./common/plot/evenly.ts";
import { type Draw, integers } from "./common/random.ts";
import { bestGaussian } from "./common/report/metrics/best_gaussian.ts";
import {
  gaussianEntropy,
  inBits,
  nullLogLikelihood,
} from "./common/report/metrics/gaussian_bits.ts";
import type { Bound, PointChain } from "./common/report/point_report.ts";
import type { AfterTraining } from "./common/run/duration.ts";
import { runMain } from "./common/run/main.ts";
import {
  paper1 as command,
  pointMemory,
  pointSchedule,
  type PointSettings,
} from "./common/run/point_settings.ts";
import { readSettings } from "./common/run/settings.ts";
import type { TrainingStep } from "./common/run/training.ts";
import type { Schedule } from "./common/schedule.ts";

// ---------------------------------------------------------------------------------------------
// 0. The forward process: data becomes noise, and everything about it is known
// ---------------------------------------------------------------------------------------------

/** A Gaussian with a width of its own for each number; std broadcasts against mean. */
export interface Gaussian {
  /** μ. */
  mean: tf.Tensor;
  /** σ. */
  std: tf.Tensor;
}

/**
 * One step of the forward process, q(xₜ | x_{t−1}) = N(√(1−βₜ)·x_{t−1}, βₜ·I)   (table App. 1).
 *
 * The factor √(1−βₜ) shrinks the points by just as much as the noise spreads them: data of variance 1
 * keeps variance 1.
 *
 * @param before x_{t−1}, [B, 2].
 * @param z z ~ N(0, I), like x_{t−1}.
 * @returns xₜ, like x_{t−1}.
 */
export function qStep<T extends tf.Tensor>(schedule: Schedule, before: T, t: number, z: T): T {
  const beta = schedule.beta(t);
  // xₜ = √(1−βₜ)·x_{t−1} + √βₜ·z
  return tf.add(tf.mul(before, Math.sqrt(1 - beta)), tf.mul(z, Math.sqrt(beta))) as T;
}

/** All t steps in one, q(xₜ | x₀) = N(√ᾱₜ·x₀, (1−ᾱₜ)·I), for rows of points: x0 and ε are [N, B, 2]. */
export function qSampleRows(
  schedule: Schedule,
  times: number[],
  x0: tf.Tensor,
  eps: tf.Tensor,
): tf.Tensor3D {
  const signal = perRow(times, (t) => Math.sqrt(schedule.alphaBar(t)));
  const noise = perRow(times, (t) => Math.sqrt(1 - schedule.alphaBar(t)));
  // xₜ = √ᾱₜ·x₀ + √(1−ᾱₜ)·ε
  return tf.add(tf.mul(signal, x0), tf.mul(noise, eps));
}

/**
 * Where xₜ came from, if one knows where it began: q(x_{t−1} | xₜ, x₀), the product of two Gaussians by
 * Bayes' rule, is a Gaussian itself   (Ho et al. 2020, Eqs. 6 and 7, write it out).
 */
export function qPosteriorRows(
  schedule: Schedule,
  times: number[],
  x0: tf.Tensor,
  xt: tf.Tensor,
): Gaussian {
  const coefX0 = perRow(times, (t) => schedule.posterior(t).coefX0); // √ᾱ_{t−1}·βₜ/(1−ᾱₜ)
  const coefXt = perRow(times, (t) => schedule.posterior(t).coefXt); // √αₜ·(1−ᾱ_{t−1})/(1−ᾱₜ)
  return {
    // μ̃ₜ = √ᾱ_{t−1}·βₜ/(1−ᾱₜ)·x₀ + √αₜ·(1−ᾱ_{t−1})/(1−ᾱₜ)·xₜ
    mean: tf.add(tf.mul(coefX0, x0), tf.mul(coefXt, xt)),
    // √β̃ₜ with β̃ₜ = (1−ᾱ_{t−1})/(1−ᾱₜ)·βₜ
    std: perRow(times, (t) => schedule.posterior(t).std),
  };
}

/** B fresh points for each t, the forward chain's xₜ from each, and its posterior. */
function drawForward(
  { schedule, data }: { schedule: Schedule; data: PointData },
  times: number[],
  B: number,
  draw: Draw,
) {
  const shape: [number, number, number] = [times.length, B, 2];
  const points = data.sample({ ...draw, stream: `${draw.stream} x0` }, times.length * B);
  const x0 = tf.tensor3d(points, shape);
  const eps = gaussianNoise<tf.Rank.R3>({ ...draw, stream: `${draw.stream} eps` }, shape);
  const xt = qSampleRows(schedule, times, x0, eps);
  return { xt, q: qPosteriorRows(schedule, times, x0, xt) };
}

/** A number for each row, shaped to multiply [N, B, 2]. */
function perRow(times: number[], of: (t: number) => number): tf.Tensor3D {
  return tf.tensor3d(times.map(of), [times.length, 1, 1]);
}

/** 1, 2, …, T. */
function allTimes({ T }: Schedule): number[] {
  return Array.from({ length: T }, (_, i) => i + 1);
}

// ---------------------------------------------------------------------------------------------
// 1. The reverse process: p(x_{t−1} | xₜ) is a Gaussian whose mean and width a network predicts
// ---------------------------------------------------------------------------------------------

/** Settings of a {@linkcode ReverseModel}. */
export interface ReverseModelOptions {
  /** H, the width. */
  hidden: number;
  /** βₜ, and T. */
  schedule: Schedule;
  /** A tail for each t, or one for all: an experiment. Default: "each". */
  tails?: "each" | "shared";
  /** What the outputs mean; see {@linkcode ReverseModel.forwardRows}. Default: "residual". */
  parametrization?: "residual" | "direct";
  /** Decides the initial weights. Default: 0. */
  seed?: number;
}

/** Bounds of log σ²: the data and the noise have a variance of about 1. */
const LOG_VARIANCE = [-20, 2] as const;
/** Bounds of log (σ/√β̃ₜ): from 1/150 to 150 times the posterior's width; a trained one stays below 2. */
const LOG_FACTOR = [-5, 5] as const;

/** p_θ(x_{t−1} | xₜ) = N(μ_θ(xₜ, t), σ_θ(xₜ, t)²): a network with a head for all t and a tail for each. */
export class ReverseModel extends HeadAndTails {
  readonly #schedule: Schedule;
  readonly #residual: boolean;

  /** Random initial weights; at first the tails of "residual" give 0. */
  constructor(options: ReverseModelOptions) {
    const { hidden, schedule, tails = "each", parametrization = "residual", seed = 0 } = options;
    const residual = parametrization === "residual";
    super({ hidden, tails: tails === "each" ? schedule.T : 1, zeroOutput: residual, seed });
    this.#schedule = schedule;
    this.#residual = residual;
  }

  /**
   * μ_θ and σ_θ for rows of points, each at a t of its own.
   *
   * "residual": μ = xₜ + √βₜ·out₁, log σ = log √β̃ₜ + out₂: a change of xₜ of about a step's length and
   * a factor on the posterior's own width, so that untrained weights are a sensible chain already.
   * "direct", as in the original: μ = out₁, log σ² = out₂.
   *
   * In both, out₂ is held within bounds far outside of what training needs: σ is an exponential, and one
   * unlucky weight of a young network would throw the points out of the finite numbers.
   *
   * @param xt [N, B, 2].
   * @param times The t of each row, [N]. At t = 1 the result means nothing.
   * @returns Both [N, B, 2].
   */
  forwardRows(xt: tf.Tensor3D, times: number[]): Gaussian {
    const out = this.output(xt, times.map((t) => t - 1)); // [N, B, 4]
    const [out1, out2] = tf.split(out, 2, 2); // [N, B, 2] each
    if (!this.#residual) {
      const logVariance = tf.clipByValue(out2, ...LOG_VARIANCE);
      return { mean: out1, std: tf.exp(tf.mul(logVariance, 0.5)) };
    }
    const { beta, std } = this.#schedule.batch(times);
    const perRow = (x: tf.Tensor) => tf.reshape(x, [times.length, 1, 1]);
    return {
      mean: tf.add(xt, tf.mul(perRow(tf.sqrt(beta)), out1)),
      std: tf.mul(perRow(std), tf.exp(tf.clipByValue(out2, ...LOG_FACTOR))),
    };
  }

  /**
   * μ_θ and σ_θ at one t. At t = 1 nothing is learned: p(x₀ | x₁) is the forward step reversed under
   * the prior, N(√α₁·x₁, β₁), which keeps effects of the edge out (appendix B.2).
   *
   * @param xt [B, 2].
   * @param t In 1..T.
   * @returns Both [B, 2].
   */
  forward(xt: tf.Tensor2D, t: number): Gaussian {
    const { beta, alpha } = this.#schedule;
    return tf.tidy(() => {
      if (t === 1) {
        return {
          mean: tf.mul(xt, Math.sqrt(alpha(1))),
          std: tf.fill(xt.shape, Math.sqrt(beta(1))),
        };
      }
      const { mean, std } = this.forwardRows(tf.expandDims(xt, 0), [t]);
      return { mean: tf.squeeze(mean, [0]), std: tf.squeeze(std, [0]) };
    });
  }
}

// ---------------------------------------------------------------------------------------------
// 2. What is maximized: the bound K, whose terms are KL divergences between Gaussians
// ---------------------------------------------------------------------------------------------

/**
 * KL(q‖p) = log(σ_p/σ_q) + (σ_q² + (μ_q − μ_p)²)/(2σ_p²) − ½ for each number, in nats.
 *
 * @param q The forward process's posterior.
 * @param p The model.
 * @returns Like the means; ≥ 0, and 0 where q = p.
 */
export function klDivergence(q: Gaussian, p: Gaussian): tf.Tensor {
  const ratio = tf.div(q.std, p.std);
  const distance = tf.div(tf.sub(q.mean, p.mean), p.std);
  const squares = tf.add(tf.square(ratio), tf.square(distance));
  return tf.sub(tf.sub(tf.mul(squares, 0.5), tf.log(ratio)), 0.5);
}

/** The mean of {@linkcode klDivergence} over all numbers: what a training step brings down. */
export function klLoss(q: Gaussian, p: Gaussian): tf.Scalar {
  return tf.mean(klDivergence(q, p));
}

/**
 * K = −Σ_{t=2..T} E KL(q(x_{t−1}|xₜ,x₀)‖p(x_{t−1}|xₜ)) + H_q(X_T|X₀) − H_q(X₁|X₀) − H_p(X_T)
 * (Eq. 14), averaged over fresh points; L_null, what it is compared with; and what the best Gaussians
 * would reach on the same points.
 *
 * @param count Points for each t.
 */
export async function measureBound(
  model: ReverseModel,
  schedule: Schedule,
  data: PointData,
  { count, seed }: { count: number; seed: number },
): Promise<Bound> {
  const { T, alphaBar } = schedule;
  const times = allTimes(schedule);
  const { xt, mean, std, perT } = tf.tidy(() => {
    const { xt, q } = drawForward({ schedule, data }, times, count, { seed, stream: "bound" });
    const p = model.forwardRows(xt, times);
    const kl = klDivergence(learned(q, times), learned(p, times));
    return { xt, ...p, perT: tf.mean(tf.sum(kl, 2), 1) }; // [T−1]: both coordinates of a point together
  });
  const value = Array.from(await perT.data<"float32">());
  const loss = await measureLoss(schedule, data, { xt, p: { mean, std } });
  tf.dispose([xt, mean, std, perT]);
  const kl = inBits(value.reduce((sum, x) => sum + x, 0));
  const K = -kl + gaussianEntropy(1 - alphaBar(T)) - gaussianEntropy(1 - alphaBar(1)) -
    gaussianEntropy(1);
  const points = data.sample({ seed, stream: "null model" }, count);
  const klPerT = { t: times.slice(1), value };
  const floorPerT = loss &&
    { t: loss.t, value: loss.value.map((x, i) => value[loss.t[i] - 2] - x) };
  return { K, nullModel: nullLogLikelihood(points), klPerT, floorPerT };
}

/** The most t that the best Gaussians are computed at. */
const KNOWN_TIMES = 40;

/**
 * What the model loses against the best Gaussian p(x_{t−1} | xₜ), for at most 40 t.
 *
 * That one has the mean and the variance of q(x_{t−1} | xₜ), which the known q(x₀) gives. Even its KL is not
 * 0, as xₜ does not say where it came from: for each number it is E ½·log(1 + (ᾱ_{t−1}/(1−ᾱ_{t−1}) −
 * ᾱₜ/(1−ᾱₜ))·Var[x₀ | xₜ]). And on average over the x₀ behind an xₜ, KL(q‖p) − KL(q‖best) = KL(best‖p).
 *
 * @param xt [T, B, 2].
 * @param p The model's Gaussians there.
 * @returns E KL(best‖p) in nats a point; undefined where the data are not known.
 */
async function measureLoss(
  schedule: Schedule,
  data: PointData,
  { xt, p }: { xt: tf.Tensor3D; p: Gaussian },
): Promise<Bound["klPerT"] | undefined> {
  if (!data.known) return undefined;
  const times = evenly(schedule.T - 1, KNOWN_TIMES).map((i) => i + 2);
  const value: number[] = [];
  for (const t of times) {
    const row = (x: tf.Tensor): tf.Tensor2D =>
      tf.reshape(tf.slice(x, [t - 1, 0, 0], [1, -1, -1]), [-1, 2]);
    const rowOfXt = tf.tidy(() => row(xt));
    const known = data.known(centresAt(schedule.alphaBar(t)));
    const best = bestGaussian(schedule, t, await rowOfXt.data<"float32">(), known);
    const loss = tf.tidy(() => {
      const [mean, std] = [best.mean, best.std].map((x) => tf.tensor2d(x, rowOfXt.shape));
      const ofModel = { mean: row(p.mean), std: row(p.std) };
      return tf.mean(tf.sum(klDivergence({ mean, std }, ofModel), 1));
    });
    value.push((await loss.data())[0]);
    tf.dispose([rowOfXt, loss]);
  }
  return { t: times, value };
}

/** The rows from t = 2 on: at t = 1 the posterior is a point, and there is nothing to learn. */
function learned({ mean, std }: Gaussian, times: number[]): Gaussian {
  if (times[0] > 1) return { mean, std };
  const rest = (x: tf.Tensor) => tf.slice(x, [1, 0, 0]);
  return { mean: rest(mean), std: rest(std) };
}

// ---------------------------------------------------------------------------------------------
// 3. Training: bring the KL terms down
// ---------------------------------------------------------------------------------------------

/** What the training loop works with. */
export interface Training {
  /** p_θ. */
  model: ReverseModel;
  /** The forward process. */
  schedule: Schedule;
  /** q(x₀). */
  data: PointData;
  /** The optimizer of the model. */
  adam: Adam;
  /** The flags that training needs. */
  settings: Pick<PointSettings, "steps" | "batch" | "learningRate" | "decay" | "times" | "seed">;
}

/** The training loop, from the step after the optimizer's last one; the caller disposes of the losses. */
export function* train(
  { model, schedule, data, adam, settings }: Training,
): Generator<TrainingStep> {
  const { steps, batch: B, seed } = settings;
  for (let step = adam.steps + 1; step <= steps; step++) {
    const loss = tf.tidy(() => {
      // all terms of K at once, or, as in the original, one of them at random
      const times = settings.times === "all"
        ? allTimes(schedule)
        : [...integers({ seed, stream: "t", step }, 1, 2, schedule.T + 1)];
      const { xt, q } = drawForward({ schedule, data }, times, B, { seed, stream: "train", step });
      const { value, gradients } = valueAndGradients(model.parameters, () => {
        const p = model.forwardRows(xt, times);
        return klLoss(learned(q, times), learned(p, times)); // E KL(q(x_{t−1}|xₜ,x₀)‖p(x_{t−1}|xₜ))
      });
      adam.step(gradients, learningRateAt(step, settings));
      return value;
    });
    yield { step, loss };
  }
}

// ---------------------------------------------------------------------------------------------
// 4. Sampling: the chain backwards, from noise to data
// ---------------------------------------------------------------------------------------------

/**
 * Draws points from the model: x_T ~ N(0, I), then x_{t−1} ~ p_θ(x_{t−1} | xₜ) for t = T..1.
 *
 * @param options.count B, how many points.
 * @param options.xT Where to begin, [B, 2]; the chain disposes of it. Default: noise.
 */
export function* sample(
  model: ReverseModel,
  schedule: Schedule,
  { count, seed, xT }: { count: number; seed: number; xT?: tf.Tensor2D },
): Generator<PointChain> {
  let xt = xT ?? gaussianNoise<tf.Rank.R2>({ seed, stream: "xT" }, [count, 2]);
  try {
    for (let t = schedule.T; t >= 1; t--) {
      yield { t, xt };
      const before = tf.tidy(() => {
        const { mean, std } = model.forward(xt, t);
        if (t === 1) return mean; // the last step adds no noise
        const z = gaussianNoise<tf.Rank.R2>({ seed, stream: "z", step: t }, [count, 2]);
        // x_{t−1} = μ_θ(xₜ, t) + σ_θ(xₜ, t)·z
        return tf.add(mean, tf.mul(std, z));
      });
      xt.dispose();
      xt = before as tf.Tensor2D;
    }
    yield { t: 0, xt };
  } finally {
    xt.dispose();
  }
}

// ---------------------------------------------------------------------------------------------
// 5. The run: settings, then train, sample, draw, measure
// ---------------------------------------------------------------------------------------------

/**
 * What a training starts from: the data, an untrained model and its optimizer.
 *
 * @param own Data that have no name. Default: those of the settings.
 */
export async function startTraining(
  settings: PointSettings,
  own?: PointData,
): Promise<Training & { settings: PointSettings }> {
  const data = own ?? await pointData(settings.data);
  const schedule = pointSchedule(settings);
  const model = new ReverseModel({ ...settings, schedule });
  return { model, schedule, data, adam: new Adam(model.parameters), settings };
}

/** What a run does after its training: figures and measurements, which take a few seconds. */
export function afterTraining(): AfterTraining {
  return { steps: 0, seconds: 5 };
}

export { command };

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  const read = await readSettings(command, args);
  if (!read) return 0;
  // what writes files and draws figures is for the command alone: a page has this script without it
  const { trainAndReport } = await import("./common/run/training_run.ts");
  const { inOneLine, reportPoints } = await import("./common/report/point_report.ts");
  const { POINT_SHEET_EVERY, writePointSheet } = await import("./common/report/point_sheet.ts");
  const { writeReportPage } = await import("./common/page/page.ts");
  return await trainAndReport({
    command,
    memory: pointMemory,
    start: (settings) => startTraining(settings),
    data: ({ data }) => data.sha256,
    network: ({ model }) => model,
    train,
    bar: { lossName: "KL" },
    after: afterTraining,
    meanwhile: {
      everySeconds: POINT_SHEET_EVERY,
      saves: true,
      run: async ({ model, schedule, data, folder, settings: { seed } }, step) => {
        const reverse = (count: number) => sample(model, schedule, { count, seed });
        await writePointSheet({ folder, data, seed, reverse }, step);
      },
    },
    report: async ({ model, schedule, data, folder, settings: { seed } }, losses) => {
      const report = await reportPoints({
        ...{ folder, data, seed, losses, schedule },
        bound: await measureBound(model, schedule, data, { count: 2000, seed }),
        forwardStep: (before, t, z) => qStep(schedule, before, t, z),
        reverse: (count) => sample(model, schedule, { count, seed }),
        mean: (xt, t) => model.forward(xt, t).mean,
      });
      return { results: report, lines: [inOneLine(report, data)] };
    },
    writePage: writeReportPage,
  }, read.settings);
}

if (import.meta.main) await runMain(main);
