// The permissions are the proof: a task can do what deno.json says, and nothing else.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";
import { findPython } from "./python.ts";

/** The commands of the tasks; one that comes after another task is an object. */
async function tasks(): Promise<Record<string, string>> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  return Object.fromEntries(
    Object.entries<string | { command: string }>(tasks)
      .map(([name, task]) => [name, typeof task === "string" ? task : task.command]),
  );
}

/** The permission flags of a task. */
function permissionsOf(task: string): string[] {
  const flag = /^(-[APRWINES]+(=|$)|--allow-|--permission-set)/; // -R is --allow-read, and so on
  return task.split(" ").filter((word) => flag.test(word)).sort();
}

/** What a row of the reference's table of permissions says, cell by cell. */
interface Row {
  reads: string;
  writes: string;
  network: string;
  programs: string;
}

/** The reference's table of permissions, by task. */
async function table(): Promise<Map<string, Row>> {
  const reference = await Deno.readTextFile(`${root}docs/reference.md`);
  const [, chapter] = /\n## Permissions\n([\s\S]*?)\n## /.exec(reference)!;
  const rows = chapter.split("\n").filter((line) => line.startsWith("| `"));
  return new Map(rows.flatMap((row) => {
    const [names, reads, writes, network, programs] = row.split("|").slice(1, -1)
      .map((cell) => cell.trim());
    const cells = { reads, writes, network, programs };
    return [...names.matchAll(/`([\w-]+)`/g)].map(([, name]): [string, Row] => [name, cells]);
  }));
}

/** The tasks that may do everything, as they start browsers; the reference says so. */
const UNLIMITED = ["test", "play-picture"];

/** Tasks for working on the project itself: they stay out of a user's runs. */
const FOR_DEVELOPERS = ["check", "kernels", "page-script", "ship"];

/** Git's files: the first three say which commit is checked out, the last may have passwords. */
const GIT = [".git/HEAD", ".git/refs", ".git/packed-refs", ".git/config"];

/** The attempts below that a row of the table promises; all others must fail. */
function promised({ reads, writes, network, programs }: Row): string[] {
  const paths = (cell: string) => [...cell.matchAll(/`([\w./-]+)`/g)].map(([, path]) => path);
  const readable = reads === "the project" ? ["runs/", "images/", ".", ...GIT] : paths(reads);
  return [
    ...readable.map((path) => `reading ${path}`),
    ...(readable.includes(".") ? ["reading through a path out of runs/"] : []),
    ...paths(writes).map((path) => `writing ${path}`),
    ...(network === "127.0.0.1" ? ["the network", "listening"] : []),
    ...(programs === "Deno itself" ? ["a program"] : []),
  ];
}

/** What a script may have to do with; each gives "allowed", or the name of the error it ends in. */
const ATTEMPTS = `
const write = (path) => Deno.writeTextFile(path, "x");
const attempts = {
  "reading runs/": () => Deno.stat("runs"),
  "reading images/": () => Deno.stat("images"),
  "reading .": () => Array.fromAsync(Deno.readDir(".")),
  "reading through a path out of runs/": () => Deno.readTextFile("runs/../secret.txt"),
  "reading .git/HEAD": () => Deno.stat(".git/HEAD"),
  "reading .git/refs": () => Deno.stat(".git/refs"),
  "reading .git/packed-refs": () => Deno.stat(".git/packed-refs"),
  "reading .git/config": () => Deno.stat(".git/config"),
  "reading a file elsewhere": () => Deno.readTextFile("/etc/hostname"),
  "writing runs/": () => write("runs/attempt"),
  "writing images/": () => write("images/attempt"),
  "writing docs/": () => write("docs/attempt"),
  "writing README.md": () => write("README.md"),
  "writing CONTRIBUTING.md": () => write("CONTRIBUTING.md"),
  "writing beside them": () => write("outside.txt"),
  "writing through a path out of runs/": () => write("runs/../outside.txt"),
  "writing elsewhere": () => write("/tmp/outside.txt"),
  "a link out of runs/": () => Deno.symlink("/etc", "runs/etc"),
  "the network": () => Deno.connect({ hostname: "127.0.0.1", port: 9 }),
  "the network beyond this machine": () => Deno.connect({ hostname: "192.0.2.1", port: 9 }),
  "listening": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  "listening to others": () => Deno.listen({ hostname: "0.0.0.0", port: 0 }).close(),
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
      // refused by whoever should be there, and not by Deno: the attempt was allowed
      results[name] = error.name === "ConnectionRefused" ? "allowed" : error.name;
    }
  }
  return results;
}
`;

/** A folder with what the attempts look for. */
async function prepareAttempts(folder: string): Promise<void> {
  for (const name of ["runs", "images", "docs", ".git/refs"]) {
    await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  }
  for (const name of ["secret.txt", ".git/HEAD", ".git/packed-refs", ".git/config"]) {
    await Deno.writeTextFile(`${folder}/${name}`, "secret");
  }
}

/** That just the promised attempts are allowed, and that Deno's permissions stop the others. */
function assertOnly(promised: string[], results: Record<string, string>, task: string): void {
  const known = Object.keys(results);
  for (const attempt of promised) assert(known.includes(attempt), `no attempt at ${attempt}`);
  const expected = known.map((attempt) => [
    attempt,
    promised.includes(attempt) ? "allowed" : "NotCapable",
  ]);
  assertEquals(results, Object.fromEntries(expected), `deno task ${task}`);
}

/** The results of all attempts with a task's permissions. */
async function attemptsOf(command: string, folder: string): Promise<Record<string, string>> {
  const script = `${ATTEMPTS} console.log(JSON.stringify(await attemptAll()));`;
  await Deno.writeTextFile(`${folder}/attempts.js`, script);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", ...permissionsOf(command), "attempts.js"],
    cwd: folder,
  }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

Deno.test({
  name: "every task may do what the reference's table says, and nothing else",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await prepareAttempts(folder);
      const [all, rows] = [await tasks(), await table()];
      for (const name of rows.keys()) assert(name in all, `the reference names deno task ${name}`);
      for (const [name, command] of Object.entries(all)) {
        if (UNLIMITED.includes(name)) continue;
        const row = rows.get(name);
        const results = await attemptsOf(command, folder);
        if (row) {
          assertOnly(promised(row), results, name);
          continue;
        }
        assert(
          FOR_DEVELOPERS.includes(name),
          `deno task ${name} is missing in the reference's table`,
        );
        for (
          const attempt of ["writing runs/", "writing beside them", "the network", "a program"]
        ) {
          assertEquals(results[attempt], "NotCapable", `deno task ${name}: ${attempt}`);
        }
      }
    }),
});

/** A task as a process in another folder, with exactly its own flags and no one to ask. */
function taskCommand(task: string, args: string[], folder: string): Deno.Command {
  const words = task.split(" && ")[0].split(" "); // what comes behind only formats
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
const SMALL_5 = [
  ...["--samples", "2", "--sample-steps", "3", "--training-images", "40", "--els-images", "9"],
];
const SMALL_4 = [
  ...["--hidden", "8", "--batch", "16", "--steps", "6", "--pairs", "50", "--pair-steps", "2"],
];
const SMALL_3 = [...SMALL_2, "--guidance-samples", "0"];
const [RUN_1, RUN_2, RUN_3, RUN_4] = [1, 2, 3, 4].map((paper) => `runs/paper${paper}-quick-0`);

/** What makes each task short, in an order in which each finds the runs that it needs. */
const SHORT: Record<string, string[][]> = {
  paper1: [SMALL_1, ["--resume", RUN_1]],
  paper2: [SMALL_2, ["--resume", RUN_2], ["--sample-only", "--resume", RUN_2]],
  paper3: [SMALL_3, ["--resume", RUN_3, "--draw", "7"]],
  paper4: [[...SMALL_4, "--beside", RUN_1], ["--resume", RUN_4]],
  paper5: [SMALL_5, ["--resume", RUN_2, ...SMALL_5]],
  inpaint: [[
    ...["--resume", RUN_2, "--image", `${RUN_2}/paper2_samples.png`, "--fillings", "2"],
    ...["--sample-steps", "2", "--jump-length", "1", "--jumps", "1", "--classifier-steps", "20"],
  ]],
  animate: [
    ["--resume", RUN_1, "--frames", "3"],
    ["--resume", RUN_4, "--frames", "3"],
    ["--resume", RUN_2, "--frames", "3", "--samples", "2", "--sample-steps", "4"],
  ],
  verify: [[RUN_1, "--steps", "2"], [RUN_2, "--steps", "1"], [RUN_3, "--steps", "1"], [
    RUN_4,
    "--steps",
    "4",
  ]],
  explore: [[RUN_2, "--port", "0"]],
  page: [[]],
  play: [["--port", "0"]],
  drawings: [[]],
  images: [["--only", "paper1-short"]], // done already, see below
  bench: [["--only", "c", "--rounds", "1"], ["--busy", "--only", "c", "--rounds", "1"]],
  "bench-torch": [await findPython() ? ["--only", "b", "--rounds", "1"] : ["--help"]],
  doctor: [["--checks-only"]],
  debug: [["paper_1_partb.ts", ...SMALL_1]],
  links: [[]],
  numbers: [[]],
};

Deno.test({
  name: "every task does its work with its own permissions, and asks for none",
  ignore: !mayRunCommands,
  fn: (t) =>
    inTemporaryFolder(async (folder) => {
      const others = [...UNLIMITED, ...FOR_DEVELOPERS];
      const named = Object.keys(await tasks()).filter((name) => !others.includes(name));
      assertEquals(named.sort(), Object.keys(SHORT).sort(), "tasks, and how to make them short");
      for (const [name, runs] of Object.entries(SHORT)) {
        const command = (await tasks())[name];
        for (const args of runs) {
          await t.step(`deno task ${name} ${args.join(" ")}`, async () => {
            if (name === "images") await prepareImages(folder);
            if (name === "links") await prepareDocuments(folder);
            const { code, stdout, stderr } = await endOf(
              taskCommand(command, args, folder).spawn(),
            );
            assertEquals(code, 0, stderr);
            if (name === "explore") assertMatch(stdout, /is shown at http:\/\/127\.0\.0\.1:\d+/);
          });
        }
      }
      const expected = ["CONTRIBUTING.md", "README.md", "deno.json", "images", "runs"];
      assertEquals(await namesIn(folder), expected);
    }),
});

/** What the tasks `links` and `numbers` look for. */
async function prepareDocuments(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/README.md`, '[here](deno.json#L9 "tasks")\n');
  await Deno.writeTextFile(`${folder}/CONTRIBUTING.md`, "nothing\n");
}

/**
 * What the task `images` needs: the two tasks that it starts, and a run that it takes for
 * finished, as a real one takes as long as the lesson's.
 */
async function prepareImages(folder: string): Promise<void> {
  const { drawings, numbers } = await tasks();
  const placed = (command: string) =>
    command.split(" && ")[0].replace("deno run", `deno run --config=${root}deno.json`)
      .replace(/\S+\.ts$/, (script) => root + script);
  const used = { drawings: placed(drawings), numbers: placed(numbers) };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ tasks: used }));
  await prepareDocuments(folder);
  const run = `${folder}/runs/images/paper1-short`;
  await Deno.mkdir(run, { recursive: true });
  const record = { script: "paper1", settings: {}, status: "finished" };
  await Deno.writeTextFile(`${run}/run.json`, JSON.stringify(record));
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
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

for (
  const [task, small] of [
    ["paper1", SMALL_1],
    ["paper2", SMALL_2],
    ["paper3", SMALL_3],
    ["paper4", SMALL_4],
  ] as const
) {
  Deno.test({
    name: `${task} runs within its permissions, and nothing beyond them is possible in it`,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        await prepareAttempts(folder);
        const command = (await tasks())[task];
        const script = command.split(" ").at(-1)!;
        await Deno.writeTextFile(`${folder}/wrapper.ts`, wrapper(script));
        const wrapped = command.replace(script, "./wrapper.ts");
        const { code, stdout, stderr } = await endOf(taskCommand(wrapped, small, folder).spawn());
        assertEquals(code, 0, stderr);
        const tried: Record<string, string>[] = JSON.parse(/ATTEMPTS (.*)/.exec(stdout)![1]);
        assert(tried.length > 2, `${tried.length} rounds`);
        const allowed = promised((await table()).get(task)!);
        for (const results of tried) assertOnly(allowed, results, task);
        assertEquals(await namesIn(folder), [
          ".git",
          "docs",
          "images",
          "runs",
          "secret.txt",
          "wrapper.ts",
        ]);
      }),
  });
}
