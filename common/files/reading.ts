/**
 * Reading whole files and folders, with errors in plain words.
 *
 * @module
 */
import { readingFailed } from "./file_errors.ts";

/**
 * Reads a whole file.
 *
 * @throws {UserError} It is missing or may not be read; for a missing permission, what to add.
 */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw readingFailed(path, error);
  }
}

/** {@linkcode readBytes} as text. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

/**
 * Lists what is in a folder, but not what is in the folders inside it.
 *
 * @throws {UserError} It is missing, not a folder, or may not be read.
 */
export async function readFolder(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    throw readingFailed(path, error, "folder");
  }
}
