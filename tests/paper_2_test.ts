import { assert, assertEquals, assertMatch } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { Adam } from "../common/network/adam.ts";
import { readSafetensors, writeSafetensors } from "../common/checkpoint.ts";
import type { ImageSet } from "../common/data/images/image_set.ts";
import { loadImages } from "../common/data/images/load.ts";
import { createModel, type ImageModel } from "../common/network/image_model.ts";
import {
  ddimStep,
  endOfChain,
  everyTimestep,
  fewerTimesteps,
  pSample,
  reverseProcess,
} from "../common/reverse_process.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { loadModel, modelOptions } from "../common/run/model_settings.ts";
import { readSettings } from "../common/run/settings.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { algorithm1, algorithm2, command, ddim } from "../paper_2.ts";
import { on } from "./backends.ts";
import {
  assertRefused,
  contentsOf,
  inTemporaryFolder,
  mayRunCommands,
  runScript,
} from "./commands.ts";
import { stirred } from "./weights.ts";

const hasAdapter = await navigator.gpu?.requestAdapter() != null;

function smallModel(size: number, timesteps: number): ImageModel {
  return createModel({
    ...{ size, inChannels: 1, channels: 16, channelMults: [1, 2], attentionLevels: [1], groups: 8 },
    ...{ dropout: 0, timesteps, schedule: "linear", seed: 1 },
  });
}

function stirredModel(size: number, timesteps: number): ImageModel {
  const model = smallModel(size, timesteps);
  model.network.load(stirred(model.network.stateDict()));
  return model;
}

/** Eight digits, one of each of the classes 0 to 7. */
async function eightDigits(size: number): Promise<ImageSet> {
  const all = await loadImages({ dataset: "mnist", size, split: "train" });
  const length = size * size;
  const pixels = new Uint8Array(8 * length);
  for (let digit = 0; digit < 8; digit++) {
    const n = all.labels!.indexOf(digit);
    pixels.set(all.pixels.subarray(n * length, (n + 1) * length), digit * length);
  }
  return { ...all, count: 8, pixels, labels: undefined };
}

const settings = {
  steps: 150,
  snrGamma: 0,
  batch: 16,
  learningRate: 2e-3,
  decay: "none" as const,
  warmUp: 20,
  seed: 1,
};

Deno.test("eight digits are learned by heart: the loss falls under 0.1 of its start", async () => {
  await on("wasm", async () => {
    const model = smallModel(16, 1000);
    const adam = new Adam(model.network.parameters, { clipNorm: 1 });
    const images = await eightDigits(16);
    const losses: number[] = [];
    for (const { loss } of algorithm1({ model, adam, images, settings })) {
      losses.push((await loss.data())[0]);
      loss.dispose();
    }
    const last = losses.slice(-40).reduce((sum, loss) => sum + loss, 0) / 40;
    assert(last < 0.1 * losses[0], `from ${losses[0]} to ${last}`);
  });
});

Deno.test("a training step leaves no tensors behind", async () => {
  await on("wasm", async () => {
    const model = smallModel(8, 100);
    const adam = new Adam(model.network.parameters);
    const images = await eightDigits(8);
    const counts: number[] = [];
    const few = { ...settings, steps: 12, batch: 2 };
    for (const { loss } of algorithm1({ model, adam, images, settings: few })) {
      loss.dispose();
      counts.push(tf.memory().numTensors);
    }
    assertEquals(counts.length, 12);
    assertEquals(new Set(counts.slice(1)).size, 1);
  });
});

Deno.test("training resumed at the optimizer's step has the same numbers", async () => {
  await on("wasm", async () => {
    const images = await eightDigits(8);
    const lossesOf = async (stops: number[]) => {
      const model = smallModel(8, 100);
      const adam = new Adam(model.network.parameters);
      const losses: [number, number][] = [];
      for (const steps of stops) {
        const part = { ...settings, steps, batch: 2 };
        for (const { step, loss } of algorithm1({ model, adam, images, settings: part })) {
          losses.push([step, (await loss.data())[0]]);
        }
      }
      return losses;
    };
    assertEquals(await lossesOf([2, 5]), await lossesOf([5]));
  });
});

const shape: [number, number, number, number] = [2, 8, 8, 1];

Deno.test("Algorithm 2 is DDIM with eta = 1 on all T steps", async () => {
  await on("wasm", async () => {
    const model = stirredModel(8, 30);
    const start = { shape, seed: 3, name: "test" };
    const ddpm = await endOfChain(algorithm2(model, start));
    const same = await endOfChain(ddim(model, { ...start, sampleSteps: 30, eta: 1 }));
    const difference = (await tf.max(tf.abs(tf.sub(ddpm, same))).data())[0];
    assert(difference < 1e-3, `they differ by ${difference}`);
  });
});

Deno.test("the steps written out in the script are those of common/reverse_process.ts, bit for bit", async () => {
  await on("wasm", async () => {
    const model = stirredModel(8, 30);
    const start = { shape, seed: 3, name: "test" };
    const noise = (name: string, step?: number) =>
      gaussianNoise<tf.Rank.R4>({ seed: 3, stream: `${name} test`, step }, shape);
    const zAt = (t: number) => t > 1 ? noise("z", t) : tf.zeros<tf.Rank.R4>(shape);
    const numbers = async (chain: ReturnType<typeof reverseProcess>) =>
      await (await endOfChain(chain)).data();
    assertEquals(
      await numbers(algorithm2(model, start)),
      await numbers(
        reverseProcess(
          noise("xT"),
          everyTimestep(30),
          (xt, t) => pSample(model, { xt, t, z: zAt(t) }),
        ),
      ),
    );
    for (const eta of [0, 0.5, 1]) {
      assertEquals(
        await numbers(ddim(model, { ...start, sampleSteps: 7, eta })),
        await numbers(
          reverseProcess(
            noise("xT"),
            fewerTimesteps(30, 7),
            (xt, t, tNext) => ddimStep(model, { xt, t, tNext, eta, z: noise("z", t) }),
          ),
        ),
      );
    }
  });
});

Deno.test("samples are a function of the seed; the first of many are those of few", async () => {
  await on("wasm", async () => {
    const model = stirredModel(8, 30);
    const draw = async (seed: number, B: number) =>
      await (await endOfChain(algorithm2(model, { shape: [B, 8, 8, 1], seed, name: "a" }))).data();
    const four = await draw(3, 4);
    assertEquals(await draw(3, 4), four);
    assert(String(await draw(4, 4)) !== String(four));
    for (const [i, value] of (await draw(3, 2)).entries()) {
      assert(Math.abs(value - four[i]) < 1e-4, `pixel ${i}`);
    }
  });
});

const tiny = ["--size", "8", "--channels", "8", "--channel-mults", "1,2", "--batch", "4"];

for (const backend of ["wasm", "webgpu"]) {
  Deno.test({
    name: `paper_2.ts trains, draws and leaves its files on ${backend}`,
    ignore: !mayRunCommands || (backend === "webgpu" && !hasAdapter),
    fn: () =>
      inTemporaryFolder(async (folder) => {
        const out = `${folder}/runs/test`;
        // a single sample is not measured, so that webgpu need not train the classifier
        const samples = backend === "wasm" ? "5" : "1";
        const flags = [
          ...[...tiny, "--backend", backend, "--steps", "3", "--sample-steps", "4"],
          ...["--classifier-steps", "20"],
        ];
        const run = await runScript(
          "paper_2.ts",
          [...flags, "--samples", samples, "--out", "runs/test"],
          folder,
        );
        assertEquals(run.code, 0, run.stderr);
        assertMatch(run.stdout, /trained in .* to a loss of \d/);
        if (backend === "wasm") {
          assertMatch(run.stdout, /taken for a digit/);
          assertMatch(run.stderr, /classifier █+ 20\/20/);
        }
        for (const name of ["samples", "chain", "loss"]) {
          assert((await Deno.stat(`${out}/paper2_${name}.png`)).size > 100, name);
        }
        assertEquals((await Deno.readTextFile(`${out}/loss.csv`)).trim().split("\n").length, 4);

        const draw = ["--sample-only", "--resume", "runs/test", "--samples", "3", "--eta", "0"];
        const before = await contentsOf(out);
        const drawn = await runScript("paper_2.ts", [...draw, "--backend", backend], folder);
        assertEquals(drawn.code, 0, drawn.stderr);
        assertEquals(await contentsOf(out), before, "the run itself is left alone");
        await on("cpu", async () => {
          const tensors = await readSafetensors(`${out}-samples/samples.safetensors`);
          assertEquals(tensors.get("samples")!.shape, [3, 8, 8, 1]);
          assertEquals((await loadModel(out)).size, 8);
        });
      }),
  });
}

Deno.test({
  name: "settings that do not go together are refused in one line",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const cases: [string[], RegExp][] = [
        [["--sample-only", "--compare-samplers"], /give one of them/],
        [["--sampler", "ddpm", "--eta", "1"], /--eta 1 goes with --sampler ddim/],
        [["--timesteps", "40"], /--sample-steps 50.*1 to 40/],
        [["--size", "18", "--channel-mults", "1,2,2"], /divide by 4/],
        [["--channels", "20"], /--channels 20 with --groups 8/],
        [["--attention-levels", "3"], /levels 0 to 2/],
        [["--dataset", "cifar10"], /--data-dir/],
        [["--sample-only", "--resume", "runs/none"], /runs\/none\/run.json/],
      ];
      for (const [args, message] of cases) {
        const ended = await runScript("paper_2.ts", ["--backend", "cpu", ...args], folder);
        assertRefused(ended, message);
      }
    }),
});

Deno.test({
  name: "a model without attention is loaded, and one of the time when its middle had some",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder((folder) =>
      on("cpu", async () => {
        const args = ["--size", "4", "--channels", "8", "--channel-mults", "1"];
        const { settings } = parseCommandLine(command, [...args, "--attention-levels", "none"]);
        const record = JSON.stringify({ script: "paper2", settings });
        await Deno.writeTextFile(`${folder}/run.json`, record);
        for (const middleAttention of [false, true]) {
          const { network } = createModel({ ...modelOptions(settings, 1), middleAttention });
          await writeSafetensors(`${folder}/model.safetensors`, network.stateDict());
          const loaded = (await loadModel(folder)).network;
          assertEquals([...loaded.parameters.keys()], [...network.parameters.keys()]);
          assertEquals(loaded.parameters.has("middle.1.Q.W"), middleAttention);
        }
      })
    ),
});

Deno.test({
  name: "a run from before the loss had weights goes on and is repeated without them",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const { settings } = parseCommandLine(command, ["--snr-gamma", "5"]);
      const { snrGamma, ...before } = settings;
      for (const [recorded, expected] of [[settings, snrGamma], [before, 0]]) {
        const record = JSON.stringify({ script: "paper2", settings: recorded });
        await Deno.writeTextFile(`${folder}/run.json`, record);
        for (const earlier of [["--resume", folder], ["--from", `${folder}/run.json`]]) {
          assertEquals((await readSettings(command, earlier))!.settings.snrGamma, expected);
        }
      }
    }),
});
