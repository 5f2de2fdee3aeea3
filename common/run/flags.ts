/**
 * The kinds of flags that a script's table is made of, and the table itself.
 *
 * @module
 */

/** One flag: how its text becomes a value, and what the help says of it. */
export interface Flag<T> {
  /** One line for `--help`. */
  help: string;
  /** What follows the flag in the help; empty for a switch. */
  placeholder: string;
  /** The value when the flag is not given and the preset says nothing. */
  default: T;
  /** The allowed values in words. */
  allowed: string;
  /** A switch takes no value. */
  isSwitch: boolean;
  /** The value, or undefined when the text is not allowed. */
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

/** Any text, e.g. a path, or those that `accepts` allows. */
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

/** A switch: true when given. */
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
  /** Whether a run's folder comes before the flags; see {@linkcode takeFolder}. */
  takesFolder?: boolean;
  /** The flags by their names in code: `learningRate` is `--learning-rate`. */
  flags: F;
  /** Values that replace the defaults with `--preset NAME`. */
  presets: Record<string, Partial<Settings<F>>>;
  /**
   * Settings that may change when a run is resumed, besides those that may in every script: they do
   * not decide what is learned.
   */
  mayChangeOnResume?: readonly string[];
  /**
   * Flags that ask to work with a trained model, without training: then the settings are those of the
   * script's model that ships, where no other run is named.
   */
  drawsWithModel?: readonly string[];
}

/** learningRate to learning-rate. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
