// A chain that leaves the finite numbers ends the run, which says so, and is never a finished one.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { selectBackend } from "../common/backend.ts";
import { pointData } from "../common/data/points/point_data.ts";
import { drawImages } from "../common/report/draw_images.ts";
import { reportPoints } from "../common/report/point_report.ts";
import { ddimStep, heldInRange, reverseProcess } from "../common/reverse_process.ts";
import { refuseNonFinite } from "../common/run/run_checks.ts";
import { inRunFolder } from "../common/run/training_run.ts";
import type { RunFolder } from "../common/run/folder.ts";
import { linearSchedule } from "../common/schedule.ts";
import { UserError } from "../common/user_error.ts";
import { ReverseModel } from "../paper_1_partb.ts";
import { on } from "./backends.ts";
import { inTemporaryFolder, mayRunCommands } from "./commands.ts";

Deno.test("what is no number stays none when an image is held in its range", async () => {
  for (const backend of ["cpu", "wasm"] as const) {
    await on(backend, async () => {
      const image = tf.tensor4d([NaN, Infinity, -Infinity, 2, -2, 0.25, -0], [1, 1, 7, 1]);
      const held = Array.from(await heldInRange(image).data());
      assertEquals(held, [NaN, NaN, NaN, 1, -1, 0.25, -0], backend);
    });
  }
});

Deno.test("a network whose noise is no number draws no black images", async () => {
  await on("wasm", async () => {
    for (const bad of [NaN, Infinity]) {
      const schedule = linearSchedule(10);
      const network = { forward: (xt: tf.Tensor4D) => tf.fill(xt.shape, bad) as tf.Tensor4D };
      const draw = () =>
        drawImages([1, 2, 2, 1], (shape) =>
          reverseProcess(
            tf.zeros(shape),
            [10, 5],
            (xt, t, tNext) => ddimStep({ network, schedule }, { xt, t, tNext, eta: 0 }),
          ), 2);
      const error = await assertRejects(draw, UserError, "the images are no finite numbers");
      assertEquals(error.exitCode, 1);
    }
  });
});

Deno.test("points that are no numbers are not reported on", async () => {
  await on("cpu", async () => {
    const schedule = linearSchedule(2);
    const run = {
      folder: undefined as unknown as RunFolder, // nothing is written
      data: await pointData("moons"),
      ...{ seed: 0, losses: [1], schedule },
      bound: { K: 0, nullModel: 0, klPerT: { t: [2], value: [0] } },
      forwardStep: (before: tf.Tensor2D) => before,
      reverse: () => [{ t: 2, xt: tf.tensor2d([[NaN, 0]]) }],
      mean: (xt: tf.Tensor2D) => xt,
    };
    const error = await assertRejects(() => reportPoints(run), UserError, "any more at t = 2");
    assertEquals(error.exitCode, 1);
  });
});

Deno.test("σ of paper 1 is bounded, whatever the network says", async () => {
  await on("cpu", async () => {
    for (const parametrization of ["residual", "direct"] as const) {
      const schedule = linearSchedule(4);
      const model = new ReverseModel({ hidden: 2, schedule, parametrization });
      const weights = model.stateDict();
      for (const sign of [-1, 1]) {
        const wild = [...weights].map(([name, w]): [string, tf.Tensor] => [
          name,
          name.includes("tail") && name.endsWith("2.bias") ? tf.fill(w.shape, sign * 1000) : w,
        ]);
        model.load(new Map(wild));
        const { std } = model.forward(tf.zeros([1, 2]), 3);
        const [sigma] = await std.data();
        assert(sigma > 1e-6 && sigma < 200, `${parametrization}: σ = ${sigma}`);
      }
    }
  });
});

Deno.test("results that are no numbers do not count as a finished run", () => {
  refuseNonFinite({ K: 1, perDigit: [0.5, 0.5], meanDistance: undefined });
  for (const results of [{ K: NaN }, { perDigit: [1, Infinity] }]) {
    try {
      refuseNonFinite(results);
    } catch (error) {
      assert(error instanceof UserError && error.exitCode === 1);
      continue;
    }
    throw new Error("no error");
  }
});

Deno.test({
  name: "a run that an error ends says failed, and a refused one is left as it was",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const backend = await selectBackend("cpu");
      const out = `${folder}/x`;
      const common = { command: { name: "test" }, backend };
      const settings = { seed: 0, preset: "quick", steps: 1 };
      const broken = () => Promise.reject(new RangeError("broken"));
      const open = (where: object) =>
        inRunFolder({ ...common, settings: { ...settings, ...where } }, broken);
      const status = async () => JSON.parse(await Deno.readTextFile(`${out}/run.json`)).status;
      await assertRejects(() => open({ out }), RangeError, "broken");
      assertEquals(await status(), "failed");
      const before = await Deno.readTextFile(`${out}/run.json`);
      await assertRejects(() => open({ resume: out }), RangeError, "broken");
      assertEquals(await Deno.readTextFile(`${out}/run.json`), before);
    }),
});
