// What surrounds a training loop: the loss curve, checkpoints, going on, and a loss that is lost.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Backend, selectBackend } from "../common/backend.ts";
import { type Output, Progress } from "../common/run/progress.ts";
import { RunFolder } from "../common/run/folder.ts";
import { readLossCurve } from "../common/run/loss_curve.ts";
import { loadState } from "../common/run/state.ts";
import { followTraining, resumeTraining, type TrainingStep } from "../common/run/training.ts";
import { UserError } from "../common/user_error.ts";
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";

/** A loop whose weight counts the steps and whose loss is a function of the step. */
function* loop(
  weight: { value: number },
  last: number,
  lossAt: (step: number) => number,
): Generator<TrainingStep> {
  while (weight.value < last) {
    weight.value++;
    yield { step: weight.value, loss: tf.scalar(lossAt(weight.value)) };
  }
}

function folderTest(
  name: string,
  test: (path: string, backend: Backend) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (path) => {
        const backend = await selectBackend("cpu");
        await test(path, backend);
        backend.dispose();
      }),
  });
}

async function run(
  path: string,
  backend: Backend,
  last: number,
  lossAt = (step: number) => 1 / step,
  resume = false,
) {
  const settings = { seed: 0, preset: "quick", ...(resume ? { resume: path } : { out: path }) };
  const folder = await RunFolder.open({ command: { name: "test" }, settings, backend });
  try {
    const { tensors, losses } = resume ? await resumeTraining(folder) : { losses: [] };
    const weight = { value: tensors ? (await tensors.get("weight")!.data())[0] : 0 };
    tf.dispose([...tensors?.values() ?? []]);
    return await followTraining(loop(weight, last, lossAt), {
      folder,
      steps: last,
      losses,
      state: () => new Map([["weight", tf.scalar(weight.value)]]),
      checkpointEvery: 0, // after every step
      resumeCommand: "resume",
    });
  } finally {
    folder.close();
  }
}

folderTest("losses are recorded, and no tensor is left", async (path, backend) => {
  const before = tf.memory().numTensors;
  const { status, losses } = await run(`${path}/a`, backend, 5);
  assertEquals(status, "finished");
  assertEquals(losses.length, 5);
  assertEquals(
    await Deno.readTextFile(`${path}/a/loss.csv`),
    [
      "step,loss",
      ...[1, 1 / 2, 1 / 3, 1 / 4, 1 / 5].map((loss, i) => `${i + 1},${Math.fround(loss)}`),
      "",
    ].join("\n"),
  );
  assertEquals(tf.memory().numTensors, before);
});

folderTest(
  "what is drawn in between finds a checkpoint and a loss curve up to its step, if it asks for that",
  async (path, backend) => {
    for (const saves of [true, false]) {
      const settings = { seed: 0, preset: "quick", out: `${path}/${saves}` };
      const folder = await RunFolder.open({ command: { name: "test" }, settings, backend });
      const found: (number | undefined)[][] = [];
      await followTraining(loop({ value: 0 }, 3, () => 1), {
        ...{ folder, steps: 3, losses: [], resumeCommand: "resume" },
        state: () => new Map([["weight", tf.scalar(1)]]),
        checkpointEvery: 1000,
        meanwhile: {
          ...{ everySeconds: 0, saves },
          async run(step) {
            const state = await loadState(folder.path, () => {});
            const rows = await readLossCurve(folder.file("loss.csv")).catch(() => undefined);
            found.push([step, state?.step, rows?.length]);
          },
        },
      });
      folder.close();
      assertEquals(found[0], saves ? [1, 1, 1] : [1, undefined, undefined]);
    }
  },
);

folderTest(
  "a resumed run has the curve of one that was never stopped",
  async (path, backend) => {
    await run(`${path}/straight`, backend, 9);
    await run(`${path}/stopped`, backend, 4);
    await run(`${path}/stopped`, backend, 9, undefined, true);
    for (const name of ["loss.csv", "state.safetensors"]) {
      const straight = await Deno.readFile(`${path}/straight/${name}`);
      assertEquals(await Deno.readFile(`${path}/stopped/${name}`), straight);
    }
  },
);

folderTest(
  "a loss that is not finite ends the run; the last checkpoint stays",
  async (path, backend) => {
    for (const bad of [NaN, Infinity]) {
      const at = `${path}/${bad}`;
      const lossAt = (step: number) => step === 4 ? bad : 1;
      const error = await assertRejects(() => run(at, backend, 9, lossAt), UserError);
      assertEquals(error.exitCode, 1);
      assertStringIncludes(error.message, `the loss is ${bad} at step 4`);
      assertStringIncludes(error.message, "the checkpoint of step 3 is kept");
      assertStringIncludes(error.message, "--learning-rate");
      const rows = (await Deno.readTextFile(`${at}/loss.csv`)).trim().split("\n");
      assertEquals(rows.length, 1 + 3);
    }
  },
);

folderTest(
  "folders: the next free name, none twice, and one process each",
  async (path, backend) => {
    const here = Deno.cwd();
    Deno.chdir(path);
    try {
      const settings = { seed: 3, preset: "quick" };
      const open = (more = {}) =>
        RunFolder.open({ command: { name: "test" }, settings: { ...settings, ...more }, backend });
      const folders = [await open(), await open(), await open({ out: "elsewhere" })];
      assertEquals(folders.map((folder) => folder.path), [
        "runs/test-quick-3",
        "runs/test-quick-3-2",
        "elsewhere",
      ]);
      const record = JSON.parse(await Deno.readTextFile("runs/test-quick-3/run.json"));
      assertEquals(record.settings, settings);
      assertEquals(record.status, "running");
      // the first process is still in there
      const held = await assertRejects(() => open({ resume: "runs/test-quick-3" }), UserError);
      assertStringIncludes(held.message, "another process is working in runs/test-quick-3");
      for (const folder of folders) folder.close();
      (await open({ resume: "runs/test-quick-3" })).close();
      const before = await Deno.readTextFile("elsewhere/run.json");
      const taken = await assertRejects(() => open({ out: "elsewhere" }), UserError);
      assertStringIncludes(taken.message, "already holds a run");
      assertEquals(await Deno.readTextFile("elsewhere/run.json"), before);
      await Deno.writeTextFile("file", "");
      const error = await assertRejects(() => open({ out: "file/run" }), UserError);
      assertEquals(error.exitCode, 1);
    } finally {
      Deno.chdir(here);
    }
  },
);

folderTest("a process that is killed does not leave its folder locked", async (path, backend) => {
  const holder = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `--config=${root}deno.json`,
      `import { RunFolder } from "${root}common/run/folder.ts";
       await RunFolder.open({ command: { name: "test" }, settings: { seed: 0, preset: "q", out: "${path}/a" },
         backend: { name: "cpu", workers: 1 } });
       console.log("open");
       setTimeout(() => {}, 60_000);`,
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read();
  const settings = { seed: 0, preset: "q", resume: `${path}/a` };
  const open = () => RunFolder.open({ command: { name: "test" }, settings, backend });
  await assertRejects(open, UserError, "another process");
  holder.kill("SIGKILL");
  await holder.status;
  await reader.cancel();
  (await open()).close();
});

Deno.test("progress is redrawn in a terminal and printed in lines elsewhere", () => {
  for (const terminal of [true, false]) {
    let shown = "";
    const output: Output = {
      isTerminal: () => terminal,
      columns: () => 60,
      write: (text) => shown += text,
    };
    const progress = new Progress({ label: "training", total: 4, unit: "images", output });
    progress.update(1, "loss 0.5");
    progress.update(2, "loss 0.4"); // too soon to be shown
    progress.finish();
    assertStringIncludes(shown, "1/4  loss 0.5");
    assertEquals(shown.includes("\r"), terminal);
    if (terminal) {
      for (const line of shown.split(/[\r\n]/)) assert(line.replace("\x1b[K", "").length < 60);
    }
  }
});
