// `deno task paper3` as a whole: its files, what is asked of it afterwards, its answers to mistakes, its
// repeatability.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { decodeSafetensors } from "../common/files/safetensors.ts";
import { readPng, writePng } from "../common/data/images/png.ts";
import { UserError } from "../common/user_error.ts";
import { main } from "../paper_3.ts";
import {
  assertRefused,
  assertSameRuns,
  contentsOf,
  type Ended,
  processTest,
  runScript,
  scriptCommand,
} from "./commands.ts";
import { writeImageRun } from "./fixtures/run_folders.ts";

const TINY = [
  ...["--size", "8", "--channels", "8", "--groups", "4", "--channel-mults", "1,2"],
  ...["--timesteps", "30", "--batch", "4", "--warm-up", "1", "--backend", "wasm"],
];
/** Without measurements. */
const UNMEASURED = [...TINY, "--samples", "1", "--sample-steps", "3", "--guidance-samples", "0"];
const SHORT = [...UNMEASURED, "--steps", "3"];

function paper3(args: string[], folder: string): Promise<Ended> {
  return runScript("paper_3.ts", args, folder);
}

async function succeeds(script: string, args: string[], folder: string): Promise<string> {
  const { code, stdout, stderr } = await runScript(script, args, folder);
  assertEquals(code, 0, stderr);
  return stdout;
}

async function tensorsOf(path: string) {
  return decodeSafetensors(await Deno.readFile(path), path).tensors;
}

async function recordOf(run: string) {
  return JSON.parse(await Deno.readTextFile(`${run}/run.json`));
}

const REPEATABLE = [
  ...["samples", "guidance", "tradeoff", "chain", "loss"].map((name) => `paper3_${name}.png`),
  ...["nearest.png", "samples.safetensors", "figures.safetensors", "model.safetensors", "loss.csv"],
];

processTest("paper3 leaves its files, and its numbers with their errors", async (folder) => {
  const measured = [
    ...["--steps", "3", "--samples", "20", "--guidance-samples", "20", "--classifier-steps", "40"],
  ];
  const said = await succeeds("paper_3.ts", [...TINY, "--sample-steps", "3", ...measured], folder);
  assertMatch(said, /taken for the digit that was asked for: [\d.]+ ± [\d.]+ % of 20 samples/);
  const first = said.split("\n").findIndex((line) => line.includes("within a class"));
  const ws = said.split("\n").slice(first, first + 8).map((line) => line.trim().split(/ +/)[0]);
  assertEquals(ws, ["w", "0", "0.5", "1", "2", "4", "8", "real"]);

  const run = `${folder}/runs/paper3-quick-0`;
  const files = await contentsOf(run);
  for (const file of REPEATABLE) assert(files.has(file), file);
  const tensors = await tensorsOf(`${run}/samples.safetensors`);
  assertEquals(tensors.get("samples")!.shape, [20, 8, 8, 1]);
  const labels = Array.from({ length: 20 }, (_, n) => n % 10);
  assertEquals(Array.from(tensors.get("labels")!.data), labels);
  const { classes, results, status } = await recordOf(run);
  assertEquals([status, classes.join("")], ["finished", "0123456789"]);
  assertEquals(results.w, [0, 0.5, 1, 2, 4, 8]);
  for (const name of ["asked", "frechet", "spread"]) {
    for (const list of [results[`${name}ByW`], results[`${name}ErrorByW`]]) {
      assert(list.length === 6 && list.every((value: number) => value >= 0), `${name}: ${list}`);
    }
  }
  const figures = await tensorsOf(`${run}/figures.safetensors`);
  assertEquals(figures.get("guidance.images")!.shape, [6, 10, 2, 8, 8, 1]);
  assertStringIncludes(await Deno.readTextFile(`${run}/report.html`), 'id="guidance-images"');
  const again = [run.slice(folder.length + 1), "--steps", "3"];
  const verified = await succeeds("tests/verify.ts", again, folder);
  assertStringIncludes(verified, "reproduced: the losses of the first 3 steps are the same bits");
});

processTest("what is asked for is drawn beside the run, which stays as it is", async (folder) => {
  await succeeds("paper_3.ts", [...SHORT, "--out", "runs/x"], folder);
  const before = await contentsOf(`${folder}/runs/x`);
  const ask = (...args: string[]) =>
    succeeds("paper_3.ts", ["--resume", "runs/x", ...args], folder);

  await ask("--draw", "2026");
  const drawn = await tensorsOf(`${folder}/runs/x-draw/samples.safetensors`);
  assertEquals(Array.from(drawn.get("labels")!.data), [2, 0, 2, 6]);
  const png = await Deno.readFile(`${folder}/runs/x-draw/paper3_draw.png`);
  const { width, height } = readPng(png, "paper3_draw.png");
  assertEquals([width, height], [4 * 8 * 8, 8 * 8]);

  assertStringIncludes(await ask("--label", "7", "--w", "4"), "64 images with w = 4");
  const sevens = await tensorsOf(`${folder}/runs/x-label/samples.safetensors`);
  assertEquals(Array.from(sevens.get("labels")!.data), new Array(64).fill(7));
  await ask("--label", "3", "--samples", "2", "--sampler", "ddpm");
  await ask("--sample-only", "--samples", "11", "--w", "0");
  const names = [...Deno.readDirSync(`${folder}/runs`)].map(({ name }) => name).sort();
  assertEquals(names, ["x", "x-draw", "x-label", "x-label-2", "x-samples"]);

  const film = ["--resume", "runs/x", "--backend", "wasm", "--samples", "4", "--sample-steps", "2"];
  const animate = (...args: string[]) => succeeds("paper_2_animate.ts", [...film, ...args], folder);
  assertMatch(await animate("--labels"), /paper3_labels\.gif: 10 frames/);
  assertMatch(await animate("--label", "7", "--frames", "3"), /paper3_strength\.gif: 3 frames/);
  assertMatch(await animate("--frames", "3"), /paper3_chain\.gif: 3 frames/);
  await animate("--interpolate", "--label", "7", "--frames", "4");
  const after = await contentsOf(`${folder}/runs/x`);
  const films = ["chain", "interpolation", "labels", "strength"].map((name) =>
    `paper3_${name}.gif`
  );
  assertEquals([...after.keys()].filter((name) => !before.has(name)).sort(), films);
  for (const [name, content] of before) assertEquals(after.get(name), content, name);
});

processTest(
  "Ctrl-C saves, and the resumed run ends as one that was never stopped",
  async (folder) => {
    const long = [...UNMEASURED, "--steps", "300"];
    const child = scriptCommand("paper_3.ts", [...long, "--out", "runs/stopped"], folder).spawn();
    await Promise.all([stopLater(child), child.stdout.cancel()]);
    const { status, classes } = await recordOf(`${folder}/runs/stopped`);
    assertEquals([status, classes.length], ["interrupted", 10]);
    await succeeds("paper_3.ts", ["--resume", "runs/stopped"], folder);
    await succeeds("paper_3.ts", [...long, "--out", "runs/whole"], folder);
    await assertSameRuns(folder, ["stopped", "whole"], REPEATABLE);
  },
);

/** Sends Ctrl-C once the training shows its progress. */
async function stopLater(child: Deno.ChildProcess): Promise<void> {
  let stderr = "";
  let sent = false;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    if (sent || !stderr.includes("training")) continue;
    sent = true;
    child.kill("SIGINT");
  }
  assertEquals((await child.status).code, 130, stderr);
  assertStringIncludes(stderr, "go on with: deno task paper3 --resume runs/stopped");
}

processTest(
  "a folder of folders is learned with the folders' names, the same bytes when repeated",
  async (folder) => {
    const animals = `${folder}/runs/animals`;
    for (const [i, name] of ["cat", "dog"].entries()) {
      await Deno.mkdir(`${animals}/${name}`, { recursive: true });
      for (const n of [1, 2]) {
        const data = new Uint8Array(9 * 9 * 4).map((_, k) => [200 * i, 40 * n, 0, 255][k % 4]);
        await Deno.writeFile(
          `${animals}/${name}/${n}.png`,
          writePng({ width: 9, height: 9, data }),
        );
      }
    }
    const own = ["--dataset", "images", "--data-dir", "runs/animals"];
    const few = [
      ...["--steps", "3", "--samples", "1", "--sample-steps", "3", "--guidance-samples", "4"],
    ];
    await succeeds(
      "paper_3.ts",
      [...TINY, ...own, ...few, "--out", "runs/x"],
      folder,
    );
    const { classes, results } = await recordOf(`${folder}/runs/x`);
    assertEquals(classes, ["cat", "dog"]);
    assert(results.spreadByW.length === 6 && results.asked === undefined);
    await succeeds(
      "paper_3.ts",
      ["--resume", "runs/x", "--label", "dog", "--samples", "2"],
      folder,
    );

    const holes = [
      "--image",
      "runs/animals/cat/1.png",
      "--sample-steps",
      "2",
      "--jump-length",
      "1",
    ];
    const fill = ["--resume", "runs/x", "--backend", "wasm", "--out", "runs/holes", ...holes];
    await succeeds("paper_2_inpainting.ts", [...fill, "--label", "dog", "--w", "2"], folder);
    await succeeds("paper_2_inpainting.ts", fill, folder); // of any class
    const filled = await contentsOf(`${folder}/runs/holes`);
    const [dog, any] = ["", "-2"].map((number) => filled.get(`paper3_inpainting${number}.png`));
    assert(dog && any && dog !== any);

    const ask = (...args: string[]) => paper3(["--resume", "runs/x", ...args], folder);
    assertRefused(
      await ask("--draw", "2026"),
      /has learned cat, dog; --draw is for runs on digits/,
    );
    assertRefused(await ask("--label", "horse"), /--label horse: the run has learned cat, dog/);
    await Deno.rename(`${animals}/cat`, `${animals}/cats`);
    assertRefused(await ask("--steps", "4"), /the data have changed since the run in runs\/x/);
    await Deno.remove(`${animals}/dog`, { recursive: true });
    const anew = [...SHORT, ...own];
    assertRefused(await paper3(anew, folder), /runs\/animals: 1 folder in it; expected 2 to 255/);
    await Deno.mkdir(`${animals}/empty`);
    assertRefused(await paper3(anew, folder), /animals\/empty: no PNG files found/);
  },
);

processTest("mistakes get one line and exit code 2, and nothing is written", async (folder) => {
  await writeImageRun(`${folder}/runs/paper2`, { sheets: 0 });
  const run = {
    script: "paper3",
    status: "finished",
    settings: {},
    classes: Array.from("0123456789"),
  };
  await Deno.mkdir(`${folder}/runs/run`);
  await Deno.writeTextFile(`${folder}/runs/run/run.json`, JSON.stringify(run));
  const before = await contentsOf(`${folder}/runs/run`);
  const mine = ["--resume", `${folder}/runs/run`];
  const mistakes: [string[], RegExp][] = [
    [["--label", "12"], /--label 12: the run has learned 0, 1, 2, .* 9; give one of them/],
    [["--draw", "20a6", ...mine], /--draw does not take '20a6'; allowed: 1 to 64 digits/],
    [["--draw", "-7", ...mine], /--draw does not take '-7'/],
    [["--draw=", ...mine], /--draw has no value/],
    [["--label", "12", ...mine], /--label 12: the run has learned 0, 1, 2, .* 9; give one of them/],
    [["--label", "7", "--draw", "7", ...mine], /--label 7 and --draw 7 are 2 things to do/],
    [["--label", "7", "--sample-only", ...mine], /--sample-only and --label 7 are 2 things/],
    [["--draw", "7", "--samples", "3", ...mine], /--samples 3 does not go with --draw/],
    [["--label", "7", "--export-data", "runs/x", ...mine], /--export-data and --label 7 are 2/],
    [
      ["--label", "7", "--resume", `${folder}/runs/paper2`],
      /a run of paper2; expected one of paper3/,
    ],
    [["--w", "nan"], /--w does not take 'nan'; allowed: a number from 0 to 100/],
    [["--w", "-1"], /--w does not take '-1'/],
    [["--w", "1e9"], /--w does not take '1e9'/],
    [["--p-uncond", "1.5"], /--p-uncond does not take '1.5'; allowed: a number from 0 to 1/],
    [["--p-uncond", "0.2", ...mine], /the run in .*\/runs\/run has p-uncond undefined/],
    [["--compare-samplers", ...mine], /--compare-samplers is not a known flag/],
    [["--likelihood", ...mine], /--likelihood is not a known flag/],
    [["--dataset", "images"], /the folder .* is needed: give it with --data-dir/],
  ];
  for (const [args, expected] of mistakes) {
    const { message } = await assertRejects(() => main(args), UserError);
    assertMatch(message, expected);
  }
  assertRefused(await paper3(["--label", "12", "--resume", "runs/run"], folder), /--label 12/);
  const others: [string, string[], RegExp][] = [
    ["paper_2_inpainting.ts", ["--w", "2"], /--w 2 goes with --label/],
    ["paper_2_animate.ts", ["--labels", "--label", "7"], /are two films/],
    ["paper_2_animate.ts", ["--labels", "--frames", "3"], /it has one for each/],
    ["paper_2_animate.ts", ["--label", "x"], /--label x: the run has learned 0, 1/],
    ["paper_2_animate.ts", ["--label", "7", "--w", "2"], /in whose film w grows/],
  ];
  for (const [script, args, expected] of others) {
    assertRefused(await runScript(script, ["--resume", "runs/run", ...args], folder), expected);
  }
  const ofPaper2 = ["--resume", "runs/paper2", "--label", "7"];
  assertRefused(await runScript("paper_2_animate.ts", ofPaper2, folder), /has learned no labels/);
  assertEquals([...Deno.readDirSync(`${folder}/runs`)].map(({ name }) => name).sort(), [
    "paper2",
    "run",
  ]);
  assertEquals(await contentsOf(`${folder}/runs/run`), before);
});
