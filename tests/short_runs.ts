/**
 * The scripts' runs without their figures and measurements, and without a process of their own: for tests
 * that need many trained runs.
 *
 * @module
 */
import type { Command, Flags, Settings } from "../common/run/flags.ts";
import { readSettings } from "../common/run/settings.ts";
import {
  trainAndReport,
  type Trained,
  type TrainingScript,
  type TrainingSettings,
} from "../common/run/training_run.ts";
import * as paper1 from "../paper_1_partb.ts";
import * as paper2 from "../paper_2.ts";
import * as paper3 from "../paper_3.ts";
import * as paper4 from "../paper_4.ts";

/**
 * Trains as a script does with such arguments.
 *
 * @param until A step at which it stops, as after Ctrl-C. Default: its last one.
 */
export type ShortRun = (args: string[], until?: number) => Promise<void>;

function shortRun<F extends Flags, T extends Trained>(
  command: Command<F>,
  parts: Pick<
    TrainingScript<F, T>,
    "start" | "network" | "averaged" | "train" | "data" | "classes"
  >,
): ShortRun {
  return async (args, until = Infinity) => {
    const { settings } = (await readSettings(command, [...args, "--backend", "wasm"]))!;
    const script: TrainingScript<F, T> = {
      command,
      ...parts,
      *train(training) {
        for (const step of parts.train(training as NoInfer<T>)) {
          yield step;
          if (step.step >= until) return;
        }
      },
      memory: () => [{ name: "batch", value: 1, bytes: () => 0 }],
      after: () => ({ steps: 0, seconds: 0 }),
      report: () => Promise.resolve({ results: {}, lines: [] }),
      writePage: () => Promise.resolve(),
    };
    await quietly(() => trainAndReport(script, settings as Settings<F> & TrainingSettings));
  };
}

/** The scripts that train. */
export const shortRuns = {
  paper1: shortRun(paper1.command, {
    start: paper1.startTraining,
    network: ({ model }) => model,
    data: ({ data }) => data.sha256,
    train: paper1.train,
  }),
  paper2: shortRun(paper2.command, {
    start: paper2.startTraining,
    network: ({ model }) => model.network,
    averaged: true,
    data: ({ images }) => images.sha256,
    train: paper2.algorithm1,
  }),
  paper3: shortRun(paper3.command, {
    start: paper3.startTraining,
    network: ({ model }) => model.network,
    averaged: true,
    data: ({ images }) => images.sha256,
    classes: ({ images }) => images.classes!,
    train: paper3.algorithm1,
  }),
  paper4: shortRun(paper4.command, {
    start: paper4.startTraining,
    network: ({ flows }) => flows,
    data: ({ data }) => data.sha256,
    train: paper4.train,
  }),
  paper4Images: shortRun(paper4.imageCommand, {
    start: paper4.startImageTraining,
    network: ({ flows }) => flows,
    averaged: true,
    data: ({ data }) => data.sha256,
    train: paper4.train,
  }),
};

async function quietly(work: () => Promise<unknown>): Promise<void> {
  const { log, error } = console;
  console.log = console.error = () => {};
  try {
    await work();
  } finally {
    Object.assign(console, { log, error });
  }
}
