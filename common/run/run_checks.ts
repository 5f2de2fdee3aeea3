/**
 * What is looked at before a run goes on, and before it counts as finished.
 *
 * @module
 */
import { UserError } from "../user_error.ts";
import { type Command, type Flags, kebab } from "./flags.ts";
import type { RunFolder } from "./folder.ts";
import { readRecord } from "./record.ts";

/**
 * Whether the run to resume has nothing left to do; then it says so, and nothing is changed.
 *
 * @throws {UserError} A folder is given with `--out` besides that of the run to resume.
 */
export async function isFinished<F extends Flags>(
  { name, flags }: Command<F>,
  { resume, out, steps }: { resume: string | undefined; out: string | undefined; steps: number },
): Promise<boolean> {
  if (resume === undefined) return false;
  if (out !== undefined) {
    throw new UserError(
      `--out ${out} with --resume ${resume}: a run goes on in its own folder; leave --out out, or ` +
        `start another run like it with --from ${resume}/run.json --out ${out}`,
    );
  }
  const { status, settings } = await readRecord(`${resume}/run.json`);
  if (status !== "finished" || settings!.steps !== steps) return false;
  const draw = "sampleOnly" in flags
    ? `; --${kebab("sampleOnly")} draws images with its model`
    : "";
  console.log(
    `${resume} is finished, all its ${steps} steps are done: nothing is changed. To train it longer ` +
      `give a larger --steps; to do it again, deno task ${name} --from ${resume}/run.json${draw}`,
  );
  return true;
}

/**
 * Compares the data with those that a run was begun with, and keeps their checksum and the names of their
 * classes in its record.
 *
 * @param now SHA-256 of the data, and the names of their classes where these are learned, too.
 * @throws {UserError} The run to resume was begun with other data.
 */
export async function checkData(
  folder: RunFolder,
  now: { data?: string; classes?: string[] },
  { resume, from }: { resume: string | undefined; from: string | undefined },
): Promise<void> {
  const { data, classes } = from === undefined ? folder.record : await readRecord(from);
  Object.assign(folder.record, now);
  const isSame = (data === undefined || data === now.data) &&
    (classes === undefined || String(classes) === String(now.classes));
  if (isSame) return;
  if (resume === undefined) {
    console.error(`note: the data are not those of ${from}: they have changed, or are others`);
    return;
  }
  throw new UserError(
    `the data have changed since the run in ${folder.path} was begun; bring them back to go on with ` +
      "it, or leave --resume out to start another run",
  );
}

/**
 * Refuses results that are no numbers: a run with such is not finished.
 *
 * @throws {UserError} A number among them is not finite.
 */
export function refuseNonFinite(results: object): void {
  for (const [name, value] of Object.entries(results)) {
    const isWrong = [value].flat().some((x) => typeof x === "number" && !Number.isFinite(x));
    if (!isWrong) continue;
    throw new UserError(
      `the run's result ${name} is not a finite number: the model has learned too little or gone ` +
        "astray; give more --steps or a lower --learning-rate",
      { exitCode: 1 },
    );
  }
}
