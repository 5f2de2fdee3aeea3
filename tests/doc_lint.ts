/**
 * What `deno doc --lint` has against the docstrings of the project, without its complaint that a
 * signature names a type of another package (tf.Tensor): nothing here can mend that.
 *
 *     deno run --allow-read=. --allow-run tests/doc_lint.ts
 *
 * @module
 */
import { root } from "./commands.ts";
import { sources } from "./sources.ts";

/** Code that only its own neighbours call: its docstrings say what is needed there. */
const INNER = /^common\/(engine\/(wasm|webgpu)|page|lesson)\/|^(play|tests)\//;

/** The modules whose exports are all documented. */
export async function documentedModules(): Promise<string[]> {
  return (await Array.fromAsync(sources())).filter((path) => !INNER.test(path)).sort();
}

/** The complaints about these modules, a line each. */
export async function complaints(modules: string[]): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...modules],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const found = [...output.matchAll(/^error\[[^\]]*\]: (.*)\n\s*--> (.*?):(\d+)/gm)];
  if (found.length === 0 && !output.includes("Checked")) throw new Error(output);
  const own: string[] = [];
  for (const [, text, path, line] of found) {
    if (!await isForeign(text, path)) own.push(`${path.replace(root, "")}:${line}: ${text}`);
  }
  return own;
}

/** Whether a complaint is about a type that the module does not declare, but imports. */
async function isForeign(text: string, path: string): Promise<boolean> {
  const [, name] = /references private type '([\w$]+)/.exec(text) ?? [];
  if (!name) return false;
  const declaration = new RegExp(`^(interface|type|class) ${name}\\b`, "m");
  return !declaration.test(await Deno.readTextFile(path));
}

if (import.meta.main) {
  const modules = await documentedModules();
  const found = await complaints(modules);
  console.error(
    found.length > 0 ? found.join("\n") : `Checked docstrings of ${modules.length} files`,
  );
  Deno.exit(found.length > 0 ? 1 : 0);
}
