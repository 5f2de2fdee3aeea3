/**
 * What surrounds a training loop: progress, loss curve, checkpoints, Ctrl-C, and the end of a run whose
 * loss is not finite. The loop itself stands in the paper's script, as a generator.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { throwDeviceFault } from "../engine/webgpu/faults.ts";
import type { HostTensor } from "../files/safetensors.ts";
import { loadState, saveState } from "./state.ts";
import { toHost, toTensors } from "../checkpoint.ts";
import { lossCurve } from "./loss_curve.ts";
import { type AfterTraining, DRAWING_SHARE, runSeconds } from "./duration.ts";
import { inWords, Progress } from "./progress.ts";
import type { RunFolder } from "./folder.ts";
import { UserError } from "../user_error.ts";

/** One step of a training loop; whoever takes it disposes of the loss. */
export interface TrainingStep {
  /** From 1. */
  step: number;
  /** A scalar. */
  loss: tf.Scalar;
}

/** What a training loop is surrounded with. */
export interface TrainingOptions {
  /** The run's folder. */
  folder: RunFolder;
  /** Number of the last step. */
  steps: number;
  /** The losses of the steps before this process, from {@linkcode resumeTraining}. */
  losses: number[];
  /** Copies of everything the loop needs to be resumed; {@linkcode followTraining} disposes of them. */
  state: () => Map<string, tf.Tensor>;
  /** The loss's name on the bar. Default: "loss". */
  lossName?: string;
  /** What the rate on the bar counts. Default: steps. */
  unit?: string;
  /** How many of these a step has. Default: 1. */
  unitsPerStep?: number;
  /** Seconds between checkpoints. Default: 30. */
  checkpointEvery?: number;
  /** What is done between steps now and then; it must draw no random number that the loop draws. */
  meanwhile?: {
    everySeconds: number;
    /** Whether a checkpoint comes before it. Default: false. */
    saves?: boolean;
    run: (step: number) => Promise<void>;
  };
  /** What the run does afterwards, for its expected time, which is said once it is known. */
  after?: AfterTraining;
  /** The command that resumes the run after an interruption. */
  resumeCommand: string;
}

/** How a training ended. */
export interface TrainingEnd {
  /** "interrupted" after Ctrl-C. */
  status: "finished" | "interrupted";
  /** The loss of every step, from the first. */
  losses: number[];
}

/** WebGPU queues steps; waiting for each loss would empty the queue, so several are read at once. */
const LOSSES_AT_ONCE = { webgpu: 10, wasm: 1, cpu: 1 } as Record<string, number>;
/** How often the event loop runs, so that Ctrl-C is noticed. */
const EVENTS_EVERY_MS = 50;
const LOSSES = "history.loss";

/**
 * The state of an interrupted training.
 *
 * @returns The tensors to resume from, or undefined when no checkpoint was written yet, and the losses
 * so far.
 * @throws {UserError} The checkpoints cannot be used, or are gone.
 */
export async function resumeTraining(
  folder: RunFolder,
): Promise<{ step: number; tensors?: Map<string, tf.Tensor>; losses: number[] }> {
  const notice = (line: string) => console.error(`note: ${line}`);
  const state = await loadState(folder.path, notice, folder.identity);
  if (!state) {
    await refuseLostState(folder);
    notice(`${folder.path} has no checkpoint yet; the run begins at its first step`);
    return { step: 0, losses: [] };
  }
  const { step, tensors } = state;
  const losses = tensors.get(LOSSES)?.data ?? [];
  if (losses.length !== step) {
    throw new UserError(
      `the checkpoint in ${folder.path} has ${losses.length} losses, not ${step}`,
    );
  }
  tensors.delete(LOSSES);
  return { step, tensors: toTensors(tensors), losses: Array.from(losses) };
}

/** Refuses to begin anew where a loss curve says that there was a checkpoint: it is written after one. */
async function refuseLostState({ path }: RunFolder): Promise<void> {
  if (!await Deno.stat(`${path}/loss.csv`).then(() => true, () => false)) return;
  throw new UserError(
    `${path} has a loss curve and no state.safetensors to go on from; bring that back, or start ` +
      `another run like it with --from ${path}/run.json`,
  );
}

/**
 * Runs a training loop to its end, or until Ctrl-C.
 *
 * @throws {UserError} The loss or the weights are no longer finite; the last checkpoint stays. Or
 * there are more steps behind the run than `steps`.
 * @throws {DeviceFault} The GPU failed; the last checkpoint stays.
 */
export async function followTraining(
  loop: Iterable<TrainingStep> | AsyncIterable<TrainingStep>,
  options: TrainingOptions,
): Promise<TrainingEnd> {
  const { folder, steps, meanwhile, checkpointEvery = 30 } = options;
  const losses = [...options.losses];
  refuseFewerSteps(options);
  await folder.update({ status: "running" }); // with the settings of this process
  const progress = startProgress(options);
  const interruption = listenForInterruption();
  const unread: TrainingStep[] = [];
  const clock = new Clock();
  const expectation = new Expectation(options);
  let done = losses.length;
  let saved = done;

  async function readLosses(): Promise<void> {
    const read = await takeLosses(unread);
    throwDeviceFault();
    for (const { step, value } of read) {
      if (!Number.isFinite(value)) giveUp(folder, `the loss is ${value} at step ${step}`, saved);
      losses.push(value);
    }
    progress.update(done, runningMean(losses, options.lossName));
  }

  async function save(): Promise<void> {
    await readLosses();
    const tensors = options.state();
    const state = await toHost(tensors);
    tf.dispose([...tensors.values()]);
    throwDeviceFault();
    const bad = nonFinite(state);
    if (bad) giveUp(folder, `${bad} is no longer finite after step ${done}`, saved);
    await saveCheckpoint(folder, losses, state);
    saved = done;
  }

  try {
    for await (const step of loop) {
      unread.push(step);
      done = step.step;
      if (unread.length >= (LOSSES_AT_ONCE[tf.getBackend()] ?? 1)) await readLosses();
      if (clock.due("events", EVENTS_EVERY_MS)) await new Promise((resume) => setTimeout(resume));
      const expected = expectation.after(done);
      if (expected) progress.say(expected);
      if (interruption.asked) break;
      if (clock.due("checkpoint", checkpointEvery * 1000)) await save();
      if (meanwhile && clock.due("meanwhile", meanwhile.everySeconds * 1000)) {
        const started = performance.now();
        if (meanwhile.saves && saved !== done) await save();
        else await readLosses();
        await meanwhile.run(done);
        clock.hold("meanwhile", (performance.now() - started) / DRAWING_SHARE);
      }
    }
    await save();
  } finally {
    tf.dispose(unread.map(({ loss }) => loss));
    interruption.stopListening();
    progress.finish();
    folder.addSeconds("training", clock.seconds);
  }
  if (done >= steps) return { status: "finished", losses };
  await folder.update({ status: "interrupted" });
  console.error(`stopped after step ${done} of ${steps}; go on with: ${options.resumeCommand}`);
  return { status: "interrupted", losses };
}

/** Writes the state, and the loss curve up to its step. */
async function saveCheckpoint(
  folder: RunFolder,
  losses: number[],
  tensors: Map<string, HostTensor>,
): Promise<void> {
  tensors.set(LOSSES, { shape: [losses.length], data: Float32Array.from(losses) });
  await saveState(folder.path, { step: losses.length, tensors }, folder.identity);
  await folder.write("loss.csv", lossCurve(losses));
}

/** Reads losses in one transfer and disposes of them. */
async function takeLosses(unread: TrainingStep[]): Promise<{ step: number; value: number }[]> {
  if (unread.length === 0) return [];
  const taken = unread.splice(0);
  const all = taken.length === 1
    ? taken[0].loss
    : tf.tidy(() => tf.stack(taken.map(({ loss }) => loss)));
  const values = await all.data();
  tf.dispose([all, ...taken.map(({ loss }) => loss)]);
  return taken.map(({ step }, i) => ({ step, value: values[i] }));
}

/** Refuses what would leave a folder whose settings and model say different things. */
function refuseFewerSteps({ steps, losses, folder }: TrainingOptions): void {
  if (losses.length <= steps) return;
  throw new UserError(
    `--steps ${steps}: the run in ${folder.path} has ${losses.length} behind it; give at least that many`,
  );
}

/** The name of a tensor that is not finite everywhere, or undefined. */
function nonFinite(tensors: Map<string, HostTensor>): string | undefined {
  for (const [name, { data }] of tensors) {
    if (!data.every(Number.isFinite)) return name;
  }
}

/** Ends the run with what is left of it. */
function giveUp(folder: RunFolder, what: string, saved: number): never {
  const kept = saved > 0
    ? `the checkpoint of step ${saved} is kept in ${folder.path}`
    : "no checkpoint had been written yet";
  throw new UserError(`${what}; ${kept}; start again with a lower --learning-rate`, {
    exitCode: 1,
  });
}

/** The mean of the last hundred losses: one step's alone jumps about. */
function runningMean(losses: number[], name = "loss"): string {
  const recent = losses.slice(-100);
  const mean = recent.reduce((sum, loss) => sum + loss, 0) / recent.length;
  return recent.length ? `${name} ${mean.toPrecision(4)}` : "";
}

function startProgress(options: TrainingOptions): Progress {
  const { steps, losses, unit, unitsPerStep } = options;
  const rate = unit ? { unit, unitsPerStep } : {};
  return new Progress({ label: "training", total: steps, from: losses.length, ...rate });
}

/** Notes the first Ctrl-C (or the system's request to end); a second one ends the process at once. */
function listenForInterruption(): { readonly asked: boolean; stopListening: () => void } {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const state = { asked: false, stopListening: () => {} };
  const onSignal = () => {
    if (state.asked) Deno.exit(130);
    state.asked = true;
    console.error("\nstopping after this step; once more ends at once");
  };
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  state.stopListening = () => {
    for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
  };
  return state;
}

/** How long a run takes, by its first steps: worth a line when it is more than a minute. */
class Expectation {
  readonly #options: TrainingOptions;
  #first: { step: number; time: number } | undefined;
  #said = false;

  constructor(options: TrainingOptions) {
    this.#options = options;
    this.#said = options.after === undefined;
  }

  /** The line, once a few steps are done, or undefined. The first step is warming up. */
  after(step: number): string | undefined {
    const now = performance.now();
    this.#first ??= { step, time: now };
    const [count, seconds] = [step - this.#first.step, (now - this.#first.time) / 1000];
    if (this.#said || count < 3 || seconds < EXPECTED_AFTER) return undefined;
    this.#said = true;
    const { steps, after, meanwhile } = this.#options;
    const length = { stepSeconds: seconds / count, after, draws: meanwhile !== undefined };
    const left = runSeconds(steps - step, length);
    return left < 60 ? undefined : `${inWords(left)} to go, figures and measurements included`;
  }
}

/** Seconds after which the time of a step is known well enough. */
const EXPECTED_AFTER = 3;

/** Says when something was last done long enough ago. */
class Clock {
  readonly #started = performance.now();
  readonly #last = new Map<string, number>();
  readonly #held = new Map<string, number>();

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  due(what: string, milliseconds: number): boolean {
    const now = performance.now();
    if (now < (this.#held.get(what) ?? 0)) return false;
    if (now - (this.#last.get(what) ?? this.#started) < milliseconds) return false;
    this.#last.set(what, now);
    return true;
  }

  /** It is not due again before so much time has passed. */
  hold(what: string, milliseconds: number): void {
    this.#held.set(what, performance.now() + milliseconds);
  }
}
