/**
 * run.lock: who works in a run's folder.
 *
 * @module
 */
import { writingFailed } from "../files/file_errors.ts";
import { UserError } from "../user_error.ts";

/**
 * Holds a folder for as long as this process lives: the system lets go of it, however it ends.
 *
 * @throws {UserError} Another process holds it, or the lock cannot be written.
 */
export async function takeLock(folder: string): Promise<Deno.FsFile> {
  const file = await openLock(`${folder}/run.lock`);
  if (await file.tryLock(true)) return file;
  file.close();
  throw new UserError(
    `another process is working in ${folder}; wait until it ends, or give another --out`,
  );
}

/** Whether the folder has a lock that no process holds: whoever had it has ended. */
export async function isLetGo(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(`${folder}/run.lock`, { read: true });
    return await file.tryLock(false);
  } catch {
    return false; // there is no lock, or it may not be looked at
  }
}

async function openLock(path: string): Promise<Deno.FsFile> {
  const found = await Deno.lstat(path).catch(() => undefined);
  if (found && !found.isFile) {
    throw new UserError(
      `${path} is not a file that a run writes; remove it, or give another --out`,
    );
  }
  try {
    return await Deno.open(path, { write: true, create: true });
  } catch (error) {
    throw writingFailed(path, error);
  }
}
