import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { UserError } from "../common/user_error.ts";
import { timestepEmbedding, UNet, type UNetOptions } from "../unet.ts";
import { on } from "./backends.ts";
import { formula } from "./weights.ts";
import reference from "./fixtures/unet_ch32_mnist.json" with { type: "json" };
import embeddings from "./fixtures/timestep_embedding.json" with { type: "json" };

const hasAdapter = await navigator.gpu?.requestAdapter() != null;

function images(ordinal: number): tf.Tensor4D {
  const { batch, in_channels, size } = reference;
  const nchw = formula([batch, in_channels, size, size], ordinal) as tf.Tensor4D;
  return tf.transpose(nchw, [0, 2, 3, 1]);
}

function referenceWeights(): Map<string, tf.Tensor> {
  return new Map(
    reference.parameters.map(({ name, shape, ordinal, scale }) => [
      name,
      formula(shape, ordinal, scale),
    ]),
  );
}

async function agreesWithReference(): Promise<void> {
  const unet = new UNet({ channels: reference.ch, inChannels: reference.in_channels });
  unet.load(referenceWeights());
  const xt = images(reference.input_ordinal);
  const target = images(reference.target_ordinal);
  const t = tf.tensor1d(reference.timesteps);

  const output = tf.transpose(unet.forward(xt, t), [0, 3, 1, 2]);
  assertEquals(output.shape, reference.output_shape_nchw);
  for (const [i, value] of (await output.data()).entries()) {
    assertAlmostEquals(value, reference.output_nchw[i], 1e-4, `output ${i}`);
  }

  const variables = [...unet.parameters.values()];
  const { value, grads } = tf.variableGrads(
    () => tf.mean(tf.square(tf.sub(unet.forward(xt, t), target))) as tf.Scalar,
    variables,
  );
  assertAlmostEquals((await value.data())[0], reference.loss, 1e-4 * reference.loss);

  assertEquals([...unet.parameters.keys()], reference.parameters.map(({ name }) => name));
  const largest = Math.max(...reference.parameters.map(({ grad_norm }) => grad_norm));
  for (const { name, grad_norm } of reference.parameters) {
    const norm = (await tf.norm(grads[unet.parameters.get(name)!.name]).data())[0];
    assertAlmostEquals(norm, grad_norm, 1e-4 * grad_norm + 1e-6 * largest, `gradient of ${name}`);
  }
  unet.dispose();
}

Deno.test("the timestep embedding is the original's", async () => {
  await on("cpu", async () => {
    for (const [channels, byTimestep] of Object.entries(embeddings)) {
      for (const [t, expected] of Object.entries(byTimestep)) {
        const row = await timestepEmbedding(tf.tensor1d([Number(t)]), Number(channels)).data();
        assertEquals(row.length, expected.length);
        for (const [i, value] of row.entries()) {
          assertAlmostEquals(value, expected[i], 1e-4, `t = ${t}, channel ${i}`);
        }
      }
    }
  });
});

for (const backendName of ["wasm", "webgpu"] as const) {
  Deno.test({
    name: `output, loss and all 226 gradient norms are the original's on ${backendName}`,
    ignore: backendName === "webgpu" && !hasAdapter,
    fn: () => on(backendName, agreesWithReference),
  });
}

Deno.test("64 and 128 channels, colour, 16x16 and small shapes run", async () => {
  await on("wasm", () => {
    const cases: [UNetOptions, number][] = [
      [{ channels: 64, inChannels: 3 }, 16],
      [{ channels: 128, inChannels: 1 }, 8],
      [{ channels: 16, inChannels: 1, channelMults: [1, 2, 2], groups: 8 }, 16],
      [{ channels: 8, inChannels: 2, channelMults: [1], groups: 2, attentionLevels: [0] }, 5],
    ];
    for (const [options, size] of cases) {
      const unet = new UNet(options);
      const x = tf.ones([2, size, size, options.inChannels]) as tf.Tensor4D;
      assertEquals(unet.forward(x, tf.tensor1d([1, 9])).shape, x.shape);
      unet.dispose();
    }
  });
});

Deno.test("any width has the original's names, each shape following the width", async () => {
  await on("cpu", () => {
    const unet = new UNet({ channels: 64, inChannels: 3 });
    const weights = unet.stateDict();
    assertEquals([...weights.keys()], reference.parameters.map(({ name }) => name));
    for (const { name, shape } of reference.parameters) {
      const scaled = shape.map((n) => n >= 32 ? 2 * n : n);
      if (name === "conv1.weight") scaled[1] = 3;
      if (name.startsWith("final_conv")) scaled[0] = 3;
      assertEquals(weights.get(name)!.shape, scaled, name);
    }
    unet.dispose();
  });
});

Deno.test("a new network predicts no noise and is the same for the same seed", async () => {
  await on("wasm", async () => {
    const small = { channels: 8, inChannels: 1, channelMults: [1, 2], groups: 4 };
    const [a, b, c] = [1, 1, 2].map((seed) => new UNet({ ...small, seed }));
    const x = tf.ones([1, 8, 8, 1]) as tf.Tensor4D;
    assert((await a.forward(x, tf.tensor1d([3])).data()).every((value) => value === 0));
    const weights = async (unet: UNet) => await unet.stateDict().get("conv1.weight")!.data();
    assertEquals(await weights(a), await weights(b));
    assert(String(await weights(a)) !== String(await weights(c)));
    for (const unet of [a, b, c]) unet.dispose();
  });
});

Deno.test("dropout works only while training, and by the step", async () => {
  await on("wasm", async () => {
    const make = (dropout: number) => {
      const shape = { channels: 8, inChannels: 1, channelMults: [1], groups: 4 };
      const unet = new UNet({ ...shape, attentionLevels: [], dropout });
      const weights = unet.stateDict();
      for (const [name, weight] of weights) weights.set(name, formula(weight.shape, 5, 0.3));
      unet.load(weights);
      return unet;
    };
    const [dropping, never] = [make(0.5), make(0)];
    const x = formula([1, 8, 8, 1], 7) as tf.Tensor4D;
    const run = async (unet: UNet, options?: { training: boolean; step?: number }) =>
      String(await unet.forward(x, tf.tensor1d([3]), options).data());
    const at = (step: number) => run(dropping, { training: true, step });
    assertEquals(await run(dropping), await run(never));
    assertEquals(await at(4), await at(4));
    assert(await at(4) !== await at(5));
    assert(await at(0) !== await run(never));
    for (const unet of [dropping, never]) unet.dispose();
  });
});

Deno.test("weights survive the round trip through the original's layouts", async () => {
  await on("wasm", async () => {
    const small = { channels: 8, inChannels: 1, channelMults: [1, 2], groups: 4 };
    const [a, b] = [1, 2].map((seed) => new UNet({ ...small, seed }));
    const weights = a.stateDict();
    b.load(weights);
    tf.dispose([...weights.values()]);
    for (const [name, variable] of a.parameters) {
      assertEquals(await variable.data(), await b.parameters.get(name)!.data(), name);
    }
    a.dispose();
    b.dispose();
  });
});

Deno.test("weights of another network are refused by name", async () => {
  await on("cpu", () => {
    const unet = new UNet({ channels: 8, inChannels: 1, channelMults: [1], groups: 4 });
    const weights = unet.stateDict();
    weights.set("stranger", weights.get("conv1.bias")!);
    weights.set("conv1.weight", weights.get("final_conv.weight")!);
    weights.delete("linear1.bias");
    for (
      const fault of [
        "linear1.bias is missing",
        "conv1.weight is [1,8,3,3] instead of [8,1,3,3]",
        "stranger is unknown",
      ]
    ) {
      assertThrows(() => unet.load(weights), UserError, fault);
    }
    unet.dispose();
  });
});

Deno.test("sizes that the network cannot take are refused", async () => {
  await on("cpu", () => {
    assertThrows(() => new UNet({ channels: 48, inChannels: 1 }), RangeError, "48 channels");
    const unet = new UNet({ channels: 8, inChannels: 1, channelMults: [1, 1, 1], groups: 4 });
    const t = tf.tensor1d([1]);
    const x = (shape: [number, number, number, number]) => tf.zeros(shape) as tf.Tensor4D;
    assertThrows(() => unet.forward(x([1, 10, 12, 1]), t), RangeError, "divide by 4");
    assertThrows(() => unet.forward(x([1, 8, 8, 3]), t), RangeError, "takes 1 channels");
    unet.dispose();
  });
});

Deno.test("a network without attention is convolutions alone, and an earlier one keeps its middle's", () =>
  on("cpu", () => {
    const options = { channels: 8, inChannels: 1, channelMults: [1, 2], groups: 4 };
    const blocksOf = (network: UNet) => {
      const names = [...network.parameters.keys()];
      network.dispose();
      assert(names.includes("middle.2.conv1.weight"), "the blocks keep their names");
      return names.filter((name) => name.endsWith(".Q.W")).map((name) => name.slice(0, -4));
    };
    const attentionLevels: number[] = [];
    assertEquals(blocksOf(new UNet({ ...options, attentionLevels })), []);
    const earlier = new UNet({ ...options, attentionLevels, middleAttention: true });
    assertEquals(blocksOf(earlier), ["middle.1"]);
    assertEquals(
      blocksOf(new UNet({ ...options, attentionLevels: [0] })).includes("middle.1"),
      true,
    );
  }));
