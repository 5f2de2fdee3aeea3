// The commit in a run's record: found in Git's own files, and never at the price of a question.
import { assertEquals } from "@std/assert";
import { checkedOutCommit } from "../common/run/commit.ts";
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";

const [A, B, C] = ["a1", "b2", "c3"].map((digits) => digits.repeat(20));

/** Git's files as they may be, by name, and the commit that they speak of. */
const CASES: Record<string, { files: Record<string, string>; commit?: string }> = {
  "no repository": { files: {} },
  "a commit without a branch": { files: { HEAD: `${A}\n` }, commit: A },
  "a branch": {
    files: { HEAD: "ref: refs/heads/main\n", "refs/heads/main": `${A}\n` },
    commit: A,
  },
  "a branch with a slash, one of two": {
    files: {
      HEAD: "ref: refs/heads/some/idea\n",
      "refs/heads/some/idea": `${B}\n`,
      "refs/heads/idea": `${A}\n`,
    },
    commit: B,
  },
  "a packed branch": {
    files: {
      HEAD: "ref: refs/heads/main\n",
      "packed-refs": `# pack-refs with: peeled fully-peeled sorted\n${A} refs/heads/domain\n` +
        `${B} refs/heads/main\n${C} refs/tags/1.0\n^${A}\n`,
    },
    commit: B,
  },
  "a branch that was packed and has moved since": {
    files: {
      HEAD: "ref: refs/heads/main\n",
      "refs/heads/main": `${C}\n`,
      "packed-refs": `${B} refs/heads/main\n`,
    },
    commit: C,
  },
  "SHA-256": { files: { HEAD: `${"d4".repeat(32)}\n` }, commit: "d4".repeat(32) },
  "no commit yet": { files: { HEAD: "ref: refs/heads/main\n" } },
  "a HEAD that leads elsewhere": {
    files: { HEAD: "ref: refs/../../commit\n", "../commit": `${A}\n` },
  },
  "something else": { files: { HEAD: "hello\n" } },
};

/** Writes Git's files into a folder, which is given back as a URL. */
async function writeRepository(folder: string, files: Record<string, string>): Promise<URL> {
  for (const [name, content] of Object.entries(files)) {
    const path = `${folder}/.git/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, content);
  }
  return new URL(`file://${folder}/`);
}

for (const [name, { files, commit }] of Object.entries(CASES)) {
  Deno.test({
    name: `${name}: ${commit ? "its commit" : "no commit"}`,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        assertEquals(await checkedOutCommit(await writeRepository(folder, files)), commit);
      }),
  });
}

Deno.test({
  name: "the named files are enough; without permission nothing is read and nobody is asked",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const project = await writeRepository(folder, CASES["a packed branch"].files);
      await Deno.writeTextFile(
        `${folder}/script.ts`,
        `import { checkedOutCommit } from "${root}common/run/commit.ts";
         const calls: string[] = [];
         const { readTextFile } = Deno;
         Deno.readTextFile = (path) => (calls.push("read"), readTextFile(path));
         Deno.permissions.request = () => (calls.push("request"), Promise.reject());
         console.log(await checkedOutCommit(new URL("${project}")), calls.length);`,
      );
      const output = async (...flags: string[]) => {
        const { stdout } = await new Deno.Command(Deno.execPath(), {
          args: ["run", `--config=${root}deno.json`, ...flags, "script.ts"],
          cwd: folder,
          stdin: "null",
          env: { NO_COLOR: "1" },
        }).output();
        return new TextDecoder().decode(stdout);
      };
      assertEquals(await output(), "undefined 0\n");
      assertEquals(await output("--allow-read=runs"), "undefined 0\n");
      assertEquals(await output("--deny-read"), "undefined 0\n");
      const least = "--allow-read=.git/HEAD,.git/refs,.git/packed-refs";
      assertEquals(await output(least), `${B} 3\n`);
    }),
});

Deno.test({
  name: "in a checkout of the project it is the one that Git says",
  ignore: !mayRunCommands || !await isRepository(),
  fn: async () => {
    const { stdout } = await new Deno.Command("git", { args: ["rev-parse", "HEAD"], cwd: root })
      .output();
    assertEquals(await checkedOutCommit(), new TextDecoder().decode(stdout).trim());
  },
});

/** Whether the project lies in a repository of its own, and there is a Git to ask. */
async function isRepository(): Promise<boolean> {
  if (!mayRunCommands) return false;
  try {
    if (!(await Deno.stat(`${root}.git`)).isDirectory) return false; // a worktree lies elsewhere
    return (await new Deno.Command("git", { args: ["rev-parse", "HEAD"], cwd: root }).output())
      .success;
  } catch {
    return false;
  }
}
