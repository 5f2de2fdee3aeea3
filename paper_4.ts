/**
 * Paper 4: Lipman, Chen, Ben-Hamu, Nickel & Le 2023, "Flow Matching for Generative Modeling", and
 * Liu, Gong & Liu 2023, "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified
 * Flow", on points in the plane and on digits.
 *
 * What it teaches: noise need not turn into data by a chain of random steps. Draw a straight line from
 * each noise to a data point, and let a network learn the mean velocity of all lines that pass at x at the
 * time t. Following that velocity turns noise into data, without any randomness on the way. The more
 * nearly straight the ways are, the fewer steps are enough; and training once more on the ways' own ends
 * (reflow) makes them straight.
 *
 *     deno task paper4                  about 50 s on 2 cores without a GPU
 *     deno task paper4 --data moons     another shape; or your own: --data points.csv
 *     deno task paper4 --data mnist     digits, as long as paper 2
 *     deno task paper4 --data mnist --preset reflow --compare runs/paper2-quick-0
 *
 * Time runs as in these papers, from noise at t = 0 to data at t = 1; papers 1 and 2 count the other way.
 * The two meet: their xₜ = √ᾱₜ·x₀ + √(1−ᾱₜ)·ε is a point of the line between data and noise, only
 * stretched. And the network sees the same thing. With data x₁ and noise x₀ = ε on the line,
 *
 *     xₜ = (1−t)·ε + t·x₁, hence x₁ = (xₜ − (1−t)·ε)/t,
 *     and v = E[x₁ − ε | xₜ] = (xₜ − E[ε | xₜ])/t: the velocity is xₜ less the predicted noise, over t.
 *
 * In the run's folder it leaves paper4_paths.png, paper4_field.png, paper4_steps.png,
 * paper4_samples.png and paper4_loss.png, the numbers behind them (figures.safetensors, loss.csv),
 * samples.csv, samples_two_steps.csv (two Euler steps after one reflow), run.json, all flows
 * (model.safetensors), what it needs to go on (state.safetensors), sheet-<step>.png, samples from the
 * middle of the training, and report.html.
 *
 * On digits the same loop trains paper 2's UNet, and the last of these commands tells by a table and by
 * paper4_evaluations.png and paper4_few_steps.png how good the images are that DDIM, the flow and the flow
 * after a reflow draw when the network is asked 1, 2, 3, 5, 10, 20 and 50 times. The samples are in
 * samples.safetensors then, and paper4_chain.png shows how they come about.
 *
 * Shapes: B points, D coordinates: two in the plane, and an image is a point with one for each pixel.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { asPoints } from "./common/data/images/as_points.ts";
import type { ImageSet } from "./common/data/images/image_set.ts";
import { hasDigits, loadImages } from "./common/data/images/load.ts";
import { type PointData, pointData } from "./common/data/points/point_data.ts";
import { gaussianNoise } from "./common/engine/noise.ts";
import { Adam, valueAndGradients } from "./common/network/adam.ts";
import { type FlowNetwork, Flows } from "./common/network/flows.ts";
import { ImageVelocity } from "./common/network/image_velocity.ts";
import { learningRateAt, type RateSettings } from "./common/network/learning_rate.ts";
import { VelocityNetwork } from "./common/network/velocity_network.ts";
import {
  dormandPrince,
  eulerStep,
  heunStep,
  type Moment,
  solve,
  type Velocity,
} from "./common/ode.ts";
import { type Draw, integers, uniform } from "./common/random.ts";
import type { AfterTraining } from "./common/run/duration.ts";
import type { Command } from "./common/run/flags.ts";
import {
  flowMemory,
  type FlowSettings,
  imageFlowCommand,
  type ImageFlowFlags,
  type ImageFlowSettings,
  isOfImages,
  paper4 as command,
} from "./common/run/flow_settings.ts";
import { runMain } from "./common/run/main.ts";
import { imageMemory, unetOptions } from "./common/run/model_settings.ts";
import { readSettings } from "./common/run/settings.ts";
import type { TrainingStep } from "./common/run/training.ts";
import { UserError } from "./common/user_error.ts";
import * as paper2 from "./paper_2.ts";

// ---------------------------------------------------------------------------------------------
// 1. The straight line from a noise to a data point, and the velocity along it
// ---------------------------------------------------------------------------------------------

/**
 * Where x₀ is at t on its way to x₁   (Lipman et al. 2023, Eq. 22; with σ_min = 0 Liu et al. 2023, Eq. 1).
 *
 * At t = 0 it is x₀ itself. At t = 1 it is x₁, with a width σ_min around it: a Gaussian of mean t·x₁ and
 * width 1 − (1−σ_min)·t at every t between (Eq. 20).
 *
 * @param x0 Noise, [B, D].
 * @param x1 Data, [B, D].
 * @param t [B, 1], or one number.
 */
export function psi(
  x0: tf.Tensor2D,
  x1: tf.Tensor2D,
  t: tf.Tensor2D | number,
  sigmaMin = 0,
): tf.Tensor2D {
  // ψₜ(x₀) = (1 − (1−σ_min)·t)·x₀ + t·x₁
  return tf.add(tf.mul(tf.sub(1, tf.mul(1 - sigmaMin, t)), x0), tf.mul(t, x1));
}

/**
 * How fast it goes there: dψₜ/dt, the same at all t   (Lipman et al. 2023, Eq. 23). Written by where it is
 * instead of where it came from, this is Eq. 21, uₜ(x|x₁) = (x₁ − (1−σ_min)·x)/(1 − (1−σ_min)·t).
 *
 * @param x0 Noise, [B, D].
 * @param x1 Data, [B, D].
 */
export function lineVelocity(x0: tf.Tensor2D, x1: tf.Tensor2D, sigmaMin = 0): tf.Tensor2D {
  // x₁ − (1−σ_min)·x₀
  return tf.sub(x1, tf.mul(1 - sigmaMin, x0));
}

// ---------------------------------------------------------------------------------------------
// 2. Training: the mean velocity of all lines through a point
// ---------------------------------------------------------------------------------------------

/** Draws so many pairs of a noise x₀ and a data point x₁, both [B, D]. */
export type Coupling = (draw: Draw, count: number) => { x0: tf.Tensor2D; x1: tf.Tensor2D };

/** Draws so many data points, [count·D]. */
export type Data = Pick<PointData, "sample" | "sha256">;

/** A noise and a data point that know nothing of each other. */
export function independentPairs(data: Data): Coupling {
  return (draw, B) => {
    const points = data.sample({ ...draw, stream: `${draw.stream} x1` }, B);
    const x1 = tf.tensor2d(points, [B, points.length / B]);
    const x0 = gaussianNoise<tf.Rank.R2>({ ...draw, stream: `${draw.stream} x0` }, x1.shape);
    return { x0, x1 };
  };
}

/**
 * L_CFM(θ) = E‖v_θ(ψₜ(x₀), t) − (x₁ − (1−σ_min)·x₀)‖², with t ~ U[0, 1]   (Lipman et al. 2023, Eq. 23).
 *
 * Many lines pass at the same point at the same time, and the network can say but one velocity: the best
 * is their mean. That is all there is to it, for the mean velocity carries the whole cloud as the lines
 * together do (Lipman et al. 2023, Theorem 1; Liu et al. 2023, Theorem 3.3).
 *
 * @param velocity v_θ at points [B, D] and times [B].
 * @param t [B].
 */
export function flowMatchingLoss(
  velocity: (x: tf.Tensor2D, t: tf.Tensor1D) => tf.Tensor2D,
  { x0, x1, t, sigmaMin = 0 }: {
    x0: tf.Tensor2D;
    x1: tf.Tensor2D;
    t: tf.Tensor1D;
    sigmaMin?: number;
  },
): tf.Scalar {
  const xt = psi(x0, x1, tf.expandDims(t, 1) as tf.Tensor2D, sigmaMin);
  const error = tf.sub(velocity(xt, t), lineVelocity(x0, x1, sigmaMin));
  return tf.mean(tf.sum(tf.square(error), 1));
}

/** What the training loop works with. */
export interface Training {
  /** The flow that is trained, and those before it. */
  flows: Flows;
  /** What is learned. */
  data: Data;
  /** Moves the weights of the current flow. */
  adam: Adam;
  /** How it is trained. */
  settings:
    & RateSettings
    & Pick<FlowSettings, "reflows" | "batch" | "sigmaMin" | "pairs" | "pairSteps" | "seed">;
}

/**
 * The training loop, from the step after the optimizer's last one; the caller disposes of the losses.
 *
 * First flow 0 learns from independent pairs, in half of the steps. Then, as often as asked for, the pairs
 * are replaced by those that the flow itself has made, and it learns from these (Liu et al. 2023,
 * Algorithm 1).
 *
 * @throws {UserError} The run that is resumed shared its steps otherwise.
 */
export function* train({ flows, data, adam, settings }: Training): Generator<TrainingStep> {
  const { steps, batch: B, seed } = settings;
  refuseOtherShares(flows, adam, settings);
  let ownPairs: Pairs | undefined;
  try {
    for (let step = adam.steps + 1; step <= steps; step++) {
      const { flow, first, last } = shareOf(step, settings);
      if (flow > flows.finished.length) {
        adam.moveToAverages(); // a flow ends at these
        flows.finish();
        ownPairs = disposed(ownPairs);
      }
      if (flow > 0) ownPairs ??= reflowPairs(flows.finished[flow - 1], flow, settings);
      const coupling = ownPairs?.coupling ?? independentPairs(data);
      // the samples of a flow have their width already
      const sigmaMin = flow === 0 ? settings.sigmaMin : 0;
      const loss = tf.tidy(() => {
        const t = tf.tensor1d(uniform({ seed, stream: "t", step }, B)); // t ~ U[0, 1]
        const { x0, x1 } = coupling({ seed, stream: "train", step }, B);
        const { value, gradients } = valueAndGradients(
          flows.current.parameters,
          () => {
            const velocity = (x: tf.Tensor2D, t: tf.Tensor1D) =>
              flows.current.forward(x, t, { training: true, step });
            return flowMatchingLoss(velocity, { x0, x1, t, sigmaMin });
          },
        );
        const rate = { ...settings, steps: last - first + 1 };
        adam.step(gradients, learningRateAt(step - first + 1, rate));
        return value;
      });
      yield { step, loss };
    }
  } finally {
    disposed(ownPairs);
  }
}

/** The loss of a trained network at single t, averaged over so many fresh pairs. */
export async function measureLoss(
  network: FlowNetwork,
  coupling: Coupling,
  { sigmaMin, seed, parts, count }: Pick<FlowSettings, "sigmaMin" | "seed"> & {
    parts: number;
    count: number;
  },
): Promise<{ t: number[]; value: number[] }> {
  const times = Array.from({ length: parts + 1 }, (_, i) => i / parts);
  const losses = tf.tidy(() =>
    tf.stack(times.map((time, step) => {
      const pairs = coupling({ seed, stream: "loss per t", step }, count);
      const t = tf.fill([count], time) as tf.Tensor1D;
      return flowMatchingLoss((x) => network.forward(x, t), { ...pairs, t, sigmaMin });
    }))
  );
  const value = Array.from(await losses.data());
  losses.dispose();
  return { t: times, value };
}

/** Which flow a step trains, and the first and the last step of that one. */
function shareOf(
  step: number,
  { steps, reflows }: Pick<FlowSettings, "steps" | "reflows">,
): { flow: number; first: number; last: number } {
  // flow 0 has the larger part of the work
  const half = reflows === 0 ? steps : Math.ceil(steps / 2);
  const end = (flow: number) => half + Math.ceil(flow * (steps - half) / Math.max(1, reflows));
  let flow = 0;
  while (step > end(flow)) flow++;
  return { flow, first: flow === 0 ? 1 : end(flow - 1) + 1, last: end(flow) };
}

function refuseOtherShares({ finished }: Flows, adam: Adam, settings: Training["settings"]): void {
  const { steps, reflows } = settings;
  if (adam.steps === 0 || adam.steps > steps) return;
  const { flow } = shareOf(adam.steps, settings);
  if (flow === finished.length) return;
  throw new UserError(
    `--steps ${steps}: shared by ${
      reflows + 1
    } flows, step ${adam.steps} would train flow ${flow}, ` +
      `and the run has trained flow ${finished.length} by then; leave --steps out to go on with it`,
  );
}

// ---------------------------------------------------------------------------------------------
// 3. Reflow: the flow's own pairs
// ---------------------------------------------------------------------------------------------

/** Pairs that are drawn from a store of them. */
export interface Pairs {
  /** Draws a batch at random. */
  coupling: Coupling;
  /** Frees the store. */
  dispose(): void;
}

/**
 * Noises Z₀ and where the flow takes them, Z₁   (Liu et al. 2023, Algorithm 1, "Reflow").
 *
 * The flow's ways never cross, as only one velocity is at each point; so lines between these ends cross
 * less than lines between independent ones, and their mean is nearer to each of them.
 *
 * There are so many batches that they hold at least the pairs asked for. A batch is made when it is first
 * drawn, so that a training that is stopped and goes on need not wait for all of them.
 *
 * @param reflow Which one it is for, from 1: each has noises of its own.
 */
export function reflowPairs(
  network: Pick<FlowNetwork, "forward" | "dimensions">,
  reflow: number,
  { pairs, pairSteps, batch, seed }: Pick<
    Training["settings"],
    "pairs" | "pairSteps" | "batch" | "seed"
  >,
): Pairs {
  const batches = new Map<number, ReturnType<Coupling>>();
  function make(step: number): ReturnType<Coupling> {
    // Z₀ ~ N(0, I), and Z₁ is where the flow has taken it at t = 1
    const draw = { seed, stream: `reflow ${reflow} z0`, step };
    const z0 = gaussianNoise<tf.Rank.R2>(draw, [batch, network.dimensions]);
    const way = solve(velocityOf(network), tf.clone(z0), { steps: pairSteps, step: heunStep });
    return { x0: tf.keep(z0), x1: tf.keep(endOf(way)) };
  }
  return {
    coupling: (draw) => {
      const among = Math.ceil(pairs / batch);
      const [which] = integers({ ...draw, stream: `${draw.stream} pairs` }, 1, 0, among);
      const drawn = batches.get(which) ?? make(which);
      batches.set(which, drawn);
      return drawn;
    },
    dispose: () => batches.forEach(({ x0, x1 }) => tf.dispose([x0, x1])),
  };
}

function disposed(pairs: Pairs | undefined): undefined {
  pairs?.dispose();
}

/** Follows a flow to its end; the caller disposes of what it gets. */
function endOf(moments: Iterable<Moment>): tf.Tensor2D {
  let end: tf.Tensor2D | undefined;
  for (const { x } of moments) {
    end?.dispose();
    end = tf.clone(x);
  }
  return end!;
}

// ---------------------------------------------------------------------------------------------
// 4. Sampling: follow the velocity from noise to data
// ---------------------------------------------------------------------------------------------

/** v_θ with one t for all points, as the solvers want it. */
export function velocityOf(network: Pick<FlowNetwork, "forward">): Velocity {
  return (x, t) => network.forward(x, t);
}

/**
 * Draws points: Z₀ ~ N(0, I), then dZₜ = v_θ(Zₜ, t)·dt from t = 0 to t = 1   (Liu et al. 2023, Eq. 1).
 *
 * @param options.count B, how many points.
 */
export function sample(
  velocity: Velocity,
  { count, seed, solver, sampleSteps, tolerance }:
    & Pick<FlowSettings, "seed" | "solver" | "sampleSteps" | "tolerance">
    & { count: number },
): Iterable<Moment> | AsyncIterable<Moment> {
  const z0 = gaussianNoise<tf.Rank.R2>({ seed, stream: "z0" }, [count, 2]);
  if (solver === "dormand-prince") return dormandPrince(velocity, z0, { tolerance });
  return follow(velocity, z0, { solver, sampleSteps });
}

/**
 * Follows a flow in steps of one length.
 *
 * @param z0 Noise, [B, D]; it is disposed of.
 */
export function follow(
  velocity: Velocity,
  z0: tf.Tensor2D,
  { solver, sampleSteps: steps }: { solver: "euler" | "heun"; sampleSteps: number },
): Iterable<Moment> {
  return solve(velocity, z0, { steps, step: solver === "heun" ? heunStep : eulerStep });
}

// ---------------------------------------------------------------------------------------------
// 5. How straight the ways are
// ---------------------------------------------------------------------------------------------

/** Steps along which the straightness is measured. */
const STRAIGHTNESS_STEPS = 40;

/**
 * S(Z) = ∫₀¹ E‖(Z₁ − Z₀) − dZₜ/dt‖² dt   (Liu et al. 2023, section 2): 0 for straight ways at a constant
 * speed, for which one Euler step is exact.
 *
 * @param z0 Noise, [B, D]; it is disposed of.
 */
export async function straightness(velocity: Velocity, z0: tf.Tensor2D): Promise<number> {
  const start = tf.clone(z0);
  const velocities: tf.Tensor2D[] = [];
  let z1 = tf.clone(z0);
  for (const { t, x } of solve(velocity, z0, { steps: STRAIGHTNESS_STEPS })) {
    z1.dispose();
    z1 = tf.clone(x);
    if (t < 1) velocities.push(tf.tidy(() => velocity(x, t)));
  }
  const mean = tf.tidy(() => {
    const straight = tf.sub(z1, start);
    const errors = velocities.map((v) => tf.mean(tf.sum(tf.square(tf.sub(straight, v)), 1)));
    return tf.mean(tf.stack(errors));
  });
  const [value] = await mean.data();
  tf.dispose([start, z1, mean, ...velocities]);
  return value;
}

// ---------------------------------------------------------------------------------------------
// 6. The exact likelihood: a flow only moves probability about
// ---------------------------------------------------------------------------------------------

/**
 * div v = ∂v₁/∂x₁ + ∂v₂/∂x₂ at each point, the exact trace: how fast the flow thins out there.
 *
 * @param x [B, 2].
 * @returns [B, 1].
 */
export function divergence(velocity: Velocity, x: tf.Tensor2D, t: number): tf.Tensor2D {
  const [B] = x.shape;
  const parts = [0, 1].map((i) => {
    // the points do not see each other, so the gradient of the sum is each point's own
    const component = (x: tf.Tensor2D) => tf.sum(tf.slice(velocity(x, t), [0, i], [B, 1]));
    const row = tf.grad((x) => component(x as tf.Tensor2D))(x); // ∂vᵢ/∂x, [B, 2]
    return tf.slice(row as tf.Tensor2D, [0, i], [B, 1]);
  });
  return tf.add(parts[0], parts[1]);
}

/**
 * log p₁(x) = log N(z₀; 0, I) − ∫₀¹ div v(zₜ, t) dt, along the way back from z₁ = x to z₀
 * (Chen et al. 2018, Eq. 8; Lipman et al. 2023, appendix C).
 *
 * @param x [B, 2]; it is disposed of.
 * @param options.tolerance As in {@linkcode dormandPrince}.
 * @returns The mean over the points, in nats.
 */
export async function logLikelihood(
  velocity: Velocity,
  x: tf.Tensor2D,
  { tolerance }: { tolerance: number },
): Promise<number> {
  const [B] = x.shape;
  const place = (state: tf.Tensor2D) => tf.slice(state, [0, 0], [B, 2]);
  // the integral is a third coordinate: d(z, ℓ)/dt = (v, div v)
  const both: Velocity = (state, t) => {
    const z = place(state);
    return tf.concat([velocity(z, t), divergence(velocity, z, t)], 1);
  };
  const start = tf.tidy(() => tf.concat([x, tf.zeros([B, 1])], 1) as tf.Tensor2D);
  x.dispose();
  let mean = NaN;
  for await (const { t, x: state } of dormandPrince(both, start, { tolerance, from: 1, to: 0 })) {
    if (t !== 0) continue;
    const value = tf.tidy(() => {
      // log N(z₀; 0, I) = −log 2π − ‖z₀‖²/2; the integral was taken backwards, so ℓ is −∫ div v dt
      const squares = tf.sum(tf.square(place(state)), 1);
      const integral = tf.squeeze(tf.slice(state, [0, 2], [B, 1]), [1]);
      return tf.mean(tf.sub(integral, tf.mul(squares, 0.5)));
    });
    mean = (await value.data())[0] - Math.log(2 * Math.PI);
    value.dispose();
  }
  return mean;
}

// ---------------------------------------------------------------------------------------------
// 7. The run: settings, then train, sample, draw, measure
// ---------------------------------------------------------------------------------------------

/**
 * What a training starts from: the points, an untrained flow and its optimizer.
 *
 * @param own Points that have no name. Default: those of the settings.
 */
export async function startTraining(
  settings: FlowSettings,
  own?: PointData,
): Promise<Training & { data: PointData; settings: FlowSettings }> {
  const data = own ?? await pointData(settings.data);
  const flows = new Flows(() => new VelocityNetwork(settings));
  const adam = new Adam(flows.current.parameters, { emaDecay: 0 }); // the last weights are as good
  return { flows, data, adam, settings };
}

/** The same on images. */
export async function startImageTraining(
  settings: ImageFlowSettings,
): Promise<ImageTraining> {
  const from = { ...settings, dataset: settings.data };
  const images = await loadImages({ ...from, split: "train" });
  const unseen = hasDigits(settings.data)
    ? await loadImages({ ...from, split: "test" })
    : undefined; // what the samples are measured with
  const flows = new Flows(() => new ImageVelocity(unetOptions(settings, images.channels)));
  const D = flows.current.dimensions;
  const { emaDecay } = settings;
  // paper 2's norm is that of a mean over pixels, this loss is a sum
  const adam = new Adam(flows.current.parameters, { clipNorm: CLIP_NORM * D, emaDecay });
  return { flows, data: asPoints(images), images, unseen, adam, settings };
}

/** A training on images, and the images. */
export type ImageTraining = Training & {
  settings: ImageFlowSettings;
  images: ImageSet;
  unseen?: ImageSet;
};

export { command };

/** The command line on images. */
export const imageCommand: Command<ImageFlowFlags> = imageFlowCommand(paper2.command);

/** Largest norm of the gradient for each pixel, that of paper 2. */
const CLIP_NORM = 1;

/** Seconds of drawing and measuring points on two cores. */
const REPORT_SECONDS = 20;

/** The error of a step on the way back of a likelihood. */
const LIKELIHOOD_TOLERANCE = 1e-3;

/** The t at which the loss is measured, and pairs for each. */
const LOSS_TIMES = { points: { parts: 40, count: 2000 }, images: { parts: 20, count: 64 } };

/** Seconds from one sheet of images to the next, while the network trains. */
const SHEET_EVERY = 40;

/** What a run on points does after its training: figures and measurements. */
export function afterTraining(): AfterTraining {
  return { steps: 0, seconds: REPORT_SECONDS };
}

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  return await isOfImages(args) ? await mainOfImages(args) : await mainOfPoints(args);
}

async function mainOfPoints(args: string[]): Promise<number> {
  const read = await readSettings(command, args);
  if (!read) return 0;
  // what writes files and draws figures is for the command alone: a page has this script without it
  const { trainAndReport } = await import("./common/run/training_run.ts");
  const { flowInLines, reportFlows, writeFlowPointSheet } = await import(
    "./common/report/flow_report.ts"
  );
  const { POINT_SHEET_EVERY } = await import("./common/report/point_sheet.ts");
  const { readBeside } = await import("./common/report/paper_1_beside.ts");
  const { writeReportPage } = await import("./common/page/page.ts");
  const beside = await readBeside(read.settings);
  return await trainAndReport({
    command,
    start: (settings) => startTraining(settings),
    memory: flowMemory,
    data: ({ data }) => data.sha256,
    network: ({ flows }) => flows,
    train,
    bar: { lossName: "L" },
    after: afterTraining,
    meanwhile: {
      everySeconds: POINT_SHEET_EVERY,
      saves: true,
      run: async ({ flows, data, folder, settings: { seed } }, step) => {
        const { current, finished: { length: reflow } } = flows;
        const velocity = velocityOf(current);
        await writeFlowPointSheet({ folder, data, seed, velocity, reflow, follow }, step);
      },
    },
    report: async ({ flows, data, folder, settings }, losses) => {
      const report = await reportFlows({
        ...{ folder, data, seed: settings.seed, losses, beside },
        flows: flows.all.map((network) => velocityOf(network)),
        line: (x0, x1, t) => psi(x0, x1, t, settings.sigmaMin),
        lossPerT: await measureLoss(flows.all[0], independentPairs(data), {
          ...settings,
          ...LOSS_TIMES.points,
        }),
        sample: (velocity, count) => sample(velocity, { ...settings, count }),
        straightness,
        logLikelihood: (velocity, x) =>
          logLikelihood(velocity, x, { tolerance: LIKELIHOOD_TOLERANCE }),
      });
      return { results: report, lines: flowInLines(report, data) };
    },
    writePage: writeReportPage,
  }, read.settings);
}

async function mainOfImages(args: string[]): Promise<number> {
  const read = await readSettings(imageCommand, args);
  if (!read) return 0;
  unetOptions(read.settings, 1); // what does not go together is said before anything is started
  const { data: dataset, exportData } = read.settings;
  if (exportData !== undefined) {
    const { exportImages } = await import("./common/report/data_export.ts");
    await exportImages(await loadImages({ ...read.settings, dataset, split: "train" }), exportData);
    return 0;
  }
  const { trainAndReport } = await import("./common/run/training_run.ts");
  const { checkCompared } = await import("./common/report/flow_comparison.ts");
  const { afterImageTraining, reportImageFlows, writeFlowSheet } = await import(
    "./common/report/image_flow_report.ts"
  );
  const { writeReportPage } = await import("./common/page/page.ts");
  await checkCompared(read.settings);
  return await trainAndReport({
    command: imageCommand,
    start: startImageTraining,
    memory: imageMemory,
    data: ({ data }) => data.sha256,
    network: ({ flows }) => flows,
    averaged: true,
    train,
    bar: { lossName: "L", unit: "images", unitsPerStep: read.settings.batch },
    after: afterImageTraining,
    meanwhile: {
      everySeconds: SHEET_EVERY,
      run: ({ flows, ...run }, step) =>
        writeFlowSheet({ ...run, velocity: velocityOf(flows.current), follow }, step),
    },
    report: async ({ flows, data, ...run }, losses) =>
      await reportImageFlows({
        ...run,
        losses,
        flows: flows.all.map((network) => velocityOf(network)),
        lossPerT: await measureLoss(flows.all[0], independentPairs(data), {
          ...run.settings,
          ...LOSS_TIMES.images,
        }),
        follow,
        straightness,
        chainOf: paper2.chainOf,
      }),
    writePage: writeReportPage,
  }, read.settings);
}

/**
 * The training that the arguments describe, of points or of images, to be begun once there is a backend.
 *
 * @returns Undefined for `--help`.
 */
export async function readTraining(args: string[]): Promise<(() => Promise<Training>) | undefined> {
  if (await isOfImages(args)) {
    const read = await readSettings(imageCommand, args);
    return read && (() => startImageTraining(read.settings));
  }
  const read = await readSettings(command, args);
  return read && (() => startTraining(read.settings));
}

if (import.meta.main) await runMain(main);
