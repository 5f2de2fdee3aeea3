/**
 * `parseArgs` of the standard library's `cli` package, for the options that this project uses, over
 * `minimist`, which the original grew out of.
 *
 * @module
 */
import minimist from "minimist";

/** The options that are used here; the same as the original's of the same names. */
export interface ParseOptions {
  /** Flags whose value is text. */
  string?: string[];
  /** Flags without a value. */
  boolean?: string[];
  /** Flags whose values are collected in an array, [] when not given. */
  collect?: string[];
  /** Called with every unknown argument; returning false leaves it out of the result. */
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}

/** The values by the names of their flags. */
// deno-lint-ignore no-explicit-any
export type Parsed = Record<string, any>;

/** Stands before the name of a flag that is not known: minimist must not make sense of it. */
const UNKNOWN = "\0";

/** Reads flags; what is not a flag is in `_`. */
export function parseArgs(args: string[], options: ParseOptions = {}): Parsed {
  const { string, boolean, unknown, collect = [] } = options;
  const parsed = minimist(forMinimist(args, options), {
    string,
    boolean,
    unknown: unknown &&
      ((argument: string) => unknown(argument.replace(UNKNOWN, "")) !== false),
  });
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_") continue;
    delete parsed[name];
    // minimist makes an array of what comes twice; the original keeps the last, except where it collects
    const isLast = Array.isArray(value) && !collect.includes(name);
    parsed[name.replace(UNKNOWN, "")] = isLast ? value.at(-1) : value;
  }
  for (const name of collect) parsed[name] = [parsed[name] ?? []].flat();
  return parsed;
}

/**
 * The arguments as minimist reads them like the original. By itself it takes --no-x for x, names that
 * every object has, like --constructor, for known, and an empty text or a dash for a flag's value.
 */
function forMinimist(
  args: string[],
  { string = [], boolean = [] }: ParseOptions,
) {
  const known = [...string, ...boolean];
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return args.map((argument, i) => {
    const [, name, hasValue] = /^--([^=]+)(=)?/s.exec(argument) ?? [];
    if (name === undefined || i > end) return argument;
    if (!known.includes(name)) return `--${UNKNOWN}${argument.slice(2)}`;
    const isEmpty = string.includes(name) && !hasValue &&
      /^(-|$)/.test(args[i + 1] ?? "x");
    return isEmpty ? `${argument}=` : argument;
  });
}
