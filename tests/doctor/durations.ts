/**
 * How long each training script takes with each of its presets.
 *
 * @module
 */
import { type AfterTraining, runSeconds } from "../../common/run/duration.ts";
import { parseCommandLine } from "../../common/run/command_line.ts";
import type { Adam } from "../../common/network/adam.ts";
import { measureStep, type Triable, type TrialSettings } from "../../common/run/trial.ts";
import * as paper1 from "../../paper_1_partb.ts";
import * as paper2 from "../../paper_2.ts";

/** A command, the time of its training step, and what follows from it. */
export type Durations = {
  command: string;
  stepSeconds: number;
  steps: number;
  runSeconds: number;
}[];

/** A script with its presets. */
interface Script<S extends TrialSettings, T extends { adam: Adam }> extends Triable<S, T> {
  command: { name: string; presets: Record<string, unknown> };
  settingsOf(args: string[]): S;
  after(settings: S): AfterTraining;
  /** Whether it draws while it trains. */
  draws: boolean;
}

/** Measures a step of every script and preset on the active backend. */
export async function measureDurations(): Promise<Durations> {
  return [
    ...await ofScript({
      command: paper1.command,
      settingsOf: (args) => parseCommandLine(paper1.command, args).settings,
      start: paper1.startTraining,
      network: ({ model }) => model,
      train: paper1.train,
      after: paper1.afterTraining,
      draws: false,
    }),
    ...await ofScript({
      command: paper2.command,
      settingsOf: (args) => parseCommandLine(paper2.command, args).settings,
      start: paper2.startTraining,
      network: ({ model }) => model.network,
      train: paper2.algorithm1,
      after: paper2.afterTraining,
      draws: true,
    }),
  ];
}

async function ofScript<S extends TrialSettings, T extends { adam: Adam }>(
  script: Script<S, T>,
): Promise<Durations> {
  const durations: Durations = [];
  for (const preset of Object.keys(script.command.presets)) {
    const settings = script.settingsOf(["--preset", preset]);
    const command = `${script.command.name} --preset ${preset}`;
    console.error(`a step of ${command}`);
    const stepSeconds = await measureStep(script, settings);
    const { steps } = settings;
    const length = { stepSeconds, after: script.after(settings), draws: script.draws };
    durations.push({ command, stepSeconds, steps, runSeconds: runSeconds(steps, length) });
  }
  return durations;
}
