// `deno task paper1` as a whole: its files, its exit codes, its answers to mistakes, its repeatability.
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  assertSameRuns,
  type Ended,
  processTest,
  runScript,
  scriptCommand,
} from "./commands.ts";

const TINY = ["--hidden", "8", "--timesteps", "8"];
const SMALL = [...TINY, "--backend", "wasm", "--steps", "20"];
const hasAdapter = await navigator.gpu?.requestAdapter() != null;

function paper1(args: string[], folder: string): Promise<Ended> {
  return runScript("paper_1_partb.ts", args, folder);
}

async function bytes(folder: string, run: string, file: string): Promise<Uint8Array> {
  return await Deno.readFile(`${folder}/runs/${run}/${file}`);
}

const FIGURES = ["paper1_diffusion.png", "paper1_loss.png", "paper1_field.png"];
const REPEATABLE = [...FIGURES, "loss.csv", "samples.csv", "model.safetensors"];

processTest(
  "paper1 leaves its files, the same with any number of threads, and what does not fit is refused",
  async (folder) => {
    const { code, stdout, stderr } = await paper1([...SMALL, "--workers", "1"], folder);
    assertEquals(code, 0, stderr);
    assertMatch(
      stdout,
      /K = -?[\d.]+ bits.*K − L_null = .*sliced Wasserstein .*mean distance from the spiral [\d.]+, [\d.]+ % farther than 0.05\n$/,
    );
    for (const file of FIGURES) {
      const [, p, n, g] = await bytes(folder, "paper1-quick-0", file);
      assertEquals(String.fromCharCode(p, n, g), "PNG");
    }
    const record = JSON.parse(await Deno.readTextFile(`${folder}/runs/paper1-quick-0/run.json`));
    assertEquals(record.status, "finished");
    assertEquals(record.settings.steps, 20);
    assertEquals(record.backend.name, "wasm");
    assert(Number.isFinite(record.results.K));
    const samples = await Deno.readTextFile(`${folder}/runs/paper1-quick-0/samples.csv`);
    assertEquals(samples.trim().split("\n").length, 5001);
    const loss = await Deno.readTextFile(`${folder}/runs/paper1-quick-0/loss.csv`);
    assertEquals(loss.trim().split("\n").length, 21);

    assertEquals((await paper1([...SMALL, "--workers", "3"], folder)).code, 0); // takes the next folder
    assertEquals((await paper1([...SMALL, "--seed", "1"], folder)).code, 0);
    await assertSameRuns(folder, ["paper1-quick-0-2", "paper1-quick-0"], REPEATABLE);
    assert(loss !== await Deno.readTextFile(`${folder}/runs/paper1-quick-1/loss.csv`));

    const before = await Deno.readTextFile(`${folder}/runs/paper1-quick-0/run.json`);
    const again = ["--out", "runs/paper1-quick-0"];
    assertRefused(await paper1([...SMALL, ...again], folder), /already holds a run/);
    const other = await paper1(["--resume", "runs/paper1-quick-0", "--hidden", "9"], folder);
    assertRefused(other, /has hidden 8/);
    assertEquals(await Deno.readTextFile(`${folder}/runs/paper1-quick-0/run.json`), before);

    const state = await bytes(folder, "paper1-quick-0", "state.safetensors");
    for (const name of ["state.safetensors", "state.previous.safetensors"]) {
      await Deno.writeFile(`${folder}/runs/paper1-quick-0/${name}`, state.subarray(0, 1000));
    }
    const cut = await paper1(["--resume", "runs/paper1-quick-0", "--steps", "25"], folder);
    assertRefused(cut, /no checkpoint/);
    assertStringIncludes(cut.stderr, "state.safetensors is not a usable");
  },
);

// the one test of quality: the default settings, about 20 s
processTest(
  "the default run's samples are as near to the data as other data is",
  async (folder) => {
    const { code, stderr } = await paper1(["--out", "runs/default"], folder);
    assertEquals(code, 0, stderr);
    const { results } = JSON.parse(await Deno.readTextFile(`${folder}/runs/default/run.json`));
    const { slicedWasserstein, slicedWassersteinOfData } = results;
    assert(slicedWassersteinOfData > 0);
    assertLess(slicedWasserstein, 1.5 * slicedWassersteinOfData);
  },
);

processTest("the same seed gives the same bytes on WebGPU", async (folder) => {
  const args = [...TINY, "--backend", "webgpu", "--steps", "5"];
  for (let i = 0; i < 2; i++) {
    const { code, stderr } = await paper1(args, folder);
    assertEquals(code, 0, stderr);
  }
  await assertSameRuns(folder, ["paper1-quick-0-2", "paper1-quick-0"], REPEATABLE);
}, !hasAdapter);

processTest("a resumed run ends as one that was never stopped", async (folder) => {
  const settings = [...TINY, "--backend", "wasm", "--decay", "none"];
  assertEquals((await paper1([...settings, "--steps", "20"], folder)).code, 0);
  const half = [...settings, "--steps", "9", "--out", "runs/half"];
  assertEquals((await paper1(half, folder)).code, 0);
  const { code, stderr } = await paper1(["--resume", "runs/half", "--steps", "20"], folder);
  assertEquals(code, 0, stderr);
  await assertSameRuns(folder, ["half", "paper1-quick-0"], REPEATABLE);
});

processTest("--from repeats a run from its run.json", async (folder) => {
  assertEquals((await paper1([...SMALL, "--seed", "5", "--data", "moons"], folder)).code, 0);
  const args = ["--from", "runs/paper1-quick-5/run.json", "--out", "runs/again"];
  const { code, stderr } = await paper1(args, folder);
  assertEquals(code, 0, stderr);
  await assertSameRuns(folder, ["again", "paper1-quick-5"], REPEATABLE);
});

processTest("mistakes get one line and exit code 2, and nothing is written", async (folder) => {
  await Deno.mkdir(`${folder}/runs`);
  await Deno.writeTextFile(`${folder}/runs/text.csv`, "x,y\n1,2\nthree,4\n");
  await Deno.writeTextFile(`${folder}/runs/one.csv`, "1\n2\n");
  await Deno.writeTextFile(`${folder}/runs/nan.csv`, "1,2\nNaN,4\n");
  await Deno.writeTextFile(`${folder}/runs/none.csv`, "x,y\n");
  await Deno.writeTextFile(`${folder}/runs/bad.json`, "{");
  const mistakes: [string[], RegExp][] = [
    [["--stps", "5"], /did you mean --steps\?/],
    [["--steps", "-1"], /does not take '-1'/],
    [["--steps", "abc"], /does not take 'abc'/],
    [["--steps"], /has no value/],
    [["--timesteps", "1"], /2 to 1000/],
    [["--hidden", "0"], /does not take '0'/],
    [["--backend", "gpu"], /auto, webgpu, wasm, cpu/],
    [["--data", "spiral"], /swiss-roll, moons, circles/],
    [["--data", "runs/text.csv"], /runs\/text\.csv/],
    [["--data", "runs/one.csv"], /runs\/one\.csv/],
    [["--data", "runs/nan.csv"], /runs\/nan\.csv/],
    [["--data", "runs/none.csv"], /runs\/none\.csv/],
    [["--data", "runs/missing.csv"], /runs\/missing\.csv/],
    [["--data", "elsewhere.csv"], /--allow-read/],
    [["--from", "runs/bad.json"], /runs\/bad\.json/],
    [["--resume", "runs/nowhere"], /runs\/nowhere\/run\.json/],
    [["5"], /'5' is not expected/],
  ];
  for (const [args, expected] of mistakes) {
    assertRefused(await paper1(args, folder), expected);
  }
  const left = [...Deno.readDirSync(`${folder}/runs`)].filter(({ isDirectory }) => isDirectory);
  assertEquals(left, []);
});

processTest(
  "a folder that cannot be written to is an error of input and output",
  async (folder) => {
    await Deno.writeTextFile(`${folder}/runs`, "a file where the folder should be");
    assertRefused(await paper1(SMALL, folder), /runs/, 1);
  },
);

processTest("--help explains every flag and writes nothing", async (folder) => {
  const { code, stdout } = await paper1(["--help"], folder);
  assertEquals(code, 0);
  for (
    const flag of ["--data", "--steps", "--seed", "--backend", "--resume", "--from", "--preset"]
  ) {
    assertStringIncludes(stdout, flag);
  }
  assertEquals([...Deno.readDirSync(folder)], []);
});

processTest("Ctrl-C saves, says how to resume, and resuming works", async (folder) => {
  const args = [...TINY, "--backend", "wasm", "--steps", "100000"];
  const process = scriptCommand("paper_1_partb.ts", args, folder).spawn();
  let said = "";
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  for (let stopped = false;;) {
    const { value, done } = await reader.read();
    if (done) break;
    said += value;
    if (!stopped && said.includes("training ")) { // it runs
      process.kill("SIGINT");
      stopped = true;
    }
  }
  await process.stdout.cancel();
  const { code } = await process.status;
  assertEquals(code, 130, said);
  const [, step] = /stopped after step (\d+) of 100000; go on with: (.*)/.exec(said)!;
  assertStringIncludes(said, "deno task paper1 --resume runs/paper1-quick-0");
  assert(Number(step) > 0);
  const steps = String(Number(step) + 2);
  const resume = ["--resume", "runs/paper1-quick-0", "--steps", steps];
  const resumed = await paper1(resume, folder);
  assertEquals(resumed.code, 0, resumed.stderr);
  const loss = await Deno.readTextFile(`${folder}/runs/paper1-quick-0/loss.csv`);
  assertEquals(loss.trim().split("\n").length, Number(steps) + 1);
});
