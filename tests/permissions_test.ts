// The permissions are the proof: a task can do what deno.json says, and nothing else.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";

const mayRead = (await Deno.permissions.query({ name: "read" })).state === "granted";

async function tasks(): Promise<Record<string, string>> {
  return JSON.parse(await Deno.readTextFile(`${root}deno.json`)).tasks;
}

/** The permission flags of a task. */
function permissionsOf(task: string): string[] {
  const flag = /^(-[APRWINES]+(=|$)|--allow-|--permission-set)/; // -R is --allow-read, and so on
  return task.split(" ").filter((word) => flag.test(word)).sort();
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

/** Tasks for working on the project itself; they stay out of a user's runs. */
const FOR_DEVELOPERS = ["test", "check", "kernels", "page-script"];

/** What those may do. */
const GRANTED_TO_DEVELOPERS: Record<string, string[]> = {
  test: ["-A"],
  check: [],
  kernels: ["--allow-env", "--allow-read", "--allow-write=common/engine/wasm"],
  "page-script": [],
};

Deno.test({
  name: "every task has its permissions and no others",
  ignore: !mayRead,
  fn: async () => {
    for (const [name, command] of Object.entries(await tasks())) {
      const granted = { ...GRANTED, ...GRANTED_TO_DEVELOPERS }[name];
      assert(granted, `deno task ${name} stands in no table of permissions`);
      assertEquals(permissionsOf(command), granted, `deno task ${name}`);
    }
  },
});

/** The flags that a row of the README's table stands for. */
function flagsOf([reads, writes, network, programs]: string[]): string[] {
  const folders = (cell: string) => [...cell.matchAll(/`(\w+)\/`/g)].map(([, name]) => name).join();
  return [
    network === "none" ? "" : `--allow-net=${network}`,
    folders(reads) && `--allow-read=${folders(reads)}`,
    programs === "none" ? "" : "--allow-run",
    folders(writes) && `--allow-write=${folders(writes)}`,
  ].filter(Boolean);
}

Deno.test({
  name: "the README's table of permissions says the same",
  ignore: !mayRead,
  fn: async () => {
    const readme = await Deno.readTextFile(`${root}README.md`);
    const [, chapter] = /\n## Permissions\n([\s\S]*?)\n## /.exec(readme)!;
    const listed: string[] = [];
    for (const line of chapter.split("\n").filter((line) => line.startsWith("| `"))) {
      const [names, ...rest] = line.split("|").slice(1, -1).map((cell) => cell.trim());
      for (const [, name] of names.matchAll(/`([\w-]+)`/g)) {
        listed.push(name);
        if (name !== "test") assertEquals(flagsOf(rest), GRANTED[name], `${name} in the README`);
      }
    }
    assertEquals(listed.filter((name) => name !== "test").sort(), Object.keys(GRANTED).sort());
  },
});

/** A task as a process in another folder, with exactly its own flags and no one to ask. */
function taskCommand(task: string, args: string[], folder: string): Deno.Command {
  const words = task.split(" ");
  const start = words.indexOf("deno");
  const settings = Object.fromEntries(words.slice(0, start).map((word) => word.split("=")));
  const [verb, ...rest] = words.slice(start + 1).map((word) =>
    word === "--inspect-brk" ? "--inspect=127.0.0.1:0" : word // no debugger is there to wait for
  );
  assertEquals(verb, "run");
  const isScript = (word: string) => /^[\w/]+\.ts$/.test(word); // the project's own
  const placed = [...rest, ...args].map((word) => isScript(word) ? root + word : word);
  return new Deno.Command(Deno.execPath(), {
    args: [verb, "--no-prompt", `--config=${root}deno.json`, ...placed],
    cwd: folder,
    env: { ...settings, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

const SMALL_1 = ["--hidden", "8", "--timesteps", "8", "--batch", "16", "--steps", "5"];
const SMALL_2 = [
  ...["--size", "8", "--channels", "8", "--groups", "2", "--channel-mults", "1"],
  ...["--attention-levels", "none", "--batch", "2", "--steps", "2"],
  ...["--samples", "1", "--sample-steps", "4"],
];
const [RUN_1, RUN_2] = ["runs/paper1-quick-0", "runs/paper2-quick-0"];

/** What makes each task short, in an order in which each finds the runs that it needs. */
const SHORT: Record<string, string[][]> = {
  paper1: [SMALL_1, ["--resume", RUN_1]],
  paper2: [SMALL_2, ["--resume", RUN_2], ["--sample-only", "--resume", RUN_2]],
  inpaint: [[
    ...["--resume", RUN_2, "--image", `${RUN_2}/paper2_samples.png`, "--fillings", "2"],
    ...["--sample-steps", "2", "--jump-length", "1", "--jumps", "1"],
  ]],
  animate: [
    ["--resume", RUN_1, "--frames", "3"],
    ["--resume", RUN_2, "--frames", "3", "--samples", "2", "--sample-steps", "4"],
  ],
  verify: [[RUN_1, "--steps", "2"], [RUN_2, "--steps", "1"]],
  explore: [[RUN_2, "--port", "0"]],
  drawings: [[]],
  images: [["--only", "paper1-short"]], // done already, see below
  bench: [["--only", "c", "--rounds", "1"]],
  debug: [["paper_1_partb.ts", ...SMALL_1]],
};

Deno.test({
  name: "every task does its work with its own permissions, and asks for none",
  ignore: !mayRunCommands,
  fn: (t) =>
    inTemporaryFolder(async (folder) => {
      const named = Object.keys(await tasks()).filter((name) => !FOR_DEVELOPERS.includes(name));
      assertEquals(named.sort(), Object.keys(SHORT).sort(), "tasks, and how to make them short");
      for (const [name, runs] of Object.entries(SHORT)) {
        const command = (await tasks())[name];
        for (const args of runs) {
          await t.step(`deno task ${name} ${args.join(" ")}`, async () => {
            if (name === "images") await prepareImages(folder);
            const { code, stdout, stderr } = await endOf(
              taskCommand(command, args, folder).spawn(),
            );
            assertEquals(code, 0, stderr);
            if (name === "explore") assertMatch(stdout, /is shown at http:\/\/127\.0\.0\.1:\d+/);
          });
        }
      }
      const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
      assertEquals(left, ["deno.json", "images", "runs"]);
    }),
});

/**
 * What the task `images` needs: `deno task drawings`, which it starts, and a run that it takes for
 * finished, as a real one takes as long as the lesson's.
 */
async function prepareImages(folder: string): Promise<void> {
  const { drawings } = await tasks();
  const command = drawings.replace("deno run", `deno run --config=${root}deno.json`)
    .replace(/\S+\.ts$/, (script) => root + script);
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ tasks: { drawings: command } }));
  const run = `${folder}/runs/images/paper1-short`;
  await Deno.mkdir(run, { recursive: true });
  const record = { script: "paper1", settings: {}, status: "finished" };
  await Deno.writeTextFile(`${run}/run.json`, JSON.stringify(record));
}

/** Waits for a process, and sends Ctrl-C to one that waits for it. */
async function endOf(process: Deno.ChildProcess) {
  let stdout = "";
  const stderr = new Response(process.stderr).text();
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    if (stdout.includes("Ctrl-C ends this")) process.kill("SIGINT");
  }
  return { code: (await process.status).code, stdout, stderr: await stderr };
}

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
async function attemptAll() {
  const results = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      results[name] = "allowed";
    } catch (error) {
      results[name] = error.name;
    }
  }
  return results;
}
`;

/** The script in one process with the attempts: before it, while it trains, and after it. */
function wrapper(script: string): string {
  return `${ATTEMPTS}
import { main } from "${root}${script}";
const tried = [await attemptAll()];
let done = false;
const running = main(Deno.args).finally(() => done = true);
while (!done) {
  await new Promise((resume) => setTimeout(resume, 20));
  tried.push(await attemptAll());
}
const code = await running;
console.log("ATTEMPTS " + JSON.stringify(tried));
Deno.exit(code);
`;
}

for (const [task, small] of [["paper1", SMALL_1], ["paper2", SMALL_2]] as const) {
  Deno.test({
    name: `${task} runs within its permissions, and nothing beyond them is possible in it`,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        await Deno.writeTextFile(`${folder}/secret.txt`, "secret");
        const command = (await tasks())[task];
        const script = command.split(" ").at(-1)!;
        await Deno.writeTextFile(`${folder}/wrapper.ts`, wrapper(script));
        const wrapped = command.replace(script, "./wrapper.ts");
        const { code, stdout, stderr } = await endOf(taskCommand(wrapped, small, folder).spawn());
        assertEquals(code, 0, stderr);
        const tried: Record<string, string>[] = JSON.parse(/ATTEMPTS (.*)/.exec(stdout)![1]);
        assert(tried.length > 2, `${tried.length} rounds`);
        for (const results of tried) {
          for (const [attempt, result] of Object.entries(results)) {
            assertEquals(result, "NotCapable", attempt);
          }
          assertEquals(Object.keys(results).length, 13);
        }
        const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
        assertEquals(left, ["runs", "secret.txt", "wrapper.ts"]);
      }),
  });
}
