/**
 * The project's own source files and what they import, for the tests of its structure.
 *
 * @module
 */
import { root } from "./commands.ts";

const NO_SOURCES = ["runs", ".git", "node_modules", "fixtures"];

/** AssemblyScript: another language with the same file name extension. */
const KERNELS = "common/engine/wasm/kernels/";

/** The paths of all TypeScript files, from the project's folder on. */
export async function* sources(folder = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(root + folder)) {
    if (NO_SOURCES.includes(name) || `${folder}${name}/` === KERNELS) continue;
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name;
  }
}

/** What a file imports, as it is written there. */
export function importsOf(code: string): string[] {
  const withoutComments = code.replace(/^\s*(\*|\/\/|\/\*).*$/gm, "");
  const pattern = /\bfrom\s+"([^"]+)"|^\s*import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...withoutComments.matchAll(pattern)].map(([, ...found]) => found.find(Boolean)!);
}
