// The supply chain: only packages that docs/reference.md lists, at exact versions, as the lock file has them;
// and the same answers from the real JSR packages as from the adapters in their place.
import { assert, assertEquals } from "@std/assert";
import { errorLines, inTemporaryFolder, mayRunCommands, root } from "./commands.ts";
import { importsOf, sources } from "./sources.ts";

const mayRead = (await Deno.permissions.query({ name: "read" })).state === "granted";

const reachesJsr = mayRunCommands && await fetch("https://jsr.io/@std/assert/meta.json", {
  signal: AbortSignal.timeout(3000),
}).then(async (response) => {
  await response.body?.cancel();
  return response.ok;
}, () => false);
if (mayRunCommands && !reachesJsr) {
  console.error("the test with the real JSR packages is skipped: jsr.io cannot be reached");
}

async function config() {
  return JSON.parse(await Deno.readTextFile(`${root}deno.json`)) as {
    imports: Record<string, string>;
    links: string[];
    tasks: Record<string, string>;
  };
}

Deno.test({
  name: "every import is the project's own, Deno's, or a package of deno.json",
  ignore: !mayRead,
  fn: async () => {
    const ofProject = Object.keys((await config()).imports);
    let count = 0;
    for await (const path of sources()) {
      // the adapters are packages of their own
      const known = path.startsWith("common/std/") ? await adapterImports() : ofProject;
      for (const specifier of importsOf(await Deno.readTextFile(root + path))) {
        count++;
        if (/^(\.\.?\/|node:|\$\{root\})/.test(specifier)) continue; // ${root}: in a test of a whole process
        const isKnown = known.some((name) =>
          specifier === name || specifier.startsWith(`${name}/`)
        );
        assert(isKnown, `${path} imports ${specifier}`);
      }
    }
    assert(count > 300, `${count} imports were found`);
  },
});

/** What the adapters in the place of the JSR packages import. */
async function adapterImports(): Promise<string[]> {
  return Object.keys(await adapterPackages());
}

async function adapterPackages(): Promise<Record<string, string>> {
  const { links } = await config();
  const all = await Promise.all(links.map(async (link) => {
    const { imports = {} } = JSON.parse(await Deno.readTextFile(`${root}${link}/deno.json`));
    return imports;
  }));
  return Object.assign({}, ...all);
}

Deno.test({
  name: "packages have exact versions, and the reference lists just those",
  ignore: !mayRead,
  fn: async () => {
    const { imports, tasks } = await config();
    const all = { ...imports, ...await adapterPackages() };
    for (const [name, target] of Object.entries(all)) {
      const exact = /^npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/.test(target);
      const fromJsr = target === `jsr:${name}@^1`; // adapters stand there; without, the lock file pins it
      assert(exact || fromJsr, `${name}: ${target}`);
    }
    const names = new Set(Object.keys(all));
    for (const [task, command] of Object.entries(tasks)) {
      for (const [specifier, name] of command.matchAll(/npm:((?:@[\w-]+\/)?[\w.-]+)\S*/g)) {
        assert(/@\d+\.\d+\.\d+/.test(specifier), `deno task ${task}: ${specifier}`);
        names.add(name);
      }
    }
    const reference = await Deno.readTextFile(`${root}docs/reference.md`);
    const [, chapter] = /\n## Packages\n([\s\S]*?)\n## /.exec(reference)!;
    const rows = chapter.split("\n").filter((line) => line.startsWith("| `"));
    const listed = rows.flatMap((row) => [...row.split("|")[1].matchAll(/`([^`]+)`/g)])
      .map(([, name]) => name);
    assertEquals(listed.sort(), [...names].sort(), "docs/reference.md, Packages");
  },
});

Deno.test({
  name: "the lock file is complete: a frozen installation needs nothing else",
  ignore: !mayRunCommands,
  fn: async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["install", "--frozen"],
      cwd: root,
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  },
});

/** Tests that lean most on the two packages: every flag, and every assertion that is used. */
const LEANING = ["command_line_test.ts", "adapters_test.ts", "learning_rate_test.ts"];

/** Runs those tests with another `links` entry. */
function runsWith(links: string[] | undefined): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const { imports, ...rest } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
    const own = `${folder}/project`;
    await copy(root, `${own}/`);
    await Deno.writeTextFile(`${own}/deno.json`, JSON.stringify({ ...rest, imports, links }));
    if (!links) await Deno.remove(`${own}/deno.lock`); // it has no JSR packages
    const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", ...LEANING.map((name) => `tests/${name}`)],
      cwd: own,
      env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assertEquals(errorLines(decoder.decode(stderr)), []);
    assertEquals(code, 0, decoder.decode(stdout));
    assert(/\d\d passed/.test(decoder.decode(stdout)), decoder.decode(stdout));
  });
}

/** Copies the project's code. */
async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (["runs", ".git", "images", "bench"].includes(name)) continue;
    if (isDirectory) await copy(`${from}${name}/`, `${to}${name}/`);
    else await Deno.copyFile(`${from}${name}`, `${to}${name}`);
  }
}

Deno.test({
  name: "flags and assertions behave the same with the adapters in a copy of the project",
  ignore: !mayRunCommands,
  fn: async () => await runsWith((await config()).links),
});

Deno.test({
  name: "flags and assertions behave the same with the real JSR packages",
  ignore: !reachesJsr,
  fn: () => runsWith(undefined),
});
