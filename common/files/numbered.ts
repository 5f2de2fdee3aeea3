/**
 * Names for files beside earlier ones, which stay as they are.
 *
 * @module
 */
import { writingFailed } from "./file_errors.ts";
import { readFolder } from "./reading.ts";
import { UserError } from "../user_error.ts";

/** Files of the same name in one folder before one gives up. */
const MOST = 10_000;

/**
 * Names that no file in the folder has: those given, or all of them with -2, -3, … before the ending.
 * The files are made, empty, so that no other process takes the same names.
 *
 * @param names Of files that belong together: they get the same number.
 * @returns The paths, in the order of the names.
 * @throws {UserError} The folder cannot be read or written to.
 */
export async function unusedPaths(folder: string, names: string[]): Promise<string[]> {
  const entries = await readFolder(folder);
  const taken = new Set(entries.map(({ name }) => name));
  for (let number = 1; number <= MOST; number++) {
    const numbered = names.map((name) => withNumber(name, number));
    if (numbered.some((name) => taken.has(name))) continue;
    const paths = numbered.map((name) => `${folder}/${name}`);
    if (await makeAll(paths)) return paths;
  }
  throw new UserError(`${folder} has ${MOST} files like ${names[0]}; take some away`);
}

/** a.png, then a-2.png, a-3.png, … */
function withNumber(name: string, number: number): string {
  return number === 1 ? name : name.replace(/(?=\.\w+$)/, `-${number}`);
}

/** Whether none of the files was there before. */
async function makeAll(paths: string[]): Promise<boolean> {
  const made: string[] = [];
  for (const path of paths) {
    try {
      (await Deno.open(path, { write: true, createNew: true })).close();
      made.push(path);
    } catch (error) {
      for (const path of made) await Deno.remove(path);
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw writingFailed(path, error);
    }
  }
  return true;
}
