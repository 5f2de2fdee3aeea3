/**
 * The command line of a script: one table that parses, checks and explains the flags.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { UserError } from "../user_error.ts";

/** One flag: how its text becomes a value, and what the help says of it. */
export interface Flag<T> {
  /** One line for `--help`. */
  help: string;
  /** What stands behind the flag in the help; nothing for a switch. */
  placeholder: string;
  /** The value when the flag is not given and the preset says nothing. */
  default: T;
  /** The allowed values in words. */
  allowed: string;
  /** A switch takes no value. */
  isSwitch: boolean;
  /** The value, or undefined when the text is none that is allowed. */
  parse(text: string): T | undefined;
}

/** A table of flags by the camelCase name of their setting; the flag itself is `--kebab-case`. */
export type Flags = Record<string, Flag<unknown>>;

/** The values of a table's flags. */
export type Settings<F extends Flags> = {
  -readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

/** A whole number in min..max. */
export function integer(options: {
  help: string;
  default: number;
  min?: number;
  max?: number;
}): Flag<number> {
  const { help, min = 1, max = Number.MAX_SAFE_INTEGER } = options;
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `${min} to ${max}`;
  return {
    help,
    placeholder: "N",
    default: options.default,
    allowed: `a whole number ${range}`,
    isSwitch: false,
    parse: (text) => {
      const value = /^[+-]?\d+(e\d+)?$/i.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** A number in min..max; the bounds themselves are allowed unless `above` says otherwise. */
export function number(options: {
  help: string;
  default: number;
  min?: number;
  above?: number;
  max: number;
}): Flag<number> {
  const { help, min = -Infinity, above = -Infinity, max } = options;
  return {
    help,
    placeholder: "X",
    default: options.default,
    allowed: above > -Infinity
      ? `a number above ${above}, at most ${max}`
      : `a number from ${min} to ${max}`,
    isSwitch: false,
    parse: (text) => {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
      return value >= min && value > above && value <= max ? value : undefined;
    },
  };
}

/** One of a few words. */
export function choice<const T extends string>(options: {
  help: string;
  of: readonly T[];
  default: NoInfer<T>;
}): Flag<T> {
  const { help, of } = options;
  return {
    help,
    placeholder: of.join("|"),
    default: options.default,
    allowed: of.join(", "),
    isSwitch: false,
    parse: (text) => of.find((word) => word === text),
  };
}

/** Any text: a path, say. `parse` may refuse some. */
export function text<T extends string | undefined>(options: {
  help: string;
  placeholder: string;
  default: T;
  allowed?: string;
  accepts?: (text: string) => boolean;
}): Flag<string | T> {
  const { help, placeholder, allowed = "a text", accepts = () => true } = options;
  return {
    help,
    placeholder,
    default: options.default,
    allowed,
    isSwitch: false,
    parse: (text) => text !== "" && accepts(text) ? text : undefined,
  };
}

/** On when given. */
export function onOff(options: { help: string }): Flag<boolean> {
  return {
    help: options.help,
    placeholder: "",
    default: false,
    allowed: "no value",
    isSwitch: true,
    parse: () => true,
  };
}

/** A script's command line. */
export interface Command<F extends Flags> {
  /** The task's name, as in `deno task <name>`. */
  name: string;
  /** One line on what it does. */
  summary: string;
  /** Whether a run's folder stands in front of the flags; see {@linkcode takeFolder}. */
  takesFolder?: boolean;
  flags: F;
  /** Values that `--preset NAME` puts in the place of the defaults. */
  presets: Record<string, Partial<Settings<F>>>;
}

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
 * @param base Values in the place of defaults and preset: those of an earlier run.
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
  const switches = names.filter((name) => flags[name].isSwitch).map(kebab);
  const unknown: string[] = [];
  if (args.includes("--")) { // what follows would not be read
    throw new UserError(
      "'--' is not expected here; settings are given as --name value without it",
    );
  }
  const parsed = parseArgs(joinNegativeNumbers(args, valued), {
    string: valued,
    boolean: switches,
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
      if (parsed[kebab(name)]) given[name] = true;
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

/** The value of a flag's text. */
function parseValue(name: string, flag: Flag<unknown>, text: string): unknown {
  const value = flag.parse(text);
  if (value !== undefined) return value;
  const what = text === "" ? "has no value" : `does not take '${text}'`;
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

/** How many letters must be put in, taken out or changed to turn a into b (Levenshtein). */
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

/** The text of `--help`, from the same table. */
export function helpText<F extends Flags>(command: Command<F>): string {
  const rows = Object.entries(command.flags).map(([name, flag]) => {
    const left = `--${kebab(name)} ${flag.placeholder}`.trimEnd();
    const standard = flag.isSwitch || flag.default === undefined ? "" : ` [${flag.default}]`;
    return [left, flag.help + standard];
  });
  const width = Math.min(
    34,
    Math.max(...rows.map(([left]) => left.length)) + 2,
  );
  const lines = rows.map(([left, right]) =>
    left.length < width
      ? `  ${left.padEnd(width)}${right}`
      : `  ${left}\n  ${"".padEnd(width)}${right}`
  );
  const presets = Object.entries(command.presets).map(([name, values]) =>
    `  ${name}: ` +
    (Object.entries(values).map(([key, value]) => `--${kebab(key)} ${value}`)
      .join(" ") ||
      "the defaults above")
  );
  return [
    command.summary,
    "",
    `Usage: deno task ${command.name} ${command.takesFolder ? "DIR " : ""}[flags]`,
    "",
    ...lines,
    ...(presets.length ? ["", "Presets:", ...presets] : []),
  ].join("\n");
}

/** The command line that gives these settings, to be shown to the user. */
export function commandText(
  name: string,
  given: Record<string, unknown>,
): string {
  const flags = Object.entries(given).map(([key, value]) =>
    value === true ? ` --${kebab(key)}` : ` --${kebab(key)} ${quoteIfNeeded(String(value))}`
  );
  return `deno task ${name}${flags.join("")}`;
}

function quoteIfNeeded(text: string): string {
  return /^[\w./:,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** learningRate to learning-rate. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Runs a script's main function and ends the process: with 0, with the code that it returns, or, for
 * a mistake that the user can mend, with one line on stderr and the error's exit code.
 */
export async function runMain(
  main: (args: string[]) => Promise<number | void>,
): Promise<never> {
  try {
    Deno.exit(await main(Deno.args) ?? 0);
  } catch (error) {
    const known = explain(error);
    if (!known) {
      console.error(error); // a mistake of the program: with its stack
      Deno.exit(70);
    }
    console.error(`error: ${known.message}`);
    Deno.exit(known.exitCode);
  }
}

/** The error in the user's words, or undefined for one that is not the user's to mend. */
function explain(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error;
  const kinds = [
    Deno.errors.NotCapable,
    Deno.errors.PermissionDenied,
    Deno.errors.NotFound,
    Deno.errors.AlreadyExists,
    Deno.errors.NotADirectory,
    Deno.errors.IsADirectory,
  ];
  const isKnown = kinds.some((kind) => error instanceof kind) ||
    (error instanceof Error && /os error/.test(error.message)); // a full disk has no class of its own
  if (!isKnown) return undefined;
  return new UserError((error as Error).message.split("\n")[0], {
    exitCode: 1,
  });
}
