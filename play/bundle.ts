/**
 * Bundles code for the browser, by `deno bundle`.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { UserError } from "../common/user_error.ts";

const root = new URL("..", import.meta.url);

/** In a tab, TensorFlow.js is its core alone: a bundle without the parts that nobody calls. */
const IN_A_TAB = { "@tensorflow/tfjs": new URL("tensorflow.ts", import.meta.url).href };

/**
 * A module and all that it imports, as one text.
 *
 * @param path From the project's folder on.
 * @param importMap The path of a file with {@linkcode importMap}.
 * @throws {UserError} Deno could not do it; the message is the first line of Deno's (exit code 1).
 */
export async function bundle(path: string, importMap: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "browser", "--minify"],
      ...["--config", filePath("deno.json"), "--import-map", importMap],
      "--external=*/.git/logs/HEAD", // which commit this is: only a run asks
      filePath(path),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(code === 0 ? stdout : stderr);
  if (code === 0) return text;
  const [why] = text.trim().replace(/^error: /, "").split("\n");
  throw new UserError(`deno bundle ${path}: ${why}`, { exitCode: 1 });
}

/** deno.json's imports as a map by itself, for a tab: Deno bundles with one only if it is a file. */
export function importMap(): string {
  const imports: Record<string, string> = {};
  for (const [name, target] of Object.entries(config.imports)) {
    imports[name] = target;
    imports[`${name}/`] = `${target.replace(":", ":/")}/`;
  }
  return JSON.stringify({ imports: { ...imports, ...IN_A_TAB } });
}

function filePath(path: string): string {
  return decodeURIComponent(new URL(path, root).pathname);
}
