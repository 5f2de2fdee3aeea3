/**
 * The classes that a run of paper 3 has learned, and the one that is asked for.
 *
 * @module
 */
import { UserError } from "../user_error.ts";
import { modelSource } from "./model_source.ts";

/** A label is one byte. */
const MOST = 255;

/**
 * The names of the classes that a run has learned, in the order of their labels.
 *
 * @param folder The run's folder. Default: that of paper 3's model that ships.
 * @param asked What they are needed for, as it stands on the command line.
 * @throws {UserError} run.json cannot be read, or it names none.
 */
export async function recordedClasses(
  folder: string | undefined,
  asked: string,
): Promise<string[]> {
  const { record, recordPath: path } = await modelSource(folder, "paper3");
  const { classes } = record as { classes?: unknown };
  if (classes === undefined) {
    throw new UserError(
      `${asked}: the run in ${folder} has learned no labels; expected one of paper3`,
    );
  }
  const isSound = Array.isArray(classes) && classes.length > 1 && classes.length <= MOST &&
    classes.every((name) => typeof name === "string");
  if (isSound) return classes;
  throw new UserError(`${path} has classes that are not 2 to ${MOST} names`);
}

/**
 * The label of a class: by its name, or by its number where no name is a number.
 *
 * @throws {UserError} There is no such class.
 */
export function labelOf(asked: string, classes: string[]): number {
  const named = classes.indexOf(asked);
  if (named >= 0) return named;
  const isNumber = /^\d{1,3}$/.test(asked) && !classes.some((name) => /^\d+$/.test(name));
  if (isNumber && Number(asked) < classes.length) return Number(asked);
  throw new UserError(`--label ${asked}: the run has learned ${inList(classes)}; give one of them`);
}

/**
 * The labels of a number's digits.
 *
 * @throws {UserError} A digit is none of the classes.
 */
export function labelsOfDigits(number: string, classes: string[]): number[] {
  const labels = Array.from(number, (digit) => classes.indexOf(digit));
  if (labels.every((label) => label >= 0)) return labels;
  throw new UserError(
    `--draw ${number}: the run has learned ${inList(classes)}; --draw is for runs on digits, ` +
      "--label draws one of its classes",
  );
}

/** Names for a line: not more than twelve. */
function inList(names: string[]): string {
  return names.length <= 12
    ? names.join(", ")
    : `${names.slice(0, 10).join(", ")}, … ${names.at(-1)}`;
}
