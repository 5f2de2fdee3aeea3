// Which backend is chosen: the faster of those that compute the right numbers.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { BackendName } from "../common/backend.ts";
import { CHECKED_KERNELS, checkOperations } from "../common/engine/operation_check.ts";
import { chooseBackend, type Rehearsal } from "../common/run/backend_choice.ts";
import { tryTraining } from "../common/run/trial.ts";
import { UserError } from "../common/user_error.ts";
import { startTraining, train } from "../paper_1_partb.ts";
import { readSettings } from "../common/run/settings.ts";
import { paper1 } from "../common/run/point_settings.ts";
import { mayRunCommands } from "./commands.ts";
import { NAME, useStandInGpu } from "./stand_in_gpu.ts";

const ignore = !(await navigator.gpu?.requestAdapter());
if (!ignore) useStandInGpu();

/** A test with a GPU in it, which is llvmpipe where there is none. */
function onMachineWithGpu(name: string, fn: () => Promise<void>, mayRun = true): void {
  const ignored = ignore || !mayRun;
  Deno.test({ name, ignore: ignored, fn, sanitizeOps: false, sanitizeResources: false });
}

/** Steps that take what is given for each backend, and whose numbers differ as given on WebGPU. */
function steps(
  seconds: { webgpu: number; wasm: number },
  off: { loss?: number; norm?: number } = {},
): Rehearsal & { measured: string[] } {
  const measured: string[] = [];
  const onGpu = () => tf.getBackend() === "webgpu";
  return {
    measured,
    numbers: () =>
      Promise.resolve({
        loss: 0.5 * (1 + (onGpu() ? off.loss ?? 0 : 0)),
        gradientNorms: [3, 0.2 * (1 + (onGpu() ? off.norm ?? 0 : 0)), 1e-9 * (onGpu() ? 1 : 2)],
        stepSeconds: NaN,
      }),
    stepSeconds: () => {
      measured.push(tf.getBackend());
      return Promise.resolve(seconds[tf.getBackend() as "webgpu" | "wasm"]);
    },
  };
}

async function choose(backend: BackendName, rehearsal: Rehearsal) {
  const chosen = await chooseBackend({ backend, workers: 2 }, rehearsal);
  chosen.dispose();
  assertEquals(tf.getBackend(), chosen.name);
  return chosen;
}

onMachineWithGpu("auto takes the faster one, says both times, and keeps them", async () => {
  const fast = await choose("auto", steps({ webgpu: 0.01, wasm: 0.2 }));
  assertEquals([fast.name, fast.measured], ["webgpu", { webgpu: 0.01, wasm: 0.2 }]);
  assertMatch(fast.reason, /^WebGPU on Stand-in GPU: .*step takes 10\.0 ms, with WASM .* 200 ms$/);
  const slow = await choose("auto", steps({ webgpu: 1.5, wasm: 0.2 }));
  assertEquals([slow.name, slow.measured], ["wasm", { webgpu: 1.5, wasm: 0.2 }]);
  assertMatch(slow.reason, /^WASM with 2 threads: .*takes 200 ms, on Stand-in GPU 1\.50 s$/);
});

onMachineWithGpu(
  "numbers that are 1 % off are not trained with; rounding is let pass",
  async () => {
    const times = { webgpu: 0.01, wasm: 0.2 };
    for (const off of [{ loss: 0.01 }, { norm: -0.01 }, { loss: NaN }]) {
      const chosen = await choose("auto", steps(times, off));
      assertEquals([chosen.name, chosen.measured], ["wasm", undefined]);
      assertMatch(chosen.reason, /^WASM with 2 threads: Stand-in GPU computes wrong numbers: /);
      const asked = () => choose("webgpu", steps(times, off));
      const error = await assertRejects(asked, UserError, "use --backend wasm");
      assertEquals((error as UserError).exitCode, 1);
      assertMatch(error.message, /every operation of this project's own is right/);
    }
    assertEquals((await choose("auto", steps(times, { loss: 1e-4, norm: 1e-4 }))).name, "webgpu");
  },
);

onMachineWithGpu("what is asked for is not measured", async () => {
  for (const name of ["webgpu", "wasm", "cpu"] as const) {
    const rehearsal = steps({ webgpu: 1, wasm: 1 });
    assertEquals((await choose(name, rehearsal)).name, name);
    assertEquals(rehearsal.measured, []);
  }
});

onMachineWithGpu("a run that goes on or is repeated computes as before", async () => {
  const from = await Deno.makeTempFile({ suffix: ".json" });
  for (const name of ["wasm", "webgpu"] as const) {
    const record = { script: "paper1", settings: {}, backend: { name, workers: 2 } };
    await Deno.writeTextFile(from, JSON.stringify(record));
    const rehearsal = steps({ webgpu: 1, wasm: 1 });
    const chosen = await chooseBackend({ backend: "auto", workers: 2, from }, rehearsal);
    chosen.dispose();
    assertEquals([chosen.name, rehearsal.measured], [name, []]);
  }
  await Deno.remove(from);
}, mayRunCommands);

onMachineWithGpu("paper 1's own step has the same numbers on WASM and WebGPU", async () => {
  const small = ["--hidden", "8", "--timesteps", "5", "--batch", "8"];
  const { settings } = (await readSettings(paper1, small))!;
  const script = { start: startTraining, network: ({ model }: Started) => model, train };
  const numbers = () => tryTraining(script, settings, { seconds: 0 });
  const before = tf.memory().numTensors;
  const rehearsal = { numbers, stepSeconds: () => Promise.resolve(1) };
  assertEquals((await choose("webgpu", rehearsal)).adapter, NAME);
  const { loss, gradientNorms } = await numbers();
  assert(loss > 0 && gradientNorms.length > 3 && gradientNorms.every((norm) => norm > 0));
  assertEquals(tf.memory().numTensors, before);
});

type Started = Awaited<ReturnType<typeof startTraining>>;

Deno.test("every operation of the project is checked, and right on plain JavaScript", async () => {
  await tf.setBackend("cpu");
  const own = tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName)
    .filter((name) => name.startsWith("Diffusion"));
  assertEquals([...CHECKED_KERNELS].toSorted(), own.toSorted());
  const errors = await Array.fromAsync(checkOperations());
  assertEquals(errors.map(({ error }) => error), errors.map(() => 0));
});
