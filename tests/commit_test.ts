// The commit in a run's record: what Git says, at the price of no permission.
import { assertEquals } from "@std/assert";
import { lastCommit } from "../common/run/commit.ts";
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";

Deno.test("the last line of Git's log leads to the commit that is checked out", () => {
  const [A, B, C] = ["a1", "b2", "c3"].map((digits) => digits.repeat(20));
  const line = (before: string, after: string) =>
    `${before} ${after} Someone <a@b> 1 +0000\tcommit`;
  assertEquals(lastCommit(`${line("0".repeat(40), A)}\n`), A);
  assertEquals(lastCommit(`${line(A, B)}\n${line(B, C)}\n`), C);
  for (const log of ["", "\n", "hello", `${A}`, `${A} nothing`]) {
    assertEquals(lastCommit(log), undefined);
  }
});

Deno.test({
  name: "a clone knows its commit without a permission, and a copy without Git has none",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const module = "common/run/commit.ts";
      await Deno.mkdir(`${folder}/common/run`, { recursive: true });
      await Deno.copyFile(`${root}${module}`, `${folder}/${module}`);
      await Deno.writeTextFile(`${folder}/deno.json`, `{ "unstable": ["raw-imports"] }`);
      await Deno.writeTextFile(
        `${folder}/ask.ts`,
        `import { checkedOutCommit } from "./${module}"; console.log(await checkedOutCommit());`,
      );
      const run = async (command: string, ...args: string[]) => {
        const env = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b" };
        const committer = { GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b", NO_COLOR: "1" };
        const options = { args, cwd: folder, env: { ...env, ...committer } };
        const { stdout } = await new Deno.Command(command, options).output();
        return new TextDecoder().decode(stdout).trim();
      };
      const ask = () => run(Deno.execPath(), "run", "--no-prompt", "ask.ts");
      assertEquals(await ask(), "undefined");
      await run("git", "init", "-q");
      await run("git", "commit", "-q", "--allow-empty", "-m", "first");
      await run("git", "commit", "-q", "--allow-empty", "-m", "second");
      assertEquals(await ask(), await run("git", "rev-parse", "HEAD"));
      await run("git", "checkout", "-q", "HEAD~1");
      assertEquals(await ask(), await run("git", "rev-parse", "HEAD"));
    }),
});
