/**
 * How long each training script takes with each of its presets.
 *
 * @module
 */
import { type AfterTraining, runSeconds } from "../../common/run/duration.ts";
import { parseCommandLine } from "../../common/run/command_line.ts";
import type { Command, Flags, Settings } from "../../common/run/flags.ts";
import type { Adam } from "../../common/network/adam.ts";
import { measureStep, type Triable, type TrialSettings } from "../../common/run/trial.ts";
import { comparisonPasses } from "../../common/report/guidance_report.ts";
import { afterImageTraining } from "../../common/report/image_flow_report.ts";
import * as paper1 from "../../paper_1_partb.ts";
import * as paper2 from "../../paper_2.ts";
import * as paper3 from "../../paper_3.ts";
import * as paper4 from "../../paper_4.ts";

/** A command, the time of its training step, and what follows from it. */
export type Durations = {
  command: string;
  stepSeconds: number;
  steps: number;
  runSeconds: number;
}[];

/** A script with one of its presets. */
export interface Measurable {
  /** As it is typed after `deno task`. */
  command: string;
  /** Seconds of a training step on the active backend. */
  measure(): Promise<number>;
  /** What follows from the seconds of a step. */
  duration(stepSeconds: number): Durations[number];
}

/** A script with its presets. */
interface Script<F extends Flags, T extends { adam: Adam }>
  extends Triable<Settings<F> & TrialSettings, T> {
  command: Command<F>;
  /** What is typed before the preset. Default: nothing. */
  flags?: string[];
  after(settings: Settings<F>): AfterTraining;
  /** Whether drawing while it trains takes a part of the time that counts. */
  draws: boolean;
}

/** Every script that trains, with each of its presets; paper 5 needs no training. */
export const MEASURABLE: Measurable[] = [
  ...ofScript({
    command: paper1.command,
    start: paper1.startTraining,
    network: ({ model }) => model,
    train: paper1.train,
    after: paper1.afterTraining,
    draws: true,
  }),
  ...ofScript({
    command: paper2.command,
    start: paper2.startTraining,
    network: ({ model }) => model.network,
    train: paper2.algorithm1,
    after: paper2.afterTraining,
    draws: true,
  }),
  ...ofScript({
    command: paper3.command,
    start: paper3.startTraining,
    network: ({ model }) => model.network,
    train: paper3.algorithm1,
    after: (settings) => paper3.afterTraining(settings, comparisonPasses()),
    draws: true,
  }),
  ...ofScript({
    command: paper4.command,
    start: paper4.startTraining,
    network: ({ flows }) => flows,
    train: paper4.train,
    after: paper4.afterTraining,
    draws: false,
  }),
  ...ofScript({
    command: paper4.imageCommand,
    flags: ["--data", "mnist"],
    start: paper4.startImageTraining,
    network: ({ flows }) => flows,
    train: paper4.train,
    after: afterImageTraining,
    draws: true,
  }),
];

/** Measures a step of every script and preset on the active backend. */
export async function measureDurations(): Promise<Durations> {
  const durations: Durations = [];
  for (const { command, measure, duration } of MEASURABLE) {
    console.error(`a step of ${command}`);
    durations.push(duration(await measure()));
  }
  return durations;
}

function ofScript<F extends Flags, T extends { adam: Adam }>(script: Script<F, T>): Measurable[] {
  const { command: { name, presets }, flags = [], draws } = script;
  return Object.keys(presets).map((preset) => {
    const args = [...flags, "--preset", preset];
    const command = [name, ...args].join(" ");
    const settings = parseCommandLine(script.command, args).settings as
      & Settings<F>
      & TrialSettings;
    return {
      command,
      measure: () => measureStep(script, settings),
      duration(stepSeconds) {
        const { steps } = settings;
        const length = { stepSeconds, after: script.after(settings), draws };
        return { command, stepSeconds, steps, runSeconds: runSeconds(steps, length) };
      },
    };
  });
}
