/**
 * The settings of a run: from the command line, and from the earlier run that it goes on with or
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
import { helpText } from "./help.ts";
import { askForFolder } from "../files/files.ts";
import { readRecord } from "./record.ts";
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

/** Settings that may differ when a run is gone on with: they do not change what is learned. */
export const FREE = [
  "steps",
  "backend",
  "workers",
  "checkpointEvery",
  "out",
  "resume",
  "from",
  "preset",
];

/** Settings that belong to one run and are not taken over by the next. */
const OWN = ["out", "resume", "from"];

/** A run's settings, or undefined when only the help was asked for (which has been printed). */
export interface RunSettings<F extends Flags> {
  settings: Settings<F>;
  /** The flags that were given on the command line. */
  given: Partial<Settings<F>>;
}

/**
 * Reads a script's settings.
 *
 * @param free More settings that may differ from those of a run that is gone on with.
 * @returns Undefined for `--help`.
 * @throws {UserError} A wrong flag, an unreadable run.json, or other settings than those of the run
 * that is gone on with.
 */
export async function readSettings<F extends Flags>(
  command: Command<F>,
  args: string[],
  free: string[] = [],
): Promise<RunSettings<F> | undefined> {
  const first = parseCommandLine(command, args);
  if (first.help) {
    console.log(helpText(command));
    return undefined;
  }
  const { resume, from } = first.given as { resume?: string; from?: string };
  if (resume !== undefined && from !== undefined) {
    throw new UserError("--resume goes on with a run and --from repeats one: give one of them");
  }
  if (resume === undefined && from === undefined) return first;
  if (resume !== undefined) await askForFolder(resume);
  const path = from ?? `${resume}/run.json`;
  const earlier = checkRecorded(command, await readRecord(path), path);
  if (resume !== undefined) refuseChanges(first.given, earlier, [...FREE, ...free], resume);
  const { settings, given } = parseCommandLine(command, args, earlier);
  return { settings, given };
}

/** Brings recorded settings through the same checks as the command line. */
function checkRecorded<F extends Flags>(
  command: Command<F>,
  record: { script?: unknown; settings?: unknown },
  path: string,
): Partial<Settings<F>> {
  if (record.script !== command.name) {
    throw new UserError(`${path} is a run of ${record.script}; expected one of ${command.name}`);
  }
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record.settings as Record<string, unknown>)) {
    const flag = command.flags[name];
    if (!flag) throw new UserError(`${path} has the setting ${name}, which is not known here`);
    if (OWN.includes(name) || value === null) continue;
    const parsed = flag.isSwitch ? Boolean(value) : flag.parse(String(value));
    if (parsed === undefined) {
      throw new UserError(`${path} has ${name} = ${value}; allowed: ${flag.allowed}`);
    }
    settings[name] = parsed;
  }
  return settings as Partial<Settings<F>>;
}

function refuseChanges(
  given: Record<string, unknown>,
  earlier: Record<string, unknown>,
  free: string[],
  folder: string,
): void {
  for (const [name, value] of Object.entries(given)) {
    if (free.includes(name) || value === earlier[name]) continue;
    throw new UserError(
      `--${kebab(name)} ${value}: the run in ${folder} has ${kebab(name)} ${earlier[name]}; ` +
        "leave the flag out to go on with it, or --resume out to start another run",
    );
  }
}
