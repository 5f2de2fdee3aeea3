/**
 * What every script's `main` is made of: a backend, a run's folder, and for the scripts that train the
 * way from the first step to the finished run. What belongs to a paper comes in as functions.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Backend, BackendName } from "../backend.ts";
import { writeSafetensors } from "../checkpoint.ts";
import { DeviceFault, throwDeviceFault, whileDeviceLives } from "../engine/webgpu/faults.ts";
import { makeTensorsReadable } from "../inspect/readable_tensors.ts";
import { type Adam, loadTrainingState, type Network, trainingState } from "../network/adam.ts";
import { type MemorySetting, refuseTooLarge } from "../network/memory.ts";
import { UserError } from "../user_error.ts";
import { type BackendSettings, chooseBackend, type Rehearsal } from "./backend_choice.ts";
import type { AfterTraining } from "./duration.ts";
import type { Command, Flags, Settings } from "./flags.ts";
import { type OpenOptions, RunFolder } from "./folder.ts";
import { commandText } from "./help.ts";
import { planSteps } from "./plan.ts";
import { inWords } from "./progress.ts";
import { readRecord, type RunRecord, type Stretch } from "./record.ts";
import { checkData, isFinished, refuseNonFinite } from "./run_checks.ts";
import { decisiveSettings } from "./settings.ts";
import { planStretches, rateChange, recordedStretches, stretchByStretch } from "./stretches.ts";
import {
  followTraining,
  resumeTraining,
  type TrainingOptions,
  type TrainingStep,
} from "./training.ts";
import { measureStep, type Triable, tryTraining } from "./trial.ts";

/** The results of a finished run. */
export interface Conclusion {
  /** The numbers that are kept in run.json. */
  results: object;
  /** The same in words, a line each. */
  lines: string[];
}

/** The settings that every script with a run's folder has. */
export interface ScriptSettings {
  /** Decides all random numbers. */
  seed: number;
  /** The name of the preset. */
  preset: string;
  /** Which backend to start. */
  backend: BackendName;
  /** Threads for WASM. */
  workers: number;
  /** The folder for a new run. */
  out: string | undefined;
  /** The folder of the run to resume. */
  resume: string | undefined;
  /** The run.json of a run to repeat. */
  from: string | undefined;
}

/** The settings of a script that trains. */
export interface TrainingSettings extends ScriptSettings {
  /** Number of the last step. */
  steps: number;
  /** How the learning rate falls. */
  decay: "cosine" | "none";
  /** Sets the steps by the clock. */
  minutes?: number;
  /** Samples of a step. */
  batch: number;
  /** Seconds between checkpoints. */
  checkpointEvery: number;
  /** The run.json that is repeated. */
  from: string | undefined;
}

/** What every script trains with. */
export interface Trained {
  /** The optimizer. */
  adam: Adam;
  /** The script's settings. */
  settings: { steps: number };
}

/** A script that trains, in its parts. T is what the script trains with: data, model, optimizer. */
export interface TrainingScript<F extends Flags, T extends Trained> {
  /** Its command line. */
  command: Command<F>;
  /** Data, an untrained model and its optimizer. */
  start(settings: Settings<F>): Promise<T>;
  /** What decides how much memory is needed, the setting to make smaller first. */
  memory(settings: Settings<F>): MemorySetting[];
  /** SHA-256 of the data, where they come from files. */
  data?(training: NoInfer<T>): string | undefined;
  /** The names of the classes of the data, where the network is told of them. */
  classes?(training: NoInfer<T>): string[];
  /** The network whose weights are kept. */
  network(training: NoInfer<T>): Network;
  /** Whether its averaged weights are those to draw with. Default: false, the last ones. */
  averaged?: boolean;
  /** The training loop, from the step after the optimizer's last one to `settings.steps`. */
  train(training: NoInfer<T>): Iterable<TrainingStep>;
  /** What the progress bar shows. */
  bar?: Pick<TrainingOptions, "lossName" | "unit" | "unitsPerStep">;
  /** What is drawn while it trains, with the weights to draw with. */
  meanwhile?: {
    everySeconds: number;
    /**
     * Whether a checkpoint comes before it, so that the loss curve is as new as what is drawn: for a state
     * that is small. Default: false.
     */
    saves?: boolean;
    run: (training: NoInfer<T> & { folder: RunFolder }, step: number) => Promise<void>;
  };
  /** How long the report takes. */
  after(settings: Settings<F>): AfterTraining;
  /** Draws, measures and writes, with the weights to draw with in the network. */
  report(training: NoInfer<T> & { folder: RunFolder }, losses: number[]): Promise<Conclusion>;
  /** Writes the page of a run in this folder, with what its run.json is going to say. */
  writePage(folder: string, record: RunRecord): Promise<void>;
}

/**
 * Trains from where the run stands to its last step, then reports.
 *
 * An error that ends a run is noted in its run.json: the status is `failed`.
 *
 * @returns The exit code: 0 for a finished run, 130 after Ctrl-C.
 * @throws {UserError} What the parts of the script throw, and {@linkcode followTraining}; `--out` with
 * `--resume`; more memory is needed than there is; other data than the run was begun with; a result that is not a number.
 */
export async function trainAndReport<F extends Flags, T extends Trained>(
  script: TrainingScript<F, T>,
  settings: Settings<F> & TrainingSettings,
): Promise<number> {
  const { command } = script;
  if (await isFinished(command, settings)) return 0;
  const triable: Triable<Settings<F> & TrainingSettings, T> = script;
  const rehearsal: Rehearsal = {
    numbers: () => tryTraining(triable, { ...settings, batch: FEW }, { seconds: 0 }),
    stepSeconds: () => measureStep(triable, settings),
  };
  return await withBackend(settings, rehearsal, async (backend) => {
    refuseTooLarge(script.memory(settings), backend);
    const after = script.after(settings);
    const length = { after, draws: script.meanwhile !== undefined };
    const planned = await planSteps(settings, { length, rehearsal, backend });
    const training = await script.start(planned);
    return await inRunFolder({ command, settings: planned, backend }, async (folder) => {
      return await orKeepCheckpoint(
        trainThenReport(script, { ...training, folder }, planned),
        { command, folder },
      );
    });
  });
}

/** Samples of a step by which backends are compared. */
const FEW = 4;

/** Trains, and unless it is interrupted draws and measures; gives the exit code. */
async function trainThenReport<F extends Flags, T extends Trained>(
  script: TrainingScript<F, T>,
  training: T & { folder: RunFolder },
  settings: Settings<F> & TrainingSettings,
): Promise<number> {
  const { folder } = training;
  const started = performance.now();
  const { data, classes } = script;
  await checkData(folder, { data: data?.(training), classes: classes?.(training) }, settings);
  const end = await train(script, training, settings);
  return await withWeightsToDrawWith(script, training, async () => {
    if (end.status === "finished" || script.averaged) {
      await writeModel(script, training, folder);
    }
    if (end.status === "interrupted") return 130;
    const { results, lines } = await script.report(training, end.losses);
    throwDeviceFault();
    refuseNonFinite(results);
    folder.addSeconds("all", (performance.now() - started) / 1000);
    const finished = { status: "finished", results: { ...results } } as const;
    await script.writePage(folder.path, folder.changed(finished));
    await folder.update(finished);
    console.log(`${folder.path}, ${inWords(folder.record.seconds.all)}: ${lines.join("\n")}`);
    return 0;
  });
}

/** Says how a run goes on whose GPU has failed: with its last checkpoint. */
async function orKeepCheckpoint<R>(
  work: Promise<R>,
  { command, folder }: { command: { name: string }; folder: RunFolder },
): Promise<R> {
  try {
    return await whileDeviceLives(work);
  } catch (error) {
    if (!(error instanceof DeviceFault)) throw error;
    await folder.update({ status: "interrupted" });
    const again = (backend: string) => commandText(command.name, { resume: folder.path, backend });
    throw new UserError(
      `${error.message}; what was computed until the last checkpoint is kept, go on with: ` +
        `${again("webgpu")}, or without the GPU: ${again("wasm")}`,
      { exitCode: 1, cause: error },
    );
  }
}

/**
 * Starts a backend, lets `use` work with it, and ends it.
 *
 * @throws {UserError} What {@linkcode chooseBackend} throws; or the GPU fails (exit code 1).
 */
export async function onBackend<R>(
  settings: BackendSettings,
  use: (backend: Backend) => Promise<R>,
): Promise<R> {
  return await withBackend(settings, undefined, (backend) => whileDeviceLives(use(backend)));
}

/** The same for work that says itself what is to be done when the GPU fails in the middle. */
async function withBackend<R>(
  settings: BackendSettings,
  rehearsal: Rehearsal | undefined,
  use: (backend: Backend) => Promise<R>,
): Promise<R> {
  makeTensorsReadable();
  const backend = await chooseBackend(settings, rehearsal);
  try {
    return await use(backend);
  } catch (error) {
    if (!(error instanceof DeviceFault)) throw error;
    throw new UserError(`${error.message}; try again, or with --backend wasm`, {
      exitCode: 1,
      cause: error,
    });
  } finally {
    backend.dispose();
  }
}

/**
 * Opens a run's folder, says where it is, lets `use` work in it, and releases it. What `use` throws
 * is noted in the run's record.
 */
export async function inRunFolder<R>(
  options: OpenOptions,
  use: (folder: RunFolder) => Promise<R>,
): Promise<R> {
  const folder = await RunFolder.open(options);
  console.error(`${options.backend.reason}\nwriting to ${folder.path}`);
  try {
    return await use(folder);
  } catch (error) {
    await folder.fail();
    throw error;
  } finally {
    folder.close();
  }
}

async function train<F extends Flags, T extends Trained>(
  script: TrainingScript<F, T>,
  training: T & { folder: RunFolder },
  settings: Settings<F> & TrainingSettings,
) {
  const { adam, folder } = training;
  const { meanwhile } = script;
  const network = script.network(training);
  const losses = settings.resume === undefined ? [] : await resume(network, adam, folder);
  const stretches = await planned(script.command, { folder, settings, done: losses.length });
  const loop = stretchByStretch(
    stretches,
    losses.length,
    (steps) => script.train({ ...training, settings: { ...training.settings, steps } }),
  );
  return await followTraining(loop, {
    folder,
    losses,
    steps: settings.steps,
    checkpointEvery: settings.checkpointEvery,
    after: script.after(settings),
    state: () => trainingState(network, adam),
    ...script.bar,
    meanwhile: meanwhile && {
      everySeconds: meanwhile.everySeconds,
      saves: meanwhile.saves,
      run: (step) =>
        withWeightsToDrawWith(script, training, async () => {
          await meanwhile.run(training, step);
          await writeModel(script, training, folder);
        }),
    },
    resumeCommand: commandText(script.command.name, { resume: folder.path }),
  });
}

/** Notes in the record what is trained with which settings, and says what other steps change. */
async function planned(
  command: Command<Flags>,
  { folder, settings, done }: { folder: RunFolder; settings: TrainingSettings; done: number },
): Promise<Stretch[]> {
  const values = settings as unknown as Record<string, unknown>;
  const names = ["steps", ...decisiveSettings(command, values)];
  const { backend, stretches, updated } = folder.record;
  const next = {
    settings: Object.fromEntries(names.map((name) => [name, values[name]])),
    backend,
    started: updated,
  };
  const { from, steps, decay } = settings;
  const repeated = from === undefined ? [] : recordedStretches(await readRecord(from), from);
  const before = stretches ?? (repeated.at(-1)?.settings.steps === steps ? repeated : []);
  const change = stretches &&
    rateChange(Number(stretches.at(-1)?.settings.steps), done, { decay, steps });
  if (change) console.error(`note: ${change}`);
  const plan = planStretches(before, done, next);
  folder.record.stretches = plan;
  return plan;
}

/** Brings network and optimizer to where an earlier process stopped; returns the losses until then. */
async function resume(network: Network, adam: Adam, folder: RunFolder): Promise<number[]> {
  const { tensors, losses } = await resumeTraining(folder);
  if (tensors) {
    await loadTrainingState(network, adam, tensors);
    tf.dispose([...tensors.values()]);
  }
  return losses;
}

/** Runs `use` with the averaged weights in the network, where a script draws with those. */
async function withWeightsToDrawWith<F extends Flags, T extends Trained, R>(
  { averaged }: TrainingScript<F, T>,
  { adam }: T,
  use: () => Promise<R>,
): Promise<R> {
  return await (averaged ? adam.withAverages(use) : use());
}

/** Writes the weights that are in the network now. */
async function writeModel<F extends Flags, T extends Trained>(
  script: TrainingScript<F, T>,
  training: T,
  folder: RunFolder,
): Promise<void> {
  const weights = script.network(training).stateDict();
  await writeSafetensors(folder.file("model.safetensors"), weights);
  tf.dispose([...weights.values()]);
}
