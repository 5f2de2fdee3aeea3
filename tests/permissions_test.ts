// The permissions are the proof: a task can do what deno.json says, and nothing else.
import { assert, assertEquals } from "@std/assert";
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";

const mayRead = (await Deno.permissions.query({ name: "read" })).state === "granted";

async function tasks(): Promise<Record<string, string>> {
  return JSON.parse(await Deno.readTextFile(`${root}deno.json`)).tasks;
}

/** The permission flags of a task. */
function permissionsOf(task: string): string[] {
  return task.split(" ").filter((word) => /^(-A|--allow-)/.test(word)).sort();
}

/** Tasks that a user's data and time depend on, with everything that they may do. */
const GRANTED: Record<string, string[]> = {
  paper1: ["--allow-read=runs", "--allow-write=runs"],
  paper2: ["--allow-read=runs", "--allow-write=runs"],
  inpaint: ["--allow-read=runs", "--allow-write=runs"],
  animate: ["--allow-read=runs", "--allow-write=runs"],
  debug: ["--allow-read=runs", "--allow-write=runs"],
  verify: ["--allow-read=runs"],
  explore: ["--allow-net=127.0.0.1", "--allow-read=runs"],
  drawings: ["--allow-read=images", "--allow-write=images"],
  images: ["--allow-read=runs,images", "--allow-run", "--allow-write=runs,images"],
  bench: [],
};

/** Tasks for working on the project itself. */
const FOR_DEVELOPERS = ["test", "check", "kernels", "page-script"];

Deno.test({
  name: "every task has the permissions of the README's table and no others",
  ignore: !mayRead,
  fn: async () => {
    for (const [name, command] of Object.entries(await tasks())) {
      if (FOR_DEVELOPERS.includes(name)) continue;
      assert(name in GRANTED, `deno task ${name} stands in no table of permissions`);
      assertEquals(permissionsOf(command), GRANTED[name], `deno task ${name}`);
    }
  },
});

/** What a script has no business with; each gives the name of the error that it ends in. */
const ATTEMPTS = `
const attempts = {
  "reading a file": () => Deno.readTextFile("/etc/hostname"),
  "reading a file beside runs/": () => Deno.readTextFile("secret.txt"),
  "reading through a path out of runs/": () => Deno.readTextFile("runs/../secret.txt"),
  "listing the folder": () => Array.fromAsync(Deno.readDir(".")),
  "writing beside runs/": () => Deno.writeTextFile("outside.txt", "x"),
  "writing through a path out of runs/": () => Deno.writeTextFile("runs/../outside.txt", "x"),
  "a link out of runs/": () => Deno.symlink("/etc", "runs/etc"),
  "the network": () => fetch("http://127.0.0.1:8123/"),
  "listening": () => Deno.listen({ port: 0 }),
  "a program": () => new Deno.Command("true").output(),
  "the environment": () => Deno.env.get("HOME"),
  "the host's name": () => Deno.hostname(),
  "a native library": () => Deno.dlopen("libc.so.6", {}),
};
const results = {};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    results[name] = "allowed";
  } catch (error) {
    results[name] = error.name;
  }
}
console.log("ATTEMPTS " + JSON.stringify(results));
`;

for (const [task, script] of [["paper1", "paper_1_partb.ts"], ["paper2", "paper_2.ts"]]) {
  Deno.test({
    name: `${task} runs within its permissions, and nothing beyond them is possible in it`,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        await Deno.writeTextFile(`${folder}/secret.txt`, "secret");
        // in the same process as the script, while it trains: what one module may not, none may
        const wrapper = `${folder}/wrapper.ts`;
        await Deno.writeTextFile(
          wrapper,
          `${ATTEMPTS}\nimport { runMain } from "${root}common/command_line.ts";\n` +
            `import { main } from "${root}${script}";\nawait runMain(main);\n`,
        );
        const small = task === "paper1"
          ? ["--hidden", "8", "--timesteps", "8", "--steps", "5", "--batch", "16"]
          : [
            ...["--size", "8", "--channels", "8", "--groups", "2", "--channel-mults", "1"],
            ...["--attention-levels", "none", "--batch", "2", "--steps", "2"],
            ...["--samples", "1", "--sample-steps", "4"],
          ];
        const flags = permissionsOf((await tasks())[task]);
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-prompt", `--config=${root}deno.json`, ...flags, wrapper, ...small],
          cwd: folder,
          env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
        }).output();
        const text = new TextDecoder().decode(stdout);
        assertEquals(code, 0, new TextDecoder().decode(stderr));
        const results = JSON.parse(/ATTEMPTS (.*)/.exec(text)![1]);
        for (const [attempt, result] of Object.entries(results)) {
          assertEquals(result, "NotCapable", attempt);
        }
        assertEquals(Object.keys(results).length, 13);
        const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
        assertEquals(left, ["runs", "secret.txt", "wrapper.ts"]);
      }),
  });
}
