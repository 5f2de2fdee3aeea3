// `deno task verify`: a run is computed again, and a loss that was changed is found.
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  type Ended,
  inTemporaryFolder,
  mayRunCommands,
  runScript,
} from "./commands.ts";
import { shortRuns } from "./short_runs.ts";

const hasAdapter = await navigator.gpu?.requestAdapter() != null;
const RUNS = {
  paper1: ["--hidden", "8", "--timesteps", "8"],
  paper4: ["--hidden", "8", "--batch", "16", "--pairs", "20", "--pair-steps", "2"],
  paper2: [
    ...["--size", "8", "--channels", "8", "--channel-mults", "1", "--groups", "2"],
    ...["--attention-levels", "none", "--batch", "4", "--samples", "1", "--sample-steps", "2"],
  ],
};
type Paper = keyof typeof RUNS;

/** A run of six steps in runs/x. */
function train(paper: Paper, folder: string): Promise<void> {
  return shortRuns[paper]([...RUNS[paper], "--steps", "6", "--out", `${folder}/runs/x`]);
}

function verify(args: string[], folder: string): Promise<Ended> {
  return runScript("tests/verify.ts", ["runs/x", ...args], folder);
}

for (const paper of Object.keys(RUNS) as Paper[]) {
  Deno.test({
    name: `verify computes the first steps of ${paper} again and compares them`,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        await train(paper, folder);
        const same = await verify(["--steps", "4"], folder);
        assertEquals(same.code, 0, same.stderr);
        assertStringIncludes(same.stdout, "runs/x: reproduced: the losses of the first 4 steps");
        assertStringIncludes((await verify([], folder)).stdout, "the first 6 steps");

        const path = `${folder}/runs/x/loss.csv`;
        const curve = await Deno.readTextFile(path);
        const digit = /^3,.*(\d)$/m.exec(curve)!;
        const at = digit.index + digit[0].length - 1;
        const changed = curve.slice(0, at) + (Number(digit[1]) + 1) % 10 + curve.slice(at + 1);
        await Deno.writeTextFile(path, changed);
        const other = await verify([], folder);
        assertEquals(other.code, 1);
        assertStringIncludes(other.stdout, "not reproduced: step 3 first differs");

        await Deno.writeTextFile(path, "step,loss\n");
        const empty = await verify([], folder);
        assertRefused(empty, /loss\.csv is not the loss curve of a run/);
      }),
  });
}

Deno.test({
  name:
    "verify compares what another machine has gone on with by distance, what was before to the bit",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await train("paper1", folder);
      const path = `${folder}/runs/x/run.json`;
      const record = JSON.parse(await Deno.readTextFile(path));
      const [all] = record.stretches;
      const elsewhere = { ...all, fromStep: 5, backend: { name: "pytorch/train.py, 2 processes" } };
      record.stretches = [{ ...all, toStep: 4 }, elsewhere];
      await Deno.writeTextFile(path, JSON.stringify(record));
      const curve = await Deno.readTextFile(`${folder}/runs/x/loss.csv`);
      const withLoss = async (step: number, change: number) => {
        const of = (row: string, loss: string) => `${row}${Number(loss) * (1 + change)}`;
        const changed = curve.replace(new RegExp(`^(${step},)(.*)$`, "m"), (_, ...row) =>
          of(row[0], row[1]));
        await Deno.writeTextFile(`${folder}/runs/x/loss.csv`, changed);
        return await verify([], folder);
      };
      const rounded = await withLoss(5, 0.01);
      assertEquals(rounded.code, 0, rounded.stderr);
      assertStringIncludes(
        rounded.stdout,
        "reproduced: the losses of the first 4 steps are the same bits; from step 5 on they need not be, " +
          "as the run went on with pytorch/train.py, 2 processes: those up to step 6 are at most 9.9e-3 " +
          "of their value apart (step 5; the first: 9.9e-3)",
      );
      const changed = await withLoss(4, 0.01);
      assertEquals(changed.code, 1);
      assertStringIncludes(changed.stdout, "not reproduced: step 4 first differs");
    }),
});

Deno.test({
  name: "verify on another backend says how far apart the losses are",
  ignore: !mayRunCommands || !hasAdapter,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await train("paper1", folder);
      const { code, stdout } = await verify(["--backend", "webgpu"], folder);
      assertEquals(code, 0);
      const [, worst] = /computed with webgpu on .*: the losses.* at most (\S+) of/.exec(stdout)!;
      assertEquals(Number(worst) < 1e-3, true, stdout);
    }),
});

Deno.test({
  name: "verify without a run, or with a folder that holds none, says so",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const none = await runScript("tests/verify.ts", [], folder);
      assertRefused(none, /which run\? .* deno task verify runs\//);
      assertRefused(await verify([], folder), /runs\/x\/run\.json: there is no such file/);
    }),
});
