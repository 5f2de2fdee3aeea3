// `deno task paper4` as a whole: its files, its exit codes, its answers to mistakes, its repeatability.
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  assertSameRuns,
  type Ended,
  processTest,
  runScript,
  scriptCommand,
} from "./commands.ts";

const TINY = ["--hidden", "8", "--batch", "32", "--pairs", "100", "--pair-steps", "2"];
const SMALL = [...TINY, "--backend", "wasm", "--steps", "20"];

function paper4(args: string[], folder: string): Promise<Ended> {
  return runScript("paper_4.ts", args, folder);
}

const FIGURES = ["paths", "samples", "steps", "field", "loss"].map((name) => `paper4_${name}.png`);
const CLOUDS = ["samples.csv", "samples_two_steps.csv"];
const REPEATABLE = [...FIGURES, ...CLOUDS, "loss.csv", "model.safetensors"];

// the one test of quality: the default settings, under a minute on 2 cores with nothing else to do
processTest(
  "the default run needs few steps after a reflow, and keeps its bars",
  async (folder) => {
    const { code, stdout, stderr } = await paper4([], folder);
    assertEquals(code, 0, stderr);
    assertMatch(
      stdout,
      /sliced Wasserstein [^]*after one reflow: distance [^]*straightness S /,
    );
    const { results } = JSON.parse(
      await Deno.readTextFile(`${folder}/runs/paper4-quick-0/run.json`),
    );
    const { steps, distanceOfFlow, distanceByHeun, straightness, logLikelihood } = results;
    const at = (distances: number[], count: number) => distances[steps.indexOf(count)];
    assertLess(at(distanceOfFlow[1], 2), 1.5 * at(distanceOfFlow[1], 40));
    assertLess(at(distanceByHeun, 8), 2 * at(distanceByHeun, 40));
    assertLess(results.slicedWasserstein, 2.5 * results.slicedWassersteinOfData);
    assertLess(straightness[1], straightness[0] / 10);
    assert(logLikelihood[0] > results.nullModel + 2);
  },
);

processTest(
  "paper4 leaves its files, and --from the same bytes with any number of threads",
  async (folder) => {
    const from = ["--from", "runs/paper4-quick-0/run.json"]; // takes the next folder
    for (const args of [[...SMALL, "--workers", "1"], [...from, "--workers", "3"]]) {
      const { code, stderr } = await paper4(args, folder);
      assertEquals(code, 0, stderr);
    }
    await assertSameRuns(folder, ["paper4-quick-0", "paper4-quick-0-2"], REPEATABLE);
    for (const cloud of CLOUDS) {
      const rows = (await Deno.readTextFile(`${folder}/runs/paper4-quick-0/${cloud}`)).trim().split(
        "\n",
      );
      assertEquals([rows.length, rows[0]], [5001, "x,y"]);
    }
    const record = JSON.parse(await Deno.readTextFile(`${folder}/runs/paper4-quick-0/run.json`));
    assertEquals(record.status, "finished");
    assertEquals(record.results.distanceOfFlow.length, 3);
    const page = await Deno.readTextFile(`${folder}/runs/paper4-quick-0/report.html`);
    assert(page.length > 1000);
    // the page says when the run ended, and not when its record was written before that
    const shown = Date.parse(/"updated":"([^"]+)"/.exec(page)![1]);
    const { mtime } = await Deno.stat(`${folder}/runs/paper4-quick-0/${CLOUDS[0]}`);
    assertLess(mtime!.getTime() - 20, shown);
  },
);

processTest(
  "Ctrl-C saves, and the resumed run ends as one that was never stopped",
  async (folder) => {
    const settings = [...TINY, "--backend", "wasm", "--steps", "2000", "--reflows", "1"];
    const child = scriptCommand("paper_4.ts", [...settings, "--out", "runs/stopped"], folder)
      .spawn();
    await Promise.all([stopLater(child, `${folder}/runs/stopped`), child.stdout.cancel()]);
    const { code, stderr } = await paper4(["--resume", "runs/stopped"], folder);
    assertEquals(code, 0, stderr);
    assertEquals((await paper4([...settings, "--out", "runs/whole"], folder)).code, 0);
    await assertSameRuns(folder, ["stopped", "whole"], REPEATABLE);
  },
);

/** Sends Ctrl-C once the training shows its progress. */
async function stopLater(child: Deno.ChildProcess, run: string): Promise<void> {
  let stderr = "";
  let sent = false;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    if (sent || !stderr.includes("training")) continue;
    sent = true;
    setTimeout(() => child.kill("SIGINT"), 200);
  }
  assertEquals((await child.status).code, 130, stderr);
  assertStringIncludes(stderr, `go on with: deno task paper4 --resume runs/stopped`);
  assertEquals(JSON.parse(await Deno.readTextFile(`${run}/run.json`)).status, "interrupted");
}

processTest("without a reflow there is one flow and no second cloud", async (folder) => {
  const { code, stderr } = await paper4([...SMALL, "--reflows", "0", "--solver", "heun"], folder);
  assertEquals(code, 0, stderr);
  const run = `${folder}/runs/paper4-quick-0`;
  const { results } = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
  assertEquals([results.distanceOfFlow.length, results.evaluations], [1, 80]);
  assert(![...Deno.readDirSync(run)].some(({ name }) => name === "samples_two_steps.csv"));
});

processTest("mistakes get one line and exit code 2, and nothing is written", async (folder) => {
  const runs = `${folder}/runs`;
  const record = (script: string, data: string) =>
    JSON.stringify({
      script,
      status: "finished",
      settings: { data, timesteps: 40 },
      results: { K: -1, slicedWasserstein: 0.1 },
    });
  for (const [name, script, data] of [["moons", "paper1", "moons"], ["other", "paper2", "mnist"]]) {
    await Deno.mkdir(`${runs}/${name}`, { recursive: true });
    await Deno.writeTextFile(`${runs}/${name}/run.json`, record(script, data));
  }
  const mistakes: [string[], RegExp][] = [
    [["--reflow", "1"], /did you mean --reflows\?/],
    [["--reflows", "-1"], /does not take '-1'/],
    [["--solver", "rk4"], /euler, heun, dormand-prince/],
    [["--sigma-min", "1"], /does not take '1'/],
    [["--data", "mnits"], /swiss-roll, moons, circles/],
    [
      ["--beside", "runs/moons"],
      /on moons, finished; expected a finished run of paper1 on swiss-roll/,
    ],
    [["--beside", "runs/other"], /a run of paper2/],
    [["--beside", "runs/none"], /runs\/none\/run\.json/],
    [["--resume", "runs/moons"], /a run of paper1; expected one of paper4/],
  ];
  for (const [args, expected] of mistakes) assertRefused(await paper4(args, folder), expected);
  assertEquals([...Deno.readDirSync(runs)].map(({ name }) => name).sort(), ["moons", "other"]);
});
