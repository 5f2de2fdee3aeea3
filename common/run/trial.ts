/**
 * A run's own first training steps, done once and thrown away: to see whether a backend computes the
 * right numbers, and how long a step takes on it. Random numbers are a function of seed, purpose and
 * step, so the run itself does not notice.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Adam } from "../network/adam.ts";
import type { TrainingStep } from "./training.ts";

/** A script's training, as far as its first steps need it. */
export interface Triable<S, T extends { adam: Adam }> {
  /** Data, an untrained model and its optimizer. */
  start(settings: S): Promise<T>;
  /** The network that is trained. */
  network(training: NoInfer<T>): {
    stateDict(): Map<string, tf.Tensor>;
    load(tensors: Map<string, tf.Tensor>): void;
  };
  /** The training loop. */
  train(training: NoInfer<T>): Iterable<TrainingStep>;
}

/** What came of it. */
export interface Trial {
  /** The loss of the first step. */
  loss: number;
  /** The norm of each parameter's gradient in the first step. */
  gradientNorms: number[];
  /** Seconds that a step takes once everything is warm; only where it was timed. */
  stepSeconds: number;
}

/** How far loss and gradient norms may be apart, relative to their value. */
const TOLERANCE = 1e-3;

/** In what the numbers of another backend differ from those of WASM, in words, or undefined. */
export function differenceOf(
  found: Omit<Trial, "stepSeconds">,
  expected: Omit<Trial, "stepSeconds">,
): string | undefined {
  if (!(Math.abs(found.loss - expected.loss) <= TOLERANCE * Math.abs(expected.loss))) {
    return `the loss of a training step is ${short(found.loss)}, with WASM ${short(expected.loss)}`;
  }
  const largest = Math.max(...expected.gradientNorms);
  const at = expected.gradientNorms.findIndex((norm, i) =>
    // a gradient that is 0 but for rounding has no relative error
    !(Math.abs(found.gradientNorms[i] - norm) <= TOLERANCE * norm + 1e-6 * largest)
  );
  if (at < 0) return undefined;
  const [there, here] = [found.gradientNorms[at], expected.gradientNorms[at]];
  return `the norm of a gradient is ${short(there)}, with WASM ${short(here)}`;
}

function short(value: number): string {
  return value.toPrecision(3);
}

/** What is measured. */
export interface TrialOptions {
  /** About how many seconds to spend on timing. 0: not at all. */
  seconds: number;
}

/** The settings that a trial changes. */
export interface TrialSettings {
  /** Number of the last step. */
  steps: number;
  /** Samples of a step. */
  batch: number;
}

/** Steps that are timed at most, in one of two rounds. */
const MOST_STEPS = 50;
/** More than a trial takes. */
const ENOUGH = 1000;

/**
 * Trains an untrained model for a few steps on the active backend, and frees everything again.
 *
 * The weights are stirred first: in a new network some are 0, and the gradients behind them, too.
 */
export async function tryTraining<S extends TrialSettings, T extends { adam: Adam }>(
  script: Triable<S, T>,
  settings: S,
  { seconds }: TrialOptions,
): Promise<Trial> {
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  tf.engine().startScope();
  try {
    const training = await script.start({ ...settings, steps: Math.max(settings.steps, ENOUGH) });
    await stir(script.network(training), training.adam);
    const norms = watchGradients(training.adam);
    const steps = script.train(training)[Symbol.iterator]();
    const loss = await takeSteps(steps, 1);
    return {
      loss,
      gradientNorms: await norms(),
      stepSeconds: seconds > 0 ? await timeSteps(steps, seconds) : NaN,
    };
  } finally {
    tf.engine().endScope();
    for (const [name, variable] of Object.entries(tf.engine().registeredVariables)) {
      if (!before.has(name)) variable.dispose();
    }
  }
}

/** Adds a wave to the weights, so that none is 0, and tells the optimizer. */
async function stir(
  network: ReturnType<Triable<unknown, { adam: Adam }>["network"]>,
  adam: Adam,
): Promise<void> {
  const weights = network.stateDict();
  let ordinal = 0;
  const stirred = tf.tidy(() =>
    [...weights].map(([name, weight]): [string, tf.Tensor] => {
      const wave = Float32Array.from(
        { length: weight.size },
        (_, i) => Math.sin(1.7 * i + ordinal),
      );
      ordinal++;
      return [name, tf.add(weight, tf.mul(0.05, tf.tensor(wave, weight.shape)))];
    })
  );
  network.load(new Map(stirred));
  const state = adam.stateDict();
  await adam.load(state);
  tf.dispose([...weights.values(), ...stirred.map(([, tensor]) => tensor), ...state.values()]);
}

/** Keeps the norms of the gradients of the next step. */
function watchGradients(adam: Adam): () => Promise<number[]> {
  const step = adam.step.bind(adam);
  let norms: tf.Tensor | undefined;
  adam.step = (gradients, learningRate) => {
    norms = tf.keep(
      tf.tidy(() =>
        tf.stack([...gradients.values()].map((gradient) => tf.sqrt(tf.sum(tf.square(gradient)))))
      ),
    );
    adam.step = step;
    step(gradients, learningRate);
  };
  return async () => {
    const numbers = Array.from(await norms!.data());
    norms!.dispose();
    return numbers;
  };
}

/** Seconds for a step: the faster of two rounds, which together take about `seconds`. */
async function timeSteps(steps: Iterator<TrainingStep>, seconds: number): Promise<number> {
  const time = async (count: number) => {
    const started = performance.now();
    await takeSteps(steps, count);
    return (performance.now() - started) / 1000 / count;
  };
  const first = await time(1);
  const count = Math.min(MOST_STEPS, Math.floor((seconds - first) / 2 / first));
  if (count < 1) return first;
  return Math.min(await time(count), await time(count));
}

/** Does so many steps and gives the last one's loss; a GPU is waited for. */
async function takeSteps(steps: Iterator<TrainingStep>, count: number): Promise<number> {
  for (let i = 1; i < count; i++) steps.next().value.loss.dispose();
  const { loss } = steps.next().value;
  const [value] = await loss.data();
  loss.dispose();
  return value;
}

/** A step's time is measured on this part of the batch first: a whole one may take a minute. */
const PART = 1 / 16;
/** Seconds that a step of the whole batch may take to be measured itself. */
const LONGEST_STEP = 2;

/**
 * Seconds that a training step takes on the active backend. Of a long one a part is measured, by which
 * the whole is a little overestimated.
 */
export async function measureStep<S extends TrialSettings, T extends { adam: Adam }>(
  script: Triable<S, T>,
  settings: S,
): Promise<number> {
  const batch = Math.ceil(settings.batch * PART);
  const { stepSeconds } = await tryTraining(script, { ...settings, batch }, { seconds: 0.5 });
  const scaled = stepSeconds * settings.batch / batch;
  if (scaled > LONGEST_STEP) return scaled;
  return (await tryTraining(script, settings, { seconds: 1.5 })).stepSeconds;
}
