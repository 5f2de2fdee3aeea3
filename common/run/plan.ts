/**
 * How many steps a run trains for, and how long it takes, before it begins.
 *
 * @module
 */
import type { Backend } from "../backend.ts";
import type { Rehearsal } from "./backend_choice.ts";
import { type RunLength, runSeconds, stepsWithin } from "./duration.ts";
import { inWords } from "./progress.ts";

/** The settings that say how long a run is. */
export interface LengthSettings {
  /** Number of the last step. */
  steps: number;
  /** How long the whole run may take, in the place of the steps. */
  minutes?: number;
  /** The name of the preset. */
  preset: string;
  /** The folder of the run to resume. */
  resume?: string;
}

/**
 * Before a run begins: the number of steps that `--minutes` means, and how long a run that is not
 * quick takes on this machine, by a step that is measured now.
 *
 * @returns The settings with the number of steps, and without the minutes.
 * @throws {UserError} So few minutes are not enough.
 */
export async function planSteps<S extends LengthSettings>(
  settings: S,
  { length, rehearsal, backend: { name, measured } }: {
    length: Omit<RunLength, "stepSeconds">;
    rehearsal: Rehearsal;
    backend: Pick<Backend, "name" | "measured">;
  },
): Promise<S> {
  const { minutes, preset, resume } = settings;
  if (resume !== undefined || (minutes === undefined && preset === "quick")) return settings;
  const known = name === "cpu" ? undefined : measured?.[name];
  const stepSeconds = known ?? await rehearsal.stepSeconds();
  const run = { ...length, stepSeconds };
  const spent = performance.now() / 1000; // since the process began
  const steps = minutes === undefined ? settings.steps : stepsWithin(60 * minutes - spent, run);
  const why = minutes === undefined ? `--preset ${preset}` : `--minutes ${minutes}`;
  console.error(
    `${why}: ${steps} training steps of ${+stepSeconds.toPrecision(2)} s, ` +
      `about ${inWords(runSeconds(steps, run))} in all on this machine`,
  );
  return { ...settings, steps, minutes: undefined };
}
