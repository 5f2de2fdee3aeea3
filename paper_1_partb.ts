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
 * (state.safetensors), and report.html, a page to move through the chain with.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { Adam, valueAndGradients } from "./common/network/adam.ts";
import { selectBackend } from "./common/backend.ts";
import { writeSafetensors } from "./common/checkpoint.ts";
import { choice, type Command, integer, number, type Settings, text } from "./common/run/flags.ts";
import { commandText } from "./common/run/help.ts";
import { runMain } from "./common/run/main.ts";
import { type PointData, pointData } from "./common/data/points/point_data.ts";
import { writeReportPage } from "./common/page/page.ts";
import { qPosterior, qSample } from "./common/forward_process.ts";
import { decayFlag, learningRateAt } from "./common/network/learning_rate.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { linear } from "./common/engine/ops/mat_mul.ts";
import { copyOf } from "./common/network/parameters.ts";
import {
  type Bound,
  inOneLine,
  type PointChain,
  type PointReport,
  reportPoints,
} from "./common/report/point_report.ts";
import { inWords } from "./common/run/progress.ts";
import { uniform } from "./common/random.ts";
import { RunFolder } from "./common/run/folder.ts";
import { commonFlags, readSettings } from "./common/run/settings.ts";
import {
  cosineSchedule,
  linearSchedule,
  type Schedule,
  sigmoidSchedule,
} from "./common/schedule.ts";
import { followTraining, resumeTraining, type TrainingStep } from "./common/run/training.ts";
import { UserError } from "./common/user_error.ts";

const flags = {
  preset: choice({
    help: "which defaults",
    of: ["quick", "paper"],
    default: "quick",
  }),
  data: text({
    help: "swiss-roll, moons, circles, or a CSV file with two numeric columns",
    placeholder: "NAME|FILE.csv",
    default: "swiss-roll",
    allowed: "swiss-roll, moons, circles, or the name of a .csv file",
    accepts: (name) => ["swiss-roll", "moons", "circles"].includes(name) || /\.csv$/i.test(name),
  }),
  steps: integer({ help: "training steps", default: 1200 }),
  batch: integer({ help: "points for each t of a step", default: 128, max: 1_000_000 }),
  learningRate: number({ help: "Adam's α at the start", default: 5e-3, above: 0, max: 1 }),
  decay: decayFlag,
  hidden: integer({ help: "H, the network's width", default: 96, max: 4096 }),
  timesteps: integer({ help: "T, the steps of the chain", default: 40, min: 2, max: 1000 }),
  times: choice({
    help: "the t that one training step looks at",
    of: ["all", "one"],
    default: "all",
  }),
  schedule: choice({
    help: "how the noise grows with t; linear is Ho et al.'s, meant for T = 1000",
    of: ["sigmoid", "linear", "cosine"],
    default: "sigmoid",
  }),
  tails: choice({
    help: "a last part of the network for each t, or one that does not know t",
    of: ["each", "shared"],
    default: "each",
  }),
  parametrization: choice({
    help: "what the network's outputs are: a change, or mean and log-variance themselves",
    of: ["residual", "direct"],
    default: "residual",
  }),
  ...commonFlags,
};

/** The command line. */
export const command: Command<typeof flags> = {
  name: "paper1",
  summary: "Paper 1, Sohl-Dickstein et al. 2015: a diffusion model of points in the plane.",
  flags,
  presets: {
    quick: {},
    // the settings of the original script: a random t a step, a very large batch
    paper: {
      steps: 5000,
      hidden: 128,
      batch: 64_000,
      learningRate: 1e-2,
      decay: "none",
      times: "one",
      parametrization: "direct",
    },
  },
};

/** A run's settings. */
export type PaperSettings = Settings<typeof flags>;

/** A Gaussian with a width of its own for each number; std broadcasts against mean. */
export interface Gaussian {
  mean: tf.Tensor;
  std: tf.Tensor;
}

// ---------------------------------------------------------------------------------------------
// 1. The reverse process: p(x_{t−1} | xₜ) is a Gaussian whose mean and width a network predicts
// ---------------------------------------------------------------------------------------------

/** Settings of a {@linkcode ReverseModel}. */
export interface ReverseModelOptions {
  /** H, the width. */
  hidden: number;
  schedule: Schedule;
  /** A tail for each t, or one for all: an experiment. "each" unless told. */
  tails?: "each" | "shared";
  /** What the outputs mean; see {@linkcode ReverseModel.forward}. "residual" unless told. */
  parametrization?: "residual" | "direct";
  /** Decides the initial weights, 0 unless told. */
  seed?: number;
}

/**
 * p_θ(x_{t−1} | xₜ) = N(μ_θ(xₜ, t), σ_θ(xₜ, t)²): a head 2→H→H that all t share, and a tail H→H→4 for
 * each t. The tails are stacked, [T, ...], so that all t are one batched product.
 */
export class ReverseModel {
  /** All weights by name; tails as stacks over t. */
  readonly parameters: Map<string, tf.Variable>;
  readonly #options: Required<ReverseModelOptions>;

  constructor(options: ReverseModelOptions) {
    this.#options = { tails: "each", parametrization: "residual", seed: 0, ...options };
    const { hidden: H, tails, schedule } = this.#options;
    const T = tails === "shared" ? 1 : schedule.T;
    const residual = this.#options.parametrization === "residual";
    this.parameters = new Map([
      ["head.0.weight", this.#initial("head.0.weight", [2, H], 2)],
      ["head.0.bias", this.#initial("head.0.bias", [H], 2)],
      ["head.2.weight", this.#initial("head.2.weight", [H, H], H)],
      ["head.2.bias", this.#initial("head.2.bias", [H], H)],
      ["tail.0.weight", this.#initial("tail.0.weight", [T, H, H], H)],
      ["tail.0.bias", this.#initial("tail.0.bias", [T, H], H)],
      // residual: the last layer starts at 0, and with it the chain at "stay where you are"
      ["tail.2.weight", this.#initial("tail.2.weight", [T, H, 4], residual ? Infinity : H)],
      ["tail.2.bias", this.#initial("tail.2.bias", [T, 4], residual ? Infinity : H)],
    ]);
  }

  /**
   * μ_θ and σ_θ at one t.
   *
   * "residual": μ = xₜ + √βₜ·out₁, log σ = log √β̃ₜ + out₂: a change of xₜ of about a step's length and
   * a factor on the posterior's own width, so that untrained weights are a sensible chain already.
   * "direct", as in the original: μ = out₁, log σ² = out₂.
   *
   * At t = 1 nothing is learned: p(x₀ | x₁) is the forward step turned round under the prior,
   * N(√α₁·x₁, β₁), as the paper sets it against effects of the edge (appendix B.2).
   *
   * @param xt [B, 2].
   * @param t In 1..T.
   * @returns Both [B, 2].
   */
  forward(xt: tf.Tensor2D, t: number): Gaussian {
    const { beta, alpha } = this.#options.schedule;
    return tf.tidy(() => {
      if (t === 1) {
        return {
          mean: tf.mul(xt, Math.sqrt(alpha(1))),
          std: tf.fill(xt.shape, Math.sqrt(beta(1))),
        };
      }
      const at = (name: string) => {
        const stack = this.parameters.get(name)!;
        if (stack.shape[0] === 1) return stack; // shared
        const rest = stack.shape.slice(1);
        return tf.slice(stack, [t - 1, ...rest.map(() => 0)], [1, ...rest]);
      };
      const { mean, std } = this.#gaussians(tf.expandDims(xt, 0), [t], at);
      return { mean: tf.squeeze(mean, [0]), std: tf.squeeze(std, [0]) };
    });
  }

  /**
   * μ_θ and σ_θ at t = 1..T at once; t = 1 is computed with the others and means nothing.
   *
   * @param xt [T, B, 2]: row t − 1 holds points at t.
   * @returns Both [T, B, 2].
   */
  forwardAll(xt: tf.Tensor3D): Gaussian {
    const { T } = this.#options.schedule;
    const times = Array.from({ length: T }, (_, i) => i + 1);
    return this.#gaussians(xt, times, (name) => this.parameters.get(name)!);
  }

  /** The network and its parametrization; `tail` gives the rows of a stack that belong to `times`. */
  #gaussians(
    xt: tf.Tensor,
    times: number[],
    tail: (name: string) => tf.Tensor,
  ): Gaussian {
    const [N, B] = xt.shape;
    const { hidden: H, parametrization, schedule } = this.#options;
    const head = (name: string) => this.parameters.get(name)!;
    const points = tf.reshape(xt, [N * B, 2]) as tf.Tensor2D;
    let h = tf.relu(linear(points, head("head.0.weight") as tf.Tensor2D, head("head.0.bias"))); // [N·B, H]
    h = tf.relu(linear(h, head("head.2.weight") as tf.Tensor2D, head("head.2.bias")));
    const rows = this.#options.tails === "shared" ? 1 : N; // all points through the one tail
    let g = tf.reshape(h, [rows, N * B / rows, H]) as tf.Tensor3D;
    g = tf.relu(linear(g, tail("tail.0.weight") as tf.Tensor3D, tail("tail.0.bias"))); // [N, B, H]
    const tailed = linear(g, tail("tail.2.weight") as tf.Tensor3D, tail("tail.2.bias"));
    const out = tf.reshape(tailed, [N, B, 4]);
    const [out1, out2] = tf.split(out, 2, 2); // [N, B, 2] each
    if (parametrization === "direct") return { mean: out1, std: tf.exp(tf.mul(out2, 0.5)) };
    const { beta, std } = schedule.batch(times);
    const perTime = (x: tf.Tensor) => tf.reshape(x, [N, 1, 1]);
    return {
      mean: tf.add(xt, tf.mul(perTime(tf.sqrt(beta)), out1)),
      std: tf.mul(perTime(std), tf.exp(out2)),
    };
  }

  /**
   * Copies of the weights with the original's names and layouts: `network_head.{0,2}` and, for each t,
   * `network_tail.{t−1}.{0,2}`, weights [out, in]. The caller disposes of them.
   */
  stateDict(): Map<string, tf.Tensor> {
    const state = new Map<string, tf.Tensor>();
    for (const [name, value] of this.parameters) {
      const [part, layer] = split(name);
      if (part === "head") state.set(`network_head.${layer}`, turned(value));
      else {
        tf.unstack(value).forEach((row, i) => {
          state.set(`network_tail.${i}.${layer}`, turned(row));
          row.dispose();
        });
      }
    }
    return state;
  }

  /**
   * Takes over weights named as in {@linkcode stateDict}. Tails that are not there keep theirs.
   *
   * @throws {UserError} A name is missing or unknown, or a shape is another; the message lists them.
   */
  load(tensors: Map<string, tf.Tensor>): void {
    const own = this.stateDict();
    const tails = new Set([...tensors.keys()].map((name) => /network_tail\.\d+/.exec(name)?.[0]));
    const needed = [...own.keys()].filter((name) =>
      name.startsWith("network_head") || tails.has(/network_tail\.\d+/.exec(name)![0])
    );
    const problems = [
      ...needed.filter((name) => !tensors.has(name)).map((name) => `${name} is missing`),
      ...[...tensors].filter(([name, { shape }]) => `${own.get(name)?.shape}` !== `${shape}`)
        .map(([name, { shape }]) =>
          own.has(name)
            ? `${name} is [${shape}], not [${own.get(name)!.shape}]`
            : `${name} is unknown`
        ),
    ];
    if (problems.length > 0) {
      tf.dispose([...own.values()]);
      throw new UserError(`these weights do not fit the model: ${problems.join(", ")}`);
    }
    tf.tidy(() => {
      for (const [name, variable] of this.parameters) {
        const [part, layer] = split(name);
        const given = (key: string) => turned(tensors.get(key) ?? own.get(key)!);
        variable.assign(
          part === "head" ? given(`network_head.${layer}`) : tf.stack(
            Array.from(
              { length: variable.shape[0] },
              (_, i) => given(`network_tail.${i}.${layer}`),
            ),
          ),
        );
      }
    });
    tf.dispose([...own.values()]);
  }

  /** Frees the weights. */
  dispose(): void {
    tf.dispose([...this.parameters.values()]);
  }

  /** Uniform in ±1/√fanIn, PyTorch's start; a fan-in of Infinity gives zeros. */
  #initial(name: string, shape: number[], fanIn: number): tf.Variable {
    const limit = 1 / Math.sqrt(fanIn);
    const draw = { seed: this.#options.seed, stream: `initial ${name}` };
    const values = uniform(draw, tf.util.sizeFromShape(shape)).map((u) => limit * (2 * u - 1));
    return tf.tidy(() => tf.variable(tf.tensor(values, shape)));
  }
}

/** "tail.2.bias" is layer "2.bias" of the part "tail". */
function split(name: string): [part: string, layer: string] {
  const dot = name.indexOf(".");
  return [name.slice(0, dot), name.slice(dot + 1)];
}

/** A copy of a weight matrix [in, out] as PyTorch's [out, in], or back; of a bias, as it is. */
function turned(tensor: tf.Tensor): tf.Tensor {
  return copyOf(tensor.rank === 2 ? tf.transpose(tensor) : tensor);
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
 * (Sohl-Dickstein et al. 2015, Eq. 14), averaged over fresh points.
 *
 * @param count Points for each t.
 */
export async function measureBound(
  model: ReverseModel,
  schedule: Schedule,
  data: PointData,
  { count, seed }: { count: number; seed: number },
): Promise<Bound> {
  const { T } = schedule;
  const perT = tf.tidy(() => {
    const { x0, xt } = drawAllTimes(schedule, data, count, { seed, stream: "bound" });
    const q = posteriorAllTimes(schedule, x0, xt);
    const p = model.forwardAll(xt);
    const kl = klDivergence(withoutFirst(q), withoutFirst(p)); // [T−1, B, 2]
    return tf.mean(tf.sum(kl, 2), 1); // [T−1]: both coordinates of a point together
  });
  const value = Array.from(await perT.data());
  perT.dispose();
  const bits = (nats: number) => nats / Math.LN2;
  // the entropy of a Gaussian of variance v in the plane
  const entropy = (v: number) => bits(Math.log(2 * Math.PI * Math.E * v));
  const kl = bits(value.reduce((sum, x) => sum + x, 0));
  const K = -kl + entropy(1 - schedule.alphaBar(T)) - entropy(1 - schedule.alphaBar(1)) -
    entropy(1);
  // E log₂ N(x₀; 0, I) = −log₂ 2π − E|x₀|²/2·log₂ e
  const points = data.sample({ seed, stream: "null model" }, count);
  const meanSquare = points.reduce((sum, x) => sum + x * x, 0) / count;
  const nullModel = -bits(Math.log(2 * Math.PI) + meanSquare / 2);
  return { K, nullModel, klPerT: { t: Array.from({ length: T - 1 }, (_, i) => i + 2), value } };
}

/** B fresh points for every t, and the forward chain's xₜ from each; [T, B, 2]. */
function drawAllTimes(
  schedule: Schedule,
  data: PointData,
  B: number,
  draw: { seed: number; stream: string; step?: number },
): { x0: tf.Tensor3D; xt: tf.Tensor3D } {
  const { T } = schedule;
  const points = data.sample({ ...draw, stream: `${draw.stream} x0` }, T * B);
  const x0 = tf.tensor3d(points, [T, B, 2]);
  const eps = gaussianNoise<tf.Rank.R3>({ ...draw, stream: `${draw.stream} eps` }, [T, B, 2]);
  // xₜ = √ᾱₜ·x₀ + √(1−ᾱₜ)·ε, the forward process in one go   (Ho et al. 2020, Eq. 4)
  return { x0, xt: qSample(schedule, x0, allTimes(T), eps) };
}

/** q(x_{t−1} | xₜ, x₀) for t = 1..T. */
function posteriorAllTimes(schedule: Schedule, x0: tf.Tensor3D, xt: tf.Tensor3D): Gaussian {
  return qPosterior(schedule, x0, xt, allTimes(schedule.T));
}

/** t = 2..T of something for t = 1..T: at t = 1 the posterior is a point and there is nothing to learn. */
function withoutFirst({ mean, std }: Gaussian): Gaussian {
  const rest = (x: tf.Tensor) => tf.slice(x, [1, 0, 0]);
  return { mean: rest(mean), std: rest(std) };
}

function allTimes(T: number): number[] {
  return Array.from({ length: T }, (_, i) => i + 1);
}

// ---------------------------------------------------------------------------------------------
// 3. Training: bring the KL terms down
// ---------------------------------------------------------------------------------------------

/** What the training loop works with. */
export interface Training {
  model: ReverseModel;
  schedule: Schedule;
  data: PointData;
  adam: Adam;
  settings: Pick<PaperSettings, "steps" | "batch" | "learningRate" | "decay" | "times" | "seed">;
}

const SCHEDULES = { sigmoid: sigmoidSchedule, linear: linearSchedule, cosine: cosineSchedule };

/** What a training starts from: the data, an untrained model and its optimizer. */
export async function startTraining(
  settings: PaperSettings,
): Promise<Training & { settings: PaperSettings }> {
  const data = await pointData(settings.data);
  const schedule = SCHEDULES[settings.schedule](settings.timesteps);
  const model = new ReverseModel({ ...settings, schedule });
  return { model, schedule, data, adam: new Adam(model.parameters), settings };
}

/** The training loop, from the optimizer's step on. */
export function* train(training: Training): Generator<TrainingStep> {
  const { model, adam, settings } = training;
  const { steps, times } = settings;
  for (let step = adam.steps + 1; step <= steps; step++) {
    const loss = tf.tidy(() => {
      const terms = times === "all" ? klAtAllTimes(training, step) : klAtOneTime(training, step);
      const { value, gradients } = valueAndGradients(model.parameters, terms);
      adam.step(gradients, learningRateAt(step, settings));
      return value;
    });
    yield { step, loss };
  }
}

/** All KL terms of the bound at once, each on its own batch of fresh points. */
function klAtAllTimes(
  { model, schedule, data, settings }: Training,
  step: number,
): () => tf.Scalar {
  const draw = { seed: settings.seed, stream: "train", step };
  const { x0, xt } = drawAllTimes(schedule, data, settings.batch, draw); // [T, B, 2]
  const q = withoutFirst(posteriorAllTimes(schedule, x0, xt)); // [T−1, B, 2]
  return () => klLoss(q, withoutFirst(model.forwardAll(xt)));
}

/** The original's way: one t a step, drawn from 2..T. */
function klAtOneTime({ model, schedule, data, settings }: Training, step: number): () => tf.Scalar {
  const { seed, batch: B } = settings;
  const [u] = uniform({ seed, stream: "t", step }, 1);
  const t = 2 + Math.floor(u * (schedule.T - 1));
  const x0 = tf.tensor2d(data.sample({ seed, stream: "train x0", step }, B), [B, 2]);
  const eps = gaussianNoise<tf.Rank.R2>({ seed, stream: "train eps", step }, [B, 2]);
  const xt = qSample(schedule, x0, t, eps);
  const q = qPosterior(schedule, x0, xt, t);
  return () => klLoss(q, model.forward(xt, t));
}

// ---------------------------------------------------------------------------------------------
// 4. Sampling: the chain backwards, from noise to data
// ---------------------------------------------------------------------------------------------

/**
 * Draws points from the model: x_T ~ N(0, I), then x_{t−1} ~ p_θ(x_{t−1} | xₜ) for t = T..1.
 *
 * @param options.count B, how many points.
 */
export function* sample(
  model: ReverseModel,
  schedule: Schedule,
  { count, seed }: { count: number; seed: number },
): Generator<PointChain> {
  let xt = gaussianNoise<tf.Rank.R2>({ seed, stream: "xT" }, [count, 2]);
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
// 5. The run: train, sample, draw, measure
// ---------------------------------------------------------------------------------------------

/** What the parts of a run share. */
interface Run extends Training {
  settings: PaperSettings;
  folder: RunFolder;
}

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  const read = await readSettings(command, args);
  if (!read) return 0;
  const { settings } = read;
  const backend = await selectBackend(settings.backend, settings);
  const training = await startTraining(settings);
  const folder = await RunFolder.open({ script: command.name, settings, backend });
  console.error(`${backend.reason}\nwriting to ${folder.path}`);
  try {
    return await trainAndMeasure({ ...training, folder });
  } finally {
    folder.close();
    backend.dispose();
  }
}

/** Trains, then draws and measures. */
async function trainAndMeasure(run: Run): Promise<number> {
  const started = performance.now();
  const { settings, model, adam, data, folder } = run;
  const end = await followTraining(train(run), {
    folder,
    losses: settings.resume === undefined ? [] : await goOn(run),
    steps: settings.steps,
    state: () => new Map([...model.stateDict(), ...adam.stateDict()]),
    lossName: "KL",
    checkpointEvery: settings.checkpointEvery,
    resumeCommand: commandText(command.name, { resume: folder.path }),
  });
  if (end.status === "interrupted") return 130;
  const report = await conclude(run, end.losses);
  folder.spend("all", (performance.now() - started) / 1000);
  await folder.update({ status: "finished", results: { ...report } });
  await writeReportPage(folder.path);
  console.log(
    `${folder.path}, ${inWords(folder.record.seconds.all)}: ${inOneLine(report, data)}`,
  );
  return 0;
}

/** Brings model and optimizer to where an earlier process stopped; gives the losses until then. */
async function goOn({ model, adam, folder }: Run): Promise<number[]> {
  const { tensors, losses } = await resumeTraining(folder);
  if (tensors) {
    model.load(new Map([...tensors].filter(([name]) => name.startsWith("network_"))));
    await adam.load(tensors);
    tf.dispose([...tensors.values()]);
  }
  return losses;
}

/** Writes the model, the figures and the samples, and measures them. */
async function conclude(run: Run, losses: number[]): Promise<PointReport> {
  const { model, schedule, data, folder, settings: { seed } } = run;
  const weights = model.stateDict();
  await writeSafetensors(folder.file("model.safetensors"), weights);
  tf.dispose([...weights.values()]);
  return await reportPoints({
    folder,
    data,
    seed,
    losses,
    schedule,
    bound: await measureBound(model, schedule, data, { count: 2000, seed }),
    forward: (x0, t, eps) => qSample(schedule, x0, t, eps),
    reverse: (count) => sample(model, schedule, { count, seed }),
    mean: (xt, t) => model.forward(xt, t).mean,
  });
}

if (import.meta.main) await runMain(main);
