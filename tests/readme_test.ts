// The commands of the documents, README.md and all of docs/: each runs as it is shown, on a setting that
// takes seconds.
import { assert, assertEquals } from "@std/assert";
import {
  type Ended,
  errorLines,
  inTemporaryFolder,
  mayRunCommands,
  root,
  runScript,
} from "./commands.ts";
import { allDocuments } from "./documents.ts";

const mayRead = (await Deno.permissions.query({ name: "read" })).state === "granted";

function readmeTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !mayRead, fn });
}

/** Commands of the README on a setting that takes seconds. */
const SMALL: Record<string, { script: string; flags: string[] }> = {
  paper1: {
    script: "paper_1_partb.ts",
    flags: ["--steps", "3", "--hidden", "8", "--batch", "16", "--backend", "wasm"],
  },
  paper2: {
    script: "paper_2.ts",
    flags: [
      ...["--size", "8", "--channels", "8", "--groups", "4", "--channel-mults", "1,2"],
      ...["--timesteps", "50", "--steps", "2", "--batch", "2", "--samples", "1"],
      ...["--sample-steps", "4", "--warm-up", "1", "--classifier-steps", "20"],
      ...["--backend", "wasm"],
    ],
  },
  paper3: {
    script: "paper_3.ts",
    flags: [
      ...["--size", "8", "--channels", "8", "--groups", "4", "--channel-mults", "1,2"],
      ...["--timesteps", "30", "--steps", "2", "--batch", "2", "--samples", "1"],
      ...["--sample-steps", "4", "--warm-up", "1", "--guidance-samples", "0"],
      ...["--backend", "wasm"],
    ],
  },
  paper4: {
    script: "paper_4.ts",
    flags: [
      ...["--steps", "8", "--hidden", "8", "--batch", "16", "--pairs", "50", "--pair-steps", "2"],
      ...["--backend", "wasm"],
    ],
  },
  "paper4 of images": {
    script: "paper_4.ts",
    flags: [
      ...["--size", "8", "--channels", "8", "--groups", "4", "--channel-mults", "1,2"],
      ...["--steps", "4", "--batch", "2", "--samples", "1", "--warm-up", "1"],
      ...["--pairs", "4", "--pair-steps", "1", "--sample-steps", "2", "--backend", "wasm"],
    ],
  },
  paper5: {
    script: "paper_5.ts",
    flags: [
      ...["--samples", "2", "--sample-steps", "3", "--training-images", "40"],
      ...["--els-images", "9", "--backend", "wasm"],
    ],
  },
  inpaint: {
    script: "paper_2_inpainting.ts",
    flags: [
      ...["--images", "2", "--fillings", "2", "--sample-steps", "4", "--jump-length", "2"],
      ...["--classifier-steps", "20"],
    ],
  },
  animate: {
    script: "paper_2_animate.ts",
    flags: ["--frames", "3", "--samples", "2", "--sample-steps", "3"],
  },
  "animate a flow or points": {
    script: "paper_2_animate.ts",
    flags: ["--frames", "3"],
  },
  verify: { script: "tests/verify.ts", flags: ["--steps", "2"] },
};

/** Tasks that are run otherwise: by a test of their own, or by .ci/run. */
const ELSEWHERE = [
  ...["test", "check", "bench", "bench-torch", "images", "drawings", "debug", "explore", "links"],
  ...["play", "page", "play-picture"],
  ...["kernels", "page-script", "doctor", "numbers", "ship"],
];

/** `deno task NAME FLAGS` of all shell blocks, and of the tables. */
async function commandsOf(): Promise<string[][]> {
  const found = new Set<string>();
  for (const { content } of await allDocuments()) {
    const spans = [...content.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);
    const blocks = [...content.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, code]) =>
      code.trim().split("\n")
    );
    for (const line of [...spans, ...blocks]) {
      const [, command] = /^(?:npx -y deno@[\d.]+|deno) task ([^#|]+)/.exec(line) ?? [];
      if (command) found.add(command.trim());
    }
  }
  return [...found].map((command) => command.split(/\s+/));
}

readmeTest("every task that is named is one of deno.json", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  for (const [task] of await commandsOf()) {
    assert(task in tasks, `deno task ${task}`);
    assert(task in SMALL || ELSEWHERE.includes(task), `deno task ${task} is run by no test`);
  }
});

/** Tasks whose runs, with no flags, the other commands go on from. */
const FIRST = ["paper1", "paper2", "paper3", "paper4"];

Deno.test({
  name: "every command of the README runs, on smaller settings",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const commands = (await commandsOf()).filter(([task]) => task in SMALL);
      const isFirst = ([task, ...flags]: string[]) => FIRST.includes(task) && flags.length === 0;
      const first = commands.filter(isFirst);
      assertEquals(first.flat().sort(), FIRST);
      for (const [task, ...flags] of [...first, ...commands.filter((c) => !isFirst(c))]) {
        const elsewhere = flags.find((flag) => flag.startsWith("/"));
        if (elsewhere && !await Deno.stat(elsewhere).then(() => true, () => false)) continue;
        await succeeds(await run(task, flags, folder, elsewhere), `${task} ${flags.join(" ")}`);
      }
    }),
});

/** Flags whose large numbers in the README give way to a small one. */
const FEW = ["--steps", "--sample-steps", "--samples"];
/** Flags of papers 2 and 3 that a drawing with a finished run's model takes. */
const OF_DRAWING = ["--samples", "--classifier-steps", "--backend"];

/** Runs a task's script; what the README gives takes the place of the small setting. */
async function run(
  task: string,
  given: string[],
  folder: string,
  readable?: string,
): Promise<Ended> {
  const isOfImages = task === "paper4" && given.includes("mnist");
  const isOfFlow = task === "animate" && given.some((flag) => /paper[14]|digits/.test(flag));
  const kind = isOfImages ? "paper4 of images" : isOfFlow ? "animate a flow or points" : task;
  const { script, flags } = SMALL[kind];
  const draws = ["--resume", "--draw", "--label"].some((flag) => given.includes(flag));
  const resumed = draws && ["paper2", "paper3"].includes(task);
  const small: string[] = [];
  for (let i = 0; i < flags.length; i += 2) {
    const isShape = resumed && !OF_DRAWING.includes(flags[i]);
    // the preset `paper` samples with DDPM
    const isOther = given.includes("paper") && flags[i] === "--sample-steps";
    // a number has its own digits, and a film of all labels a frame for each
    const isSaid = flags[i] === "--samples" && given.includes("--draw") ||
      flags[i] === "--frames" && given.includes("--labels");
    if (!given.includes(flags[i]) && !isShape && !isOther && !isSaid) {
      small.push(flags[i], flags[i + 1]);
    }
  }
  const fitting = given.map((flag) => flag.startsWith("box:") ? "box:2,2,4,4" : flag);
  const smaller = fitting.map((value, i) => {
    return FEW.includes(fitting[i - 1]) ? "3" : value;
  });
  return await runScript(script, [...smaller, ...small], folder, { readable });
}

function succeeds(ended: Ended, command: string): void {
  assertEquals(ended.code, 0, `deno task ${command}: ${errorLines(ended.stderr)} ${ended.stderr}`);
}
