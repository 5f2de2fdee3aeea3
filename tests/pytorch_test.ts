// Model files go to PyTorch and come from there, and compute the same on both sides.
import { assert } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "../common/backend.ts";
import { readSafetensors, writeSafetensors } from "../common/checkpoint.ts";
import { distanceToSpiral } from "../common/data/points/swiss_roll.ts";
import { sigmoidSchedule } from "../common/schedule.ts";
import { Flows } from "../common/network/flows.ts";
import { VelocityNetwork } from "../common/network/velocity_network.ts";
import { ReverseModel, sample } from "../paper_1_partb.ts";
import { UNet } from "../unet.ts";
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";
import { findPython } from "./python.ts";
import { stirred } from "./weights.ts";

const python = await findPython();
if (mayRunCommands && !python) {
  console.error("the PyTorch tests are skipped: no python3 with torch was found");
}

interface Sides {
  kind: "unet" | "reverse" | "flows";
  options: Record<string, unknown>;
  t: number[];
  /** The class of each image. */
  labels?: number[];
  x: tf.Tensor;
  model: { stateDict(): Map<string, tf.Tensor>; load(tensors: Map<string, tf.Tensor>): void };
  run: () => tf.Tensor;
}

/** Sends a model over and fetches another, and compares what both sides compute with each. */
async function roundTrip({ kind, options, t, labels, x, model, run }: Sides): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const file = (name: string) => `${folder}/${name}.safetensors`;
    const names = ["model", "input", "output", "own_model", "own_output"];
    const files = Object.fromEntries(names.map((name) => [name, file(name)]));
    const spec = { kind, options, t, labels, ...files };
    await Deno.writeTextFile(`${folder}/spec.json`, JSON.stringify(spec));

    model.load(stirred(model.stateDict()));
    await writeSafetensors(file("model"), model.stateDict());
    await writeSafetensors(file("input"), new Map([["x", x]]));
    const { success, stderr } = await new Deno.Command(python!, {
      args: [`${root}tests/round_trip.py`, `${folder}/spec.json`],
    }).output();
    assert(success, new TextDecoder().decode(stderr));

    await assertSame(run(), (await readSafetensors(file("output"))).get("y")!);
    model.load(await readSafetensors(file("own_model")));
    await assertSame(run(), (await readSafetensors(file("own_output"))).get("y")!);
  });
}

/** Equal to 1e-4 of the largest value. */
async function assertSame(here: tf.Tensor, there: tf.Tensor): Promise<void> {
  const [scale] = await tf.max(tf.abs(there)).data();
  const [apart] = await tf.max(tf.abs(tf.sub(here, there))).data();
  assert(scale > 1e-3, `an output of ${scale} says nothing`);
  assert(apart <= 1e-4 * scale, `${apart} apart, of ${scale}`);
}

function pytorchTest(name: string, sides: () => Sides | Promise<void>): void {
  Deno.test({
    name,
    ignore: !python,
    fn: async () => {
      const backend = await selectBackend("wasm");
      tf.engine().startScope();
      try {
        const work = sides();
        await (work instanceof Promise ? work : roundTrip(work));
      } finally {
        tf.engine().endScope();
        backend.dispose();
      }
    },
  });
}

const UNETS = [
  { channels: 16, inChannels: 1, channelMults: [1, 2, 4], attentionLevels: [1], groups: 8 },
  { channels: 8, inChannels: 1, channelMults: [1, 2], attentionLevels: [], groups: 8 },
  { channels: 32, inChannels: 3, channelMults: [1, 2, 2, 2], attentionLevels: [1], groups: 32 },
];

for (const options of UNETS) {
  const { channels, inChannels, channelMults, attentionLevels, groups } = options;
  pytorchTest(`a UNet of ${channels} channels goes to PyTorch and back`, () => {
    const model = new UNet({ ...options, seed: 3 });
    const x = tf.reshape(tf.sin(tf.range(0, 2 * 256 * inChannels)), [2, 16, 16, inChannels]);
    return {
      kind: "unet",
      options: {
        ch: channels,
        in_channels: inChannels,
        mults: channelMults,
        attention: attentionLevels,
        groups,
      },
      t: [7, 900],
      x,
      model,
      run: () => model.forward(x as tf.Tensor4D, tf.tensor1d([7, 900])),
    };
  });
}

for (const labels of [[0, 3], undefined]) { // class 0 and none; none at all
  pytorchTest(`a UNet of 3 classes goes to PyTorch and back, ${labels ?? "without labels"}`, () => {
    const shape = { channelMults: [1, 2], attentionLevels: [1], groups: 4 };
    const model = new UNet({ ...shape, channels: 8, inChannels: 1, classes: 3, seed: 3 });
    const x = tf.reshape(tf.sin(tf.range(0, 2 * 64)), [2, 8, 8, 1]);
    return {
      kind: "unet",
      options: { ch: 8, mults: [1, 2], attention: [1], groups: 4, classes: 3 },
      t: [7, 900],
      labels,
      x,
      model,
      run: () => model.forward(x as tf.Tensor4D, tf.tensor1d([7, 900]), { labels }),
    };
  });
}

pytorchTest("paper 1's model goes to PyTorch and back", () => {
  const schedule = sigmoidSchedule(8);
  const model = new ReverseModel({ hidden: 16, schedule, parametrization: "direct" });
  const x = tf.reshape(tf.sin(tf.range(0, 20)), [10, 2]) as tf.Tensor2D;
  const t = [2, 5, 8];
  const outputs = (time: number) => {
    const { mean, std } = model.forward(x, time); // "direct": the outputs are μ and log σ²
    return tf.concat([mean, tf.mul(2, tf.log(std))], 1);
  };
  return {
    kind: "reverse",
    options: { hidden: 16, timesteps: 8 },
    t,
    x,
    model,
    run: () => tf.stack(t.map(outputs)),
  };
});

pytorchTest("paper 4's flows go to PyTorch and back", () => {
  const model = new Flows(() => new VelocityNetwork({ hidden: 16, seed: 3 }));
  model.finish(); // two of them
  const x = tf.reshape(tf.sin(tf.range(0, 20)), [10, 2]) as tf.Tensor2D;
  const t = [0, 0.3, 1];
  return {
    kind: "flows",
    options: { hidden: 16, flows: 2 },
    t,
    x,
    model,
    run: () => tf.stack(t.map((time) => model.current.forward(x, time))),
  };
});

// scikit-learn's roll is (x, y, z) = (t·cos t, 21·u, t·sin t), and the original takes (z, x)
pytorchTest("a model of the Python original draws the spiral with its axes swapped", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = `${folder}/model.safetensors`;
    const { success, stderr } = await new Deno.Command(python!, {
      args: [`${root}tests/original.py`, path],
      env: { OMP_NUM_THREADS: "1" },
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const schedule = sigmoidSchedule(40);
    const model = new ReverseModel({ hidden: 32, schedule, parametrization: "direct" });
    model.load(await readSafetensors(path));
    for (const { t, xt } of sample(model, schedule, { count: 500, seed: 0 })) {
      if (t > 0) continue;
      const points = await xt.data() as Float32Array;
      const swapped = points.map((_, i) => points[i ^ 1]); // x, y of each point in turn
      const mean = (of: Float32Array) => distanceToSpiral(of).reduce((a, b) => a + b) / of.length;
      const [asDrawn, theOtherWay] = [mean(points), mean(swapped)];
      assert(theOtherWay < asDrawn / 2, `${theOtherWay} and ${asDrawn}`);
    }
  });
});
