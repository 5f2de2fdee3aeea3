/**
 * The settings of a run: from the command line, and from the earlier run that it resumes or
 * repeats.
 *
 * @module
 */
import { BACKEND_NAMES } from "../backend.ts";
import { parseCommandLine } from "./command_line.ts";
import {
  choice,
  type Command,
  type Flags,
  integer,
  kebab,
  number,
  type Settings,
  text,
} from "./flags.ts";
import { commandText, helpText } from "./help.ts";
import { askForFolder } from "../files/writing.ts";
import { SHIPPED_NAME, shippedSource } from "./model_source.ts";
import type { ShippedScript } from "../shipped/half_precision.ts";
import { inWords, readRecord, recordedValue, type RunRecord } from "./record.ts";
import { checkMinutes } from "./training_flags.ts";
import { UserError } from "../user_error.ts";

/** The flags that every script has. */
export const commonFlags = {
  seed: integer({
    help: "decides every random number of the run",
    default: 0,
    min: 0,
  }),
  backend: choice({
    help: "what computes: a GPU, all cores, or plain JavaScript",
    of: BACKEND_NAMES,
    default: "auto",
  }),
  workers: integer({
    help: "threads for --backend wasm; the result does not depend on them",
    default: navigator.hardwareConcurrency,
    max: 64,
  }),
  checkpointEvery: number({
    help: "seconds between the checkpoints that --resume goes on from",
    default: 30,
    min: 0,
    max: 86_400,
  }),
  out: text({
    help: "the run's folder [runs/<script>-<preset>-<seed>]",
    placeholder: "DIR",
    default: undefined,
  }),
  resume: text({
    help: "go on with the run in this folder",
    placeholder: "DIR",
    default: undefined,
  }),
  from: text({
    help: "repeat the run that this run.json describes",
    placeholder: "run.json",
    default: undefined,
  }),
};

/** Settings that may change when a run of any script is resumed: they do not decide what is learned. */
const MAY_CHANGE_ON_RESUME = [
  "steps",
  "backend",
  "workers",
  "checkpointEvery",
  "out",
  "resume",
  "from",
  "preset",
];

/** Settings that belong to one run: neither a resumed nor a repeated run inherits them. */
const NOT_INHERITED = ["out", "resume", "from"];

/** A script's settings and which of them were given. */
export interface GivenSettings<F extends Flags> {
  /** All settings, given or not. */
  settings: Settings<F>;
  /** The flags that were given on the command line. */
  given: Partial<Settings<F>>;
}

/**
 * The names of the settings that decide what a script's run learns: they must not change when it is resumed.
 *
 * @param settings All of them.
 */
export function decisiveSettings(
  { mayChangeOnResume = [] }: Pick<Command<Flags>, "mayChangeOnResume">,
  settings: Record<string, unknown>,
): string[] {
  const mayChange = [...MAY_CHANGE_ON_RESUME, ...mayChangeOnResume];
  return Object.keys(settings).filter((name) => !mayChange.includes(name));
}

/**
 * Reads a script's settings: from the command line, and from the run that it resumes or repeats, or the
 * model that ships.
 *
 * @returns Undefined for `--help`, which is printed.
 * @throws {UserError} A wrong flag, an unreadable run.json, or a decisive setting that differs from
 * that of the run to resume.
 */
export async function readSettings<F extends Flags>(
  command: Command<F>,
  args: string[],
): Promise<GivenSettings<F> | undefined> {
  const first = parseCommandLine(command, args);
  if (first.help) {
    console.log(helpText(command));
    return undefined;
  }
  const { resume, from } = first.given as { resume?: string; from?: string };
  checkMinutes(first.given);
  if (resume !== undefined && from !== undefined) {
    throw new UserError("--resume goes on with a run and --from repeats one: give one of them");
  }
  if (resume === undefined && from === undefined) {
    if (!command.drawsWithModel?.some((name) => first.given[name])) return first;
    const { record, recordPath } = shippedSource(command.name as ShippedScript);
    const earlier = checkRecorded(command, record, recordPath);
    refuseChanges(command, first.given, earlier, {
      run: SHIPPED_NAME,
      otherwise: (flag) => `train such a model first: ${commandText(command.name, flag)}`,
    });
    return parseCommandLine(command, args, earlier);
  }
  if (resume !== undefined) await askForFolder(resume);
  const path = from ?? `${resume}/run.json`;
  const record = await readRecord(path);
  const earlier = checkRecorded(command, record, path);
  if (resume !== undefined) {
    refuseDrawn(record, resume);
    refuseChanges(command, first.given, earlier, {
      run: `the run in ${resume}`,
      otherwise: () => "leave --resume out to start another run",
    });
  }
  const { settings, given } = parseCommandLine(command, args, earlier);
  return { settings, given };
}

/** Checks recorded settings in the same way as the command line. */
function checkRecorded<F extends Flags>(
  command: Command<F>,
  record: Partial<RunRecord>,
  path: string,
): Partial<Settings<F>> {
  if (record.script !== command.name) {
    const script = inWords(record.script);
    throw new UserError(`${path} is a run of ${script}; expected one of ${command.name}`);
  }
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record.settings!)) {
    if (!Object.hasOwn(command.flags, name)) {
      throw new UserError(`${path} has the setting ${name}, which is not known here`);
    }
    const isOfModel = name === "resume" && record.drawnFrom !== undefined; // what was drawn with
    if (value === null || NOT_INHERITED.includes(name) && !isOfModel) continue;
    settings[name] = recordedValue(command.flags[name], { name, value, path });
  }
  return settings as Partial<Settings<F>>;
}

/** Refuses a folder in which nothing was trained. */
function refuseDrawn({ drawnFrom }: Partial<RunRecord>, folder: string): void {
  if (drawnFrom === undefined) return;
  throw new UserError(
    drawnFrom?.run === undefined
      ? `${folder} holds what ${SHIPPED_NAME} drew, and no model: leave --resume out`
      : `${folder} holds what a model drew, and no model; its run is ${inWords(drawnFrom.run)}: ` +
        "give that to --resume",
  );
}

function refuseChanges<F extends Flags>(
  command: Command<F>,
  given: Partial<Settings<F>>,
  earlier: Partial<Settings<F>>,
  { run, otherwise }: { run: string; otherwise: (flag: Record<string, unknown>) => string },
): void {
  const kept = decisiveSettings(command, given);
  if (given.preset !== undefined) kept.push("preset"); // it would be recorded, and change nothing
  for (const name of kept) {
    if (given[name] === earlier[name]) continue;
    const [wanted, found] = [inWords(given[name]), inWords(earlier[name])];
    throw new UserError(
      `--${kebab(name)} ${wanted}: ${run} has ${
        kebab(name)
      } ${found}; leave the flag out to go on ` +
        `with it, or ${otherwise({ [name]: given[name] })}`,
    );
  }
}
