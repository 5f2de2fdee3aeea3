/**
 * Checks that a run can be reproduced: computes its first steps again and compares their losses with
 * its loss.csv, to the last bit.
 *
 *     deno task verify runs/paper1-quick-0
 *
 * On the backend of the run the losses must be the same. Another backend or another GPU rounds
 * differently, and so would other versions: then it says how far apart the losses are. A run that was
 * stopped and went on with another --steps is repeated stretch by stretch, as run.json has it. Where such
 * a stretch was computed elsewhere, by pytorch/train.py for example, the steps before it are compared to
 * the last bit, and it says how far apart the others are.
 *
 * @module
 */
import { type Backend, BACKEND_NAMES } from "../common/backend.ts";
import { readBytes } from "../common/files/reading.ts";
import { sha256 } from "../common/files/sha256.ts";
import { parseCommandLine, takeFolder } from "../common/run/command_line.ts";
import { choice, type Command, integer } from "../common/run/flags.ts";
import { helpText } from "../common/run/help.ts";
import { runMain } from "../common/run/main.ts";
import { readLossCurve } from "../common/run/loss_curve.ts";
import { Progress } from "../common/run/progress.ts";
import {
  inWords,
  isTable,
  readRecord,
  type RunRecord,
  type Stretch,
} from "../common/run/record.ts";
import { commonFlags, decisiveSettings, readSettings } from "../common/run/settings.ts";
import { recordedStretches, stretchByStretch } from "../common/run/stretches.ts";
import type { TrainingStep } from "../common/run/training.ts";
import { onBackend } from "../common/run/training_run.ts";
import { madeFrom, SHIPPED_SCRIPTS } from "../common/shipped/half_precision.ts";
import { shippedModel, shippedRecord } from "../common/shipped/shipped_model.ts";
import { UserError } from "../common/user_error.ts";
import * as paper1 from "../paper_1_partb.ts";
import * as paper2 from "../paper_2.ts";
import * as paper3 from "../paper_3.ts";
import * as paper4 from "../paper_4.ts";

const flags = {
  steps: integer({ help: "how many of the run's first steps to compute again", default: 50 }),
  backend: choice({
    help: "what computes; by default what the run was computed with",
    of: BACKEND_NAMES,
    default: "auto",
  }),
  workers: commonFlags.workers,
};

const command: Command<typeof flags> = {
  name: "verify",
  summary: "Computes a run's first steps again and says whether the losses are the same.",
  takesFolder: true,
  flags,
  presets: {},
};

/** Prepares to train again what a run.json describes, from its first step, stretch by stretch. */
async function trainingOf(
  record: Partial<RunRecord>,
  path: string,
): Promise<() => Promise<Iterable<TrainingStep>>> {
  const again = ["--from", path];
  const stretches = recordedStretches(record, path);
  if (record.script === "paper1") {
    const { settings } = (await readSettings(paper1.command, again))!;
    return async () => {
      const start = await paper1.startTraining(settings);
      refuseOtherData(record, start.data.sha256, path);
      const train = (steps: number) => paper1.train({ ...start, settings: { ...settings, steps } });
      return stretchByStretch(stretches, 0, train);
    };
  }
  if (record.script === "paper4") {
    const begin = (await paper4.readTraining(again))!;
    return async () => {
      const start = await begin();
      refuseOtherData(record, start.data.sha256, path);
      const train = (steps: number) =>
        paper4.train({ ...start, settings: { ...start.settings, steps } });
      return stretchByStretch(stretches, 0, train);
    };
  }
  if (record.script === "paper3") {
    const { settings } = (await readSettings(paper3.command, again))!;
    return async () => {
      const start = await paper3.startTraining(settings);
      refuseOtherData(record, start.images.sha256, path);
      const train = (steps: number) =>
        paper3.algorithm1({ ...start, settings: { ...settings, steps } });
      return stretchByStretch(stretches, 0, train);
    };
  }
  const { settings } = (await readSettings(paper2.command, again))!;
  return async () => {
    const start = await paper2.startTraining(settings);
    refuseOtherData(record, start.images.sha256, path);
    const train = (steps: number) =>
      paper2.algorithm1({ ...start, settings: { ...settings, steps } });
    return stretchByStretch(stretches, 0, train);
  };
}

/** Refuses data with which the losses cannot be the same. */
function refuseOtherData({ data }: Partial<RunRecord>, now: string | undefined, path: string) {
  if (data === undefined || data === now) return;
  throw new UserError(
    `${path}: the data have changed since this run; bring them back to verify it`,
  );
}

/** The losses of up to so many first steps, as loss.csv has them. */
async function readLosses(path: string, steps: number): Promise<number[]> {
  const rows = (await readLossCurve(path)).slice(0, steps);
  if (rows.length === 0 || rows.some(([step], i) => step !== i + 1)) {
    throw new UserError(`${path} is not the loss curve of a run: expected one from step 1 on`);
  }
  return rows.map(([, loss]) => loss);
}

/** The losses of so many steps, computed now. */
async function computeAgain(steps: Iterable<TrainingStep>, count: number): Promise<number[]> {
  const losses: number[] = [];
  const progress = new Progress({ label: "again", total: count });
  for (const { loss } of steps) {
    losses.push((await loss.data())[0]);
    loss.dispose();
    progress.update(losses.length);
    if (losses.length === count) break;
  }
  progress.finish();
  return losses;
}

/** The first of so many steps that was not computed with this backend, and what computed it and later ones. */
function computedElsewhere(
  stretches: Stretch[],
  steps: number,
  backend: Backend,
): { fromStep: number; by: string } | undefined {
  const now = nameOf(backend);
  const others = stretches.filter(({ fromStep, backend }) =>
    fromStep <= steps && (!isTable(backend) || nameOf(backend as Backend) !== now)
  );
  if (others.length === 0) return undefined;
  const names = others.map(({ backend }) =>
    isTable(backend) ? nameOf(backend as Backend) : "something else"
  );
  return { fromStep: others[0].fromStep, by: [...new Set(names)].join(" and ") };
}

function nameOf({ name, adapter }: Pick<Backend, "name" | "adapter">): string {
  return adapter ? `${inWords(name)} on ${inWords(adapter)}` : inWords(name);
}

/** Whether the losses are the same, and otherwise where they first are not. */
function compare(recorded: number[], losses: number[]): { line: string; reproduced: boolean } {
  const at = losses.findIndex((loss, i) => loss !== recorded[i]);
  if (at === -1) {
    const line = `reproduced: the losses of the first ${losses.length} steps are the same bits`;
    return { line, reproduced: true };
  }
  const line = `not reproduced: step ${at + 1} first differs, its loss is ${losses[at]} now and ` +
    `${recorded[at]} in loss.csv`;
  return { line, reproduced: false };
}

/** How far apart the losses are from a step on where they cannot be expected to be the same. */
function distance(recorded: number[], losses: number[], fromStep: number): string {
  const relative = losses.map((loss, i) => Math.abs(loss - recorded[i]) / Math.abs(recorded[i]))
    .slice(fromStep - 1);
  const worst = Math.max(...relative);
  const which = fromStep === 1
    ? `the losses of the first ${losses.length} steps are`
    : `those up to step ${losses.length} are`;
  return worst === 0
    ? `all the same, ${which} the same bits`
    : `${which} at most ${worst.toExponential(1)} of their value apart ` +
      `(step ${fromStep + relative.indexOf(worst)}; the first: ${relative[0].toExponential(1)})`;
}

/** The whole answer, in one line. */
function answer(
  recorded: number[],
  losses: number[],
  elsewhere: ReturnType<typeof computedElsewhere>,
  now: string,
): { line: string; reproduced: boolean } {
  if (!elsewhere) return compare(recorded, losses);
  const { fromStep, by } = elsewhere;
  const apart = distance(recorded, losses, fromStep);
  if (fromStep === 1) {
    return { line: `computed with ${now}, the run with ${by}: ${apart}`, reproduced: true };
  }
  const before = compare(recorded, losses.slice(0, fromStep - 1));
  if (!before.reproduced) return before;
  const line =
    `${before.line}; from step ${fromStep} on they need not be, as the run went on with ` +
    `${by}: ${apart}`;
  return { line, reproduced: true };
}

/** Whether a finished run with the settings of a model that ships has come to the same weights. */
async function asShipped(record: Partial<RunRecord>, folder: string): Promise<string | undefined> {
  const script = SHIPPED_SCRIPTS.find((name) => name === record.script);
  if (!script || record.status !== "finished") return undefined;
  const { settings } = shippedRecord(script) as RunRecord;
  const { command } = { paper2, paper3 }[script];
  const names = ["steps", ...decisiveSettings(command, settings)];
  const now: Record<string, unknown> = record.settings ?? {};
  if (names.some((name) => now[name] !== settings[name])) return undefined;
  const same = await sha256(await readBytes(`${folder}/model.safetensors`)) ===
    madeFrom(await shippedModel(script));
  return `its model ${same ? "is" : "is not"} the one that the model that ships was made from`;
}

async function main(args: string[]): Promise<number> {
  const { folder, rest } = takeFolder(command.name, args);
  if (folder === undefined) {
    console.log(helpText(command));
    return 0;
  }
  const { settings: { steps, workers }, given } = parseCommandLine(command, rest);
  const path = `${folder}/run.json`;
  const record = await readRecord(path);
  const start = await trainingOf(record, path);
  const recorded = await readLosses(`${folder}/loss.csv`, steps);
  const asRecorded = BACKEND_NAMES.find((name) => name === record.backend?.name);
  const settings = { backend: given.backend ?? asRecorded ?? "auto", workers };
  return await onBackend(settings, async (backend) => {
    const losses = await computeAgain(await start(), recorded.length);
    const stretches = recordedStretches(record, path);
    const elsewhere = computedElsewhere(stretches, losses.length, backend);
    const { line, reproduced } = answer(recorded, losses, elsewhere, nameOf(backend));
    console.log(`${folder}: ${line}`);
    const model = await asShipped(record, folder);
    if (model) console.log(model);
    return reproduced ? 0 : 1;
  });
}

if (import.meta.main) await runMain(main);
