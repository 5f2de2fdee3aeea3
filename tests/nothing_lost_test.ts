// Nothing of a finished run is lost: what draws from its model has folders and files of its own, and a
// run that has nothing left to do is left alone.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertRefused, contentsOf, type Ended, processTest, runScript } from "./commands.ts";
import { shortRuns } from "./short_runs.ts";

const TINY = {
  paper1: ["--hidden", "8", "--timesteps", "6", "--batch", "16"],
  paper2: [
    ...["--size", "8", "--channels", "8", "--channel-mults", "1", "--attention-levels", "none"],
    ...["--batch", "4", "--samples", "1", "--sample-steps", "2", "--timesteps", "30"],
  ],
};
const SCRIPTS = { paper1: "paper_1_partb.ts", paper2: "paper_2.ts" };

function run(paper: "paper1" | "paper2", args: string[], folder: string): Promise<Ended> {
  return runScript(SCRIPTS[paper], [...args, "--backend", "wasm"], folder);
}

/** Trains a run into runs/x. */
async function train(paper: "paper1" | "paper2", folder: string, steps = "3"): Promise<void> {
  await shortRuns[paper]([...TINY[paper], "--steps", steps, "--out", `${folder}/runs/x`]);
}

processTest("images drawn from a run's model have a folder of their own", async (folder) => {
  await train("paper2", folder);
  const before = await contentsOf(`${folder}/runs/x`);
  const draw = ["--sample-only", "--resume", "runs/x", "--samples", "2"];
  for (const more of [[], [], ["--out", "runs/mine"]]) {
    const ended = await run("paper2", [...draw, ...more], folder);
    assertEquals(ended.code, 0, ended.stderr);
  }
  assertEquals(await contentsOf(`${folder}/runs/x`), before);
  for (const name of ["x-samples", "x-samples-2", "mine"]) {
    const record = JSON.parse(await Deno.readTextFile(`${folder}/runs/${name}/run.json`));
    assertEquals(record.status, "finished");
    assertEquals(record.settings.samples, 2);
    assertEquals(record.drawnFrom, { run: "runs/x", sha256: before.get("model.safetensors") });
    assert((await Deno.stat(`${folder}/runs/${name}/samples.safetensors`)).isFile);
  }
  const [mine, again] = await Promise.all(
    ["mine", "x-samples"].map((name) => contentsOf(`${folder}/runs/${name}`)),
  );
  assertEquals(mine.get("samples.safetensors"), again.get("samples.safetensors"));
  assertRefused(await run("paper2", [...draw, "--out", "runs/x"], folder), /already holds a run/);
  const inDrawn = await run("paper2", ["--resume", "runs/mine", "--steps", "9"], folder);
  assertRefused(inDrawn, /runs\/mine holds what a model drew.* its run is runs\/x/);
});

processTest("--out with --resume is refused, and a finished run is left alone", async (folder) => {
  for (const paper of ["paper1", "paper2"] as const) {
    await Deno.remove(`${folder}/runs`, { recursive: true }).catch(() => {});
    await train(paper, folder);
    const before = await contentsOf(`${folder}/runs/x`);
    const elsewhere = ["--resume", "runs/x", "--steps", "5", "--out", "runs/y"];
    assertRefused(await run(paper, elsewhere, folder), /--out runs\/y with --resume runs\/x/);
    const again = await run(paper, ["--resume", "runs/x"], folder);
    assertEquals(again.code, 0, again.stderr);
    assertMatch(again.stdout, /runs\/x is finished, all its 3 steps are done: nothing is changed/);
    const preset = await run(paper, ["--resume", "runs/x", "--preset", "paper"], folder);
    assertRefused(preset, /--preset paper: the run in runs\/x has preset quick/);
    assertEquals(await contentsOf(`${folder}/runs/x`), before);
    assertEquals([...Deno.readDirSync(`${folder}/runs`)].map(({ name }) => name), ["x"]);
  }
});

processTest("a folder with other files is no place for a run", async (folder) => {
  await Deno.mkdir(`${folder}/runs/x`, { recursive: true });
  await Deno.writeTextFile(`${folder}/runs/x/loss.csv`, "mine");
  const ended = await run("paper1", [...TINY.paper1, "--steps", "1", "--out", "runs/x"], folder);
  assertRefused(ended, /--out runs\/x holds files, loss\.csv among them/);
  assertEquals(await Deno.readTextFile(`${folder}/runs/x/loss.csv`), "mine");
});

processTest("a run whose state is gone does not begin anew without a word", async (folder) => {
  await train("paper1", folder);
  await Deno.remove(`${folder}/runs/x/state.safetensors`);
  await Deno.remove(`${folder}/runs/x/state.previous.safetensors`).catch(() => {});
  const ended = await run("paper1", ["--resume", "runs/x", "--steps", "5"], folder);
  assertRefused(ended, /has a loss curve and no state\.safetensors/);
});

processTest("data that changed between a run and its --resume are noticed", async (folder) => {
  await Deno.mkdir(`${folder}/runs`);
  const csv = `${folder}/runs/points.csv`;
  await Deno.writeTextFile(csv, "0,1\n1,0\n2,2\n3,1\n");
  const data = ["--data", "runs/points.csv", ...TINY.paper1];
  const ran = await run("paper1", [...data, "--steps", "3", "--out", "runs/x"], folder);
  assertEquals(ran.code, 0, ran.stderr);
  await Deno.writeTextFile(csv, "0,1\n1,0\n2,2\n3,5\n");
  const before = await contentsOf(`${folder}/runs/x`);
  const resumed = await run("paper1", ["--resume", "runs/x", "--steps", "5"], folder);
  assertRefused(resumed, /the data have changed since the run in runs\/x was begun/);
  assertEquals(await contentsOf(`${folder}/runs/x`), before);
  const verified = await runScript("tests/verify.ts", ["runs/x"], folder);
  assertRefused(verified, /runs\/x\/run\.json: the data have changed/);
});

processTest(
  "a run that is extended is verified and repeated stretch by stretch",
  async (folder) => {
    await train("paper1", folder, "4");
    const longer = await run("paper1", ["--resume", "runs/x", "--steps", "9"], folder);
    assertEquals(longer.code, 0, longer.stderr);
    assertMatch(longer.stderr, /^note: --decay cosine falls to 0 .* at step 4 of 4 .* at 0\.0 %/m);
    const { stretches } = JSON.parse(await Deno.readTextFile(`${folder}/runs/x/run.json`));
    const ends = stretches.map((stretch: { fromStep: number; toStep: number }) => [
      stretch.fromStep,
      stretch.toStep,
    ]);
    assertEquals(ends, [[1, 4], [5, 9]]);
    assertEquals(stretches[0].settings.steps, 4);
    const verified = await runScript("tests/verify.ts", ["runs/x"], folder);
    assertMatch(verified.stdout, /reproduced: the losses of the first 9 steps/, verified.stderr);
    const from = ["--from", "runs/x/run.json", "--out", "runs/y"];
    const repeated = await run("paper1", from, folder);
    assertEquals(repeated.code, 0, repeated.stderr);
    const [x, y] = await Promise.all(
      ["x", "y"].map((name) => contentsOf(`${folder}/runs/${name}`)),
    );
    for (const name of ["loss.csv", "model.safetensors", "samples.csv"]) {
      assertEquals(y.get(name), x.get(name), name);
    }
  },
);

processTest("a run of too few steps stays within the finite numbers", async (folder) => {
  const young = ["--hidden", "16", "--batch", "32", "--timesteps", "10", "--steps", "40"];
  const ended = await run("paper1", [...young, "--out", "runs/x"], folder);
  assertEquals(ended.code, 0, ended.stderr);
  assert(!/NaN|Infinity/.test(ended.stdout), ended.stdout);
  const { results } = JSON.parse(await Deno.readTextFile(`${folder}/runs/x/run.json`));
  assert(Object.values(results).every(Number.isFinite), JSON.stringify(results));
});
