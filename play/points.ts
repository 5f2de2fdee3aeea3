/**
 * Chapters a to c of the page to play with: paper 1's own code on points in the plane.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { toHost, toTensors } from "../common/checkpoint.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { qSample } from "../common/forward_process.ts";
import { loadTrainingState, trainingState } from "../common/network/adam.ts";
import {
  type Calls,
  type Destruction,
  type PointSwitches,
  type Snapshot,
  type TrainingState,
  WIND,
} from "../common/page/play/protocol.ts";
import { distancesToData } from "../common/report/point_distances.ts";
import { pointSchedule } from "../common/run/point_settings.ts";
import type { Schedule } from "../common/schedule.ts";
import {
  command,
  measureBound,
  qStep,
  ReverseModel,
  sample,
  startTraining,
  train,
  type Training,
} from "../paper_1_partb.ts";
import { dataOf, settingsOf } from "./settings.ts";
import { differenceOfSnapshots, rehearse } from "./rehearsal.ts";
import { type Since, type Tell, Trainer, type TrainerOptions } from "./trainer.ts";

type Given<C extends keyof Calls> = Parameters<Calls[C]>[0];

/** How many places of points a snapshot's chains have, and how many points at most. */
const [MOST_PLACES, MOST_POINTS] = [60_000, 800];
/** Points that the distance and the KL of each t are measured with, and lines of the distance. */
const [MEASURED, PER_T, LINES] = [800, 100, 60];
/** The settings that the switches decide. */
function given({ timesteps, schedule, tails, hidden, seed }: PointSwitches) {
  return { timesteps, schedule, tails, hidden, seed };
}

/** How a backend wants to be worked with. */
export interface PointOptions extends TrainerOptions {
  /** The training is told with each snapshot if it has at most so many weights. Default: 0. */
  savesUpTo?: number;
}

/** Paper 1, as the page asks for it. */
export class PointLesson {
  readonly #tell: Tell;
  readonly #trainer: Trainer;
  readonly #savesUpTo: number;
  #training: Training | undefined;
  #forward: Float32Array = new Float32Array();
  #shown: Snapshot | undefined;

  /** `tell` passes events to the page. */
  constructor(tell: Tell, { savesUpTo = 0, ...options }: PointOptions = {}) {
    this.#tell = tell;
    this.#trainer = new Trainer(tell, options);
    this.#savesUpTo = savesUpTo;
  }

  /** Chapter a: the forward chain of points and of a digit, in closed form and step by step. */
  async destroy({ switches, count, digit }: Given<"destroy">): Promise<Destruction> {
    const schedule = pointSchedule(settingsOf(command, given(switches)));
    const { seed } = switches;
    const data = await dataOf(switches);
    const points = data.sample({ seed, stream: "figure x0" }, count);
    const pixels = Float32Array.from(digit, (value) => value / 127.5 - 1);
    const times = Array.from({ length: schedule.T + 1 }, (_, t) => t);
    return {
      alphaBar: times.map(schedule.alphaBar),
      beta: times.map((t) => t === 0 ? 0 : schedule.beta(t)),
      closed: await inOneGo(schedule, points, seed),
      steps: await stepByStep(schedule, points, seed),
      digitClosed: await inOneGo(schedule, pixels, seed),
      digitSteps: await stepByStep(schedule, pixels, seed),
    };
  }

  /** Chapter b: data, an untrained network and its optimizer. */
  async begin({ switches, steps }: Given<"begin">): Promise<void> {
    await this.#start(switches, steps);
    await this.#show();
  }

  async #start(switches: PointSwitches, steps: number): Promise<void> {
    const settings = settingsOf(command, { ...given(switches), steps });
    const training = await startTraining(settings, await dataOf(switches));
    this.#trainer.stop();
    this.#training?.model.dispose();
    this.#training?.adam.dispose();
    this.#training = training;
    const { data, schedule } = training;
    const points = data.sample({ seed: switches.seed, stream: "figure x0" }, countOf(schedule));
    this.#forward = await stepByStep(schedule, points, switches.seed);
  }

  /** Shows a training, paused, and from now on about once a second. */
  async #show(expected?: Snapshot): Promise<void> {
    const training = this.#present();
    await this.#trainer.begin(train(training), async (since) => {
      const snapshot = await this.#snapshot(since);
      const difference = expected && differenceOfSnapshots(snapshot, expected);
      if (difference) throw new Error(difference);
      expected = undefined;
      this.#tell("snapshot", snapshot);
      this.#shown = snapshot;
      const size = [...training.model.parameters.values()].reduce((sum, { size }) => sum + size, 0);
      if (size <= this.#savesUpTo) this.#tell("state", await stateOf(training));
    });
  }

  /** Some steps of such a training, to see whether they come out the same elsewhere, and how fast. */
  async rehearse({ switches, steps, seconds, expected }: Given<"rehearse">) {
    const settings = settingsOf(command, { ...given(switches), steps });
    return await rehearse(settings, { data: await dataOf(switches), seconds, expected });
  }

  /** Pauses; the training as it stands, and what it shows then. */
  async handOver(): Promise<ReturnType<Calls["handOver"]>> {
    const training = this.#present();
    this.#trainer.run(false);
    await this.#trainer.showNow();
    return { state: await stateOf(training), snapshot: this.#shown! };
  }

  /** Takes a training over that was handed over elsewhere. */
  async takeOver({ switches, steps, state, expected }: Given<"takeOver">): Promise<void> {
    await this.#start(switches, steps);
    const { model, adam } = this.#present();
    const tensors = toTensors(state);
    await loadTrainingState(model, adam, tensors);
    tf.dispose([...tensors.values()]);
    await this.#show(expected);
  }

  /** Trains between the page's other calls, or pauses. */
  train({ on }: Given<"train">): Promise<void> {
    this.#trainer.run(on);
    return Promise.resolve();
  }

  /** Chapter c: several ways down from one place. */
  async walk({ from, count, seed }: Given<"walk">): Promise<ReturnType<Calls["walk"]>> {
    const { model, schedule } = this.#present();
    const xT = tf.tensor2d(Array.from({ length: count }, () => from), [count, 2]);
    const places = await chainOf(sample(model, schedule, { count, seed, xT }), schedule.T, count);
    const ways = new Float32Array(places.length);
    for (let t = 0; t <= schedule.T; t++) {
      for (let k = 0; k < count; k++) {
        const at = 2 * (t * count + k);
        ways.set(places.subarray(at, at + 2), 2 * (k * (schedule.T + 1) + t));
      }
    }
    return { T: schedule.T, ways };
  }

  /** Samples of the network as it is. */
  async samples({ count, seed }: Given<"samples">): Promise<Float32Array> {
    const { model, schedule } = this.#present();
    const places = await chainOf(sample(model, schedule, { count, seed }), schedule.T, count);
    return places.slice(0, 2 * count);
  }

  #present(): Training {
    if (!this.#training) throw new Error("there is no network yet");
    return this.#training;
  }

  async #snapshot({ rate, losses }: Since): Promise<Snapshot> {
    const { model, schedule, data, adam, settings: { seed, steps } } = this.#present();
    const { T } = schedule;
    const N = countOf(schedule);
    const chain = await chainOf(sample(model, schedule, { count: MEASURED, seed }), T, MEASURED);
    const samples = chain.subarray(0, 2 * MEASURED);
    const { klPerT } = await measureBound(model, schedule, data, { count: PER_T, seed });
    const options = { seed, count: MEASURED, draws: 1, directions: LINES };
    const { ofSamples: [distance], ofData } = distancesToData([samples], data, options);
    return {
      ...{ step: adam.steps, steps, rate, T, N, losses, forward: this.#forward },
      reverse: firstPoints(chain, { T, count: MEASURED, kept: N }),
      kl: klPerT.value,
      wind: await windOf(model, T),
      distance,
      distanceOfData: ofData,
    };
  }
}

/** The numbers of a training between two steps. */
async function stateOf({ model, adam }: Training): Promise<TrainingState> {
  const tensors = trainingState(model, adam);
  const state = await toHost(tensors);
  tf.dispose([...tensors.values()]);
  return state;
}

function countOf({ T }: Schedule): number {
  return Math.min(MOST_POINTS, Math.floor(MOST_PLACES / (T + 1)));
}

/** Every t in one go from the same x₀ with the same ε: [T+1, n]. */
async function inOneGo(
  schedule: Schedule,
  x0: Float32Array,
  seed: number,
): Promise<Float32Array> {
  const n = x0.length;
  const all = new Float32Array((schedule.T + 1) * n);
  for (let t = 0; t <= schedule.T; t++) {
    const xt = tf.tidy(() =>
      qSample(
        schedule,
        tf.tensor1d(x0),
        t,
        gaussianNoise<tf.Rank.R1>({ seed, stream: "figure eps" }, [n]),
      )
    );
    all.set(await xt.data(), t * n);
    xt.dispose();
  }
  return all;
}

/** The same by T single steps, each with noise of its own: [T+1, n]. */
async function stepByStep(
  schedule: Schedule,
  x0: Float32Array,
  seed: number,
): Promise<Float32Array> {
  const n = x0.length;
  const all = new Float32Array((schedule.T + 1) * n);
  all.set(x0);
  for (let t = 1; t <= schedule.T; t++) {
    const xt = tf.tidy(() => {
      const before = tf.tensor1d(all.subarray((t - 1) * n, t * n));
      return qStep(
        schedule,
        before,
        t,
        gaussianNoise<tf.Rank.R1>({ seed, stream: "figure z", step: t }, [n]),
      );
    });
    all.set(await xt.data(), t * n);
    xt.dispose();
  }
  return all;
}

/** The places of a reverse chain's points, [T+1, count, 2] with t = 0 first. */
async function chainOf(
  chain: ReturnType<typeof sample>,
  T: number,
  count: number,
): Promise<Float32Array> {
  const places = new Float32Array((T + 1) * count * 2);
  for (const { t, xt } of chain) places.set(await xt.data(), t * count * 2);
  return places;
}

/** The first points of a chain, [T+1, kept, 2]. */
function firstPoints(
  chain: Float32Array,
  { T, count, kept }: { T: number; count: number; kept: number },
): Float32Array {
  const cut = new Float32Array((T + 1) * kept * 2);
  for (let t = 0; t <= T; t++) {
    cut.set(chain.subarray(2 * t * count, 2 * (t * count + kept)), 2 * t * kept);
  }
  return cut;
}

/** μ_θ(xₜ, t) − xₜ on the grid, for all t = 1..T at once. */
async function windOf(model: ReverseModel, T: number): Promise<Float32Array> {
  const { side, reach } = WIND;
  const ticks = Array.from({ length: side }, (_, i) => reach * (2 * i / (side - 1) - 1));
  const grid = ticks.flatMap((y) => ticks.map((x) => [x, y]));
  const wind = tf.tidy(() => {
    const places = tf.tensor2d(grid, [side * side, 2]);
    return tf.stack(
      Array.from({ length: T }, (_, i) => tf.sub(model.forward(places, i + 1).mean, places)),
    );
  });
  const values = await wind.data() as Float32Array;
  wind.dispose();
  return values;
}
