// What others call is documented. `deno doc --lint` finds what is not; its complaint that a signature
// names a type of another package (tf.Tensor) is left out, as nothing here can mend it.
import { assert, assertEquals } from "@std/assert";
import { mayRunCommands, root } from "./commands.ts";

/** Doors in which an export still lacks its docstring; to be taken out here when it has one. */
const NOT_YET = [
  "common/backend.ts",
  "common/reverse_process.ts",
  "common/schedule.ts",
  "common/user_error.ts",
  "paper_1_partb.ts",
  "paper_2.ts",
  "paper_2_animate.ts",
  "paper_2_inpainting.ts",
  "unet.ts",
];

/** The modules that others import: the loose files of common/, the network, the papers. */
async function doors(): Promise<string[]> {
  const namesIn = async (folder: string) =>
    (await Array.fromAsync(Deno.readDir(root + folder))).map(({ name }) => folder + name)
      .filter((name) => name.endsWith(".ts"));
  return [...await namesIn("common/"), ...await namesIn("")].sort();
}

/** What `deno doc --lint` says against these modules, a line each. */
async function complaints(modules: string[]): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...modules],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const found = [...output.matchAll(/^error\[[^\]]*\]: (.*)\n\s*--> (.*?):(\d+)/gm)];
  assert(found.length > 0 || output.includes("Checked"), output);
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

Deno.test({
  name: "everything that the doors export is documented",
  ignore: !mayRunCommands,
  fn: async () => {
    const documented = (await doors()).filter((door) => !NOT_YET.includes(door));
    assert(documented.length > 0);
    assertEquals(await complaints(documented), []);
  },
});
