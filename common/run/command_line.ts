/**
 * Reads a script's command line by its table of flags.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { UserError } from "../user_error.ts";
import { type Command, type Flag, type Flags, kebab, type Settings } from "./flags.ts";

/** What was read from a command line. */
export interface Parsed<F extends Flags> {
  /** A value for every flag. */
  settings: Settings<F>;
  /** The flags that were given, with their values. */
  given: Partial<Settings<F>>;
  /** Whether `--help` was given; nothing else counts then. */
  help: boolean;
}

/**
 * Reads a command line.
 *
 * @param args The arguments behind the script's name.
 * @param base Values that replace the defaults and the preset: those of an earlier run.
 * @throws {UserError} One line: an unknown or repeated flag, a missing or wrong value.
 */
export function parseCommandLine<F extends Flags>(
  command: Command<F>,
  args: string[],
  base?: Partial<Settings<F>>,
): Parsed<F> {
  const { flags, presets } = command;
  const help = args.some((argument) => /^(--help|-h)(=|$)/.test(argument));
  const given: Partial<Settings<F>> = help ? {} : readFlags(flags, args);
  const preset = (given.preset ?? base?.preset ?? flags.preset?.default) as
    | string
    | undefined;
  const defaults = Object.entries(flags).map((
    [name, flag],
  ) => [name, flag.default]);
  const settings = {
    ...Object.fromEntries(defaults),
    ...(base ?? presets[preset ?? ""]),
    ...given,
  } as Settings<F>;
  return { settings, given, help };
}

/**
 * Takes a run's folder from the front or the end of the arguments.
 *
 * @returns The folder, undefined when help was asked for, and the other arguments.
 * @throws {UserError} There is none.
 */
export function takeFolder(
  command: string,
  args: string[],
): { folder: string; rest: string[] } | { folder?: undefined; rest: string[] } {
  if (args.some((argument) => /^(--help|-h)(=|$)/.test(argument))) return { rest: args };
  const [first, last] = [args[0] ?? "-", args.at(-1) ?? "-"];
  if (!first.startsWith("-")) return { folder: first, rest: args.slice(1) };
  const before = args.at(-2) ?? "";
  if (!last.startsWith("-") && (!before.startsWith("--") || before.includes("="))) {
    return { folder: last, rest: args.slice(0, -1) };
  }
  throw new UserError(
    `which run? give its folder first: deno task ${command} runs/paper1-quick-0`,
  );
}

function readFlags<F extends Flags>(
  flags: F,
  args: string[],
): Partial<Settings<F>> {
  const names = Object.keys(flags);
  const valued = names.filter((name) => !flags[name].isSwitch).map(kebab);
  const unknown: string[] = [];
  if (args.includes("--")) { // everything after it would not be read
    throw new UserError(
      "'--' is not expected here; settings are given as --name value without it",
    );
  }
  const { switched, rest } = takeSwitchValues(args, names.filter((name) => flags[name].isSwitch));
  const parsed = parseArgs(joinNegativeNumbers(rest, valued), {
    string: valued,
    collect: valued,
    unknown: (argument: string) => {
      unknown.push(argument);
      return false;
    },
  }) as Record<string, unknown>;
  if (unknown.length > 0) {
    throw unknownArgument(unknown[0], [...names.map(kebab), "help"]);
  }
  const given: Record<string, unknown> = {};
  for (const name of names) {
    const flag = flags[name];
    if (flag.isSwitch) {
      if (switched.has(name)) given[name] = switched.get(name);
      continue;
    }
    const values = (parsed[kebab(name)] ?? []) as string[];
    if (values.length === 0) continue;
    if (values.length > 1) {
      throw new UserError(
        `--${kebab(name)} is given ${values.length} times (${values.join(", ")}); give it once`,
      );
    }
    given[name] = parseValue(name, flag, values[0]);
  }
  return given as Partial<Settings<F>>;
}

/**
 * Takes the switches that have a value, --name=true and --name=false, out of the arguments.
 *
 * @throws {UserError} Another value, or a switch that is given twice.
 */
function takeSwitchValues(
  args: string[],
  names: string[],
): { switched: Map<string, boolean>; rest: string[] } {
  const switched = new Map<string, boolean>();
  const nameOf = (argument: string) =>
    names.find((name) =>
      argument === `--${kebab(name)}` || argument.startsWith(`--${kebab(name)}=`)
    );
  const rest = args.filter((argument) => {
    const name = nameOf(argument);
    if (name === undefined) return true;
    if (switched.has(name)) throw new UserError(`--${kebab(name)} is given twice; give it once`);
    const [, value = "true"] = argument.split(/=(.*)/s);
    if (value !== "true" && value !== "false") {
      throw new UserError(
        `--${kebab(name)} does not take '${value}'; allowed: no value, =true or =false`,
      );
    }
    switched.set(name, value === "true");
    return false;
  });
  return { switched, rest };
}

/** The value that a flag's text means. */
function parseValue(name: string, flag: Flag<unknown>, text: string): unknown {
  const value = flag.parse(text);
  if (value !== undefined) return value;
  const what = text === "" ? "has no value, or an empty one" : `does not take '${text}'`;
  throw new UserError(`--${kebab(name)} ${what}; allowed: ${flag.allowed}`);
}

/** `--steps -1` as `--steps=-1`: the -1 is a value, though a wrong one, and not a flag. */
function joinNegativeNumbers(args: string[], valued: string[]): string[] {
  const joined: string[] = [];
  for (const argument of args) {
    const before = joined[joined.length - 1];
    const isValue = /^-[\d.]/.test(argument) &&
      valued.some((name) => before === `--${name}`);
    if (isValue) joined[joined.length - 1] = `${before}=${argument}`;
    else joined.push(argument);
  }
  return joined;
}

function unknownArgument(argument: string, names: string[]): UserError {
  if (!argument.startsWith("-")) {
    return new UserError(
      `'${argument}' is not expected here; settings are given as --name value`,
    );
  }
  const given = argument.replace(/^-+/, "").replace(/=.*/s, "");
  if (names.includes(given)) {
    return new UserError(
      `${argument} is not a flag; names have two dashes: --${given}`,
    );
  }
  const [nearest] = names
    .map((name) => ({ name, distance: editDistance(given, name) }))
    .sort((a, b) => a.distance - b.distance);
  const hint = nearest && nearest.distance <= Math.max(2, nearest.name.length / 3)
    ? `did you mean --${nearest.name}?`
    : "--help lists the known ones";
  return new UserError(`--${given} is not a known flag; ${hint}`);
}

/** How many letters must be inserted, removed or changed to turn a into b (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
