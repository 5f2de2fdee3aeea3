/**
 * Writing files so that nothing is ever half written, with errors in plain words.
 *
 * @module
 */
import { writingFailed } from "./file_errors.ts";

/**
 * Writes a file whole or not at all: to a temporary file beside it, flushed to the disk, then renamed.
 * What lies there under the temporary name is removed, and never written through, should it be a link.
 *
 * @throws {UserError} The folder cannot be written to, or the disk is full (exit code 1).
 */
export async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const temporary = `${path}.part`;
  try {
    await Deno.remove(temporary).catch(ignoreMissing); // of a process that was cut off
    using file = await Deno.open(temporary, { write: true, createNew: true });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // there may be nothing to remove
    throw writingFailed(path, error);
  }
  try {
    await Deno.rename(temporary, path);
  } catch (error) {
    throw writingFailed(path, error);
  }
  await flushFolder(path);
}

/** Puts a file's new name on the disk, so that it is still there after a power failure. */
async function flushFolder(path: string): Promise<void> {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
  try {
    using opened = await Deno.open(folder, { read: true });
    await opened.sync();
  } catch {
    // not every system opens folders, and the folder's own permission may be missing
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/**
 * Lets Deno ask once for a whole folder, where the user has neither given nor refused a permission for it.
 * Otherwise it would ask for each file in it.
 */
export async function askForFolder(path: string): Promise<void> {
  for (const name of ["write", "read"] as const) await Deno.permissions.request({ name, path });
}

/**
 * Makes a folder and those above it.
 *
 * @throws {UserError} It cannot be made (exit code 1).
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw writingFailed(path, error);
  }
}
