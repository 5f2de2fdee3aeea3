/**
 * Which flags of a film go together.
 *
 * @module
 */
import { UserError } from "../user_error.ts";

/** The flags that decide which film is made, and how. */
export interface FilmSettings {
  /** The file. */
  format: "gif" | "apng" | "strip";
  /** How many frames. */
  frames: number;
  /** How many images. */
  samples: number;
  /** From one image to another. */
  interpolate: boolean;
  /** One noise through all labels. */
  labels: boolean;
  /** One label. */
  label: string | undefined;
  /** The guidance strength. */
  w: number;
  /** Which chain. */
  sampler: "ddpm" | "ddim";
  /** Noise in a chain of DDIM. */
  eta: number;
}

/** All settings, and those that were given. */
export interface AskedFilm {
  /** All of them. */
  settings: FilmSettings;
  /** Those on the command line. */
  given: Partial<FilmSettings>;
}

/** Frames of a strip: the default, and the most. */
const STRIP = { frames: 8, most: 64 };
/** Frames of a growing w. */
const STRENGTHS = 33;

/**
 * Checks that the flags of a film of images go together, and with the run.
 *
 * @param run.name What messages call it.
 * @throws {UserError} They do not.
 */
export function checkFilm(asked: AskedFilm, run: { script: string; name: string }): void {
  checkLabels(asked, run);
  checkManyChains(asked);
}

/**
 * How many frames a film has.
 *
 * @throws {UserError} More than a strip can have.
 */
export function framesOf(
  { settings: { format, frames, label, interpolate }, given }: AskedFilm,
): number {
  if (format === "strip") {
    if (frames > STRIP.most && given.frames !== undefined) {
      throw new UserError(`--format strip with --frames ${frames}; allowed are 2 to ${STRIP.most}`);
    }
    return given.frames ?? STRIP.frames;
  }
  return given.frames ?? (label !== undefined && !interpolate ? STRENGTHS : frames);
}

/** The flag that asks for a film of many chains: each is one of DDIM, and shorter than a run's. */
export function filmOfManyChains(
  { interpolate, labels, label }: FilmSettings,
): string | undefined {
  if (interpolate) return "--interpolate";
  return labels ? "--labels" : label === undefined ? undefined : "--label";
}

/** @throws {UserError} Flags of paper 3 do not go together, or with the run. */
function checkLabels(
  { settings, given }: AskedFilm,
  { script, name }: { script: string; name: string },
): void {
  const { labels, label, interpolate } = settings;
  const wrong = (["labels", "label", "w"] as const).find((flag) => given[flag]);
  if (script !== "paper3" && wrong) {
    throw new UserError(
      `--${wrong}: ${name} has learned no labels; expected a run of paper3`,
    );
  }
  if (labels && (label !== undefined || interpolate)) {
    const other = label !== undefined ? `--label ${label}` : "--interpolate";
    throw new UserError(`--labels and ${other} are two films: give one of them`);
  }
  if (labels && given.frames !== undefined) {
    throw new UserError(`--frames ${given.frames} does not go with --labels: it has one for each`);
  }
  if (label !== undefined && !interpolate && given.w !== undefined) {
    throw new UserError(
      `--w ${given.w} does not go with --label, in whose film w grows from 0 to 8`,
    );
  }
}

/** @throws {UserError} The settings of a film of many chains do not go together. */
function checkManyChains({ settings, given }: AskedFilm): void {
  const { samples, interpolate } = settings;
  const flag = filmOfManyChains(settings);
  if (flag === undefined) return;
  if (given.sampler === "ddpm") {
    const why = interpolate ? "ddpm adds noise along the way" : "ddpm takes all T steps";
    throw new UserError(`${flag} is for --sampler ddim: ${why}`);
  }
  if (!interpolate) return;
  if ((given.eta ?? 0) > 0) {
    throw new UserError(`--interpolate with --eta ${given.eta}; allowed is 0: no noise on the way`);
  }
  if (samples % 2 !== 0) {
    throw new UserError(`--interpolate with --samples ${samples}; allowed are even numbers: pairs`);
  }
}
