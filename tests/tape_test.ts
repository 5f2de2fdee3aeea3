// The project's own gradient tape: the numbers of tfjs's, and nothing left behind.
import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { add } from "../common/engine/ops/add.ts";
import { attention } from "../common/engine/ops/attention.ts";
import { concatChannels } from "../common/engine/ops/concat.ts";
import { conv2d } from "../common/engine/ops/conv2d.ts";
import { groupNormSilu } from "../common/engine/ops/group_norm.ts";
import { linear } from "../common/engine/ops/mat_mul.ts";
import { addPerSample } from "../common/engine/ops/per_sample.ts";
import { silu } from "../common/engine/ops/silu.ts";
import { asOneOperation } from "../common/engine/ops/tape.ts";
import { normal } from "../common/random.ts";
import { on } from "./backends.ts";

/** Data, then weights. */
const SHAPES = { x: [2, 4, 4, 6], v: [2, 6], w: [3, 3, 6, 6], bias: [6], p: [12, 6], unused: [3] };
type Given = Record<keyof typeof SHAPES, tf.Tensor>;

/** A network in small: maps that several operations read, a skip, a sum of a map with itself. */
function network({ x, v, w, bias, p }: Given, between = (h: tf.Tensor4D) => h): tf.Tensor4D {
  const convolve = (h: tf.Tensor4D) => conv2d(h, w as tf.Tensor4D, bias as tf.Tensor1D);
  const h = addPerSample(convolve(x as tf.Tensor4D), silu(v as tf.Tensor2D)); // [2, 4, 4, 6]
  const skip = between(groupNormSilu(h, 3));
  const folded = linear(concatChannels(add(h, skip), skip), p, bias);
  return add(add(folded, folded), attention(skip, h, convolve(skip)));
}

/** The loss, and the gradients of everything that was given: `f` says how the network runs. */
async function lossAndGradients(
  names: (keyof Given)[],
  f: (given: Given) => tf.Tensor,
): Promise<number[][]> {
  const given = Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => {
      const values = normal({ seed: 5, stream: name }, tf.util.sizeFromShape(shape));
      const isData = name === "x" || name === "v";
      return [name, isData ? tf.tensor(values, shape) : tf.variable(tf.tensor(values, shape))];
    }),
  ) as Given;
  const before = tf.memory().numTensors;
  const { value, grads } = tf.valueAndGrads(() => tf.mean(tf.square(f(given))))(
    names.map((name) => given[name]),
  );
  assertEquals(tf.memory().numTensors, before + 1 + names.length, "tensors left behind");
  const numbers = await Promise.all([value, ...grads].map((tensor) => tensor.data()));
  return numbers.map((list) => [...list]);
}

function assertSame(actual: number[][], expected: number[][]): void {
  assertEquals(actual.map(({ length }) => length), expected.map(({ length }) => length));
  for (const [i, list] of expected.entries()) {
    const largest = Math.max(...list.map(Math.abs));
    for (const [k, value] of list.entries()) {
      assertAlmostEquals(actual[i][k], value, 1e-5 * largest, `tensor ${i}, number ${k}`);
    }
  }
}

const values = (given: Given) => Object.values(given);
const weights: (keyof Given)[] = ["w", "bias", "p"];

for (const backendName of ["wasm", "cpu"] as const) {
  Deno.test(`loss and gradients are those of tfjs's own tape on ${backendName}`, async () => {
    await on(backendName, async () => {
      const names: (keyof Given)[] = ["x", "v", ...weights];
      const expected = await lossAndGradients(names, (given) => network(given));
      const one = (given: Given) => asOneOperation(values(given), () => network(given));
      assertSame(await lossAndGradients(names, one), expected);
      const ofWeights = [expected[0], ...expected.slice(3)];
      assertSame(await lossAndGradients(weights, one), ofWeights);
    });
  });
}

Deno.test("data get their gradients from operations that give several at once", async () => {
  await on("wasm", async () => {
    const f = ({ x, v, p, bias }: Given) => {
      const data = x as tf.Tensor4D;
      const map = attention(data, data, linear(concatChannels(data, data), p, bias));
      return addPerSample(map, v as tf.Tensor2D);
    };
    const names: (keyof Given)[] = ["x", "p", "bias"];
    const expected = await lossAndGradients(names, f);
    const one = (given: Given) => asOneOperation(values(given), () => f(given));
    assertSame(await lossAndGradients(names, one), expected);
  });
});

Deno.test("data may be freed after the forward pass", async () => {
  await on("wasm", async () => {
    const expected = await lossAndGradients(weights, (given) => network(given));
    const freed = await lossAndGradients(weights, (given) =>
      tf.tidy(() => {
        const mine = { ...given, x: tf.add(given.x, 0), v: tf.add(given.v, 0) };
        return asOneOperation(values(mine), () => network(mine));
      }));
    assertSame(freed, expected);
  });
});

Deno.test("a plain tf operation in between has its gradient, too", async () => {
  await on("wasm", async () => {
    const twice = (h: tf.Tensor4D) => tf.mul(h, 2) as tf.Tensor4D;
    const expected = await lossAndGradients(weights, (given) => network(given, twice));
    const one = (given: Given) => asOneOperation(values(given), () => network(given, twice));
    assertSame(await lossAndGradients(weights, one), expected);
  });
});

Deno.test("a network whose output is not in the loss leaves nothing behind", async () => {
  await on("wasm", async () => {
    const [loss, gradient] = await lossAndGradients(["unused"], (given) => {
      asOneOperation(values(given), () => network(given)).dispose();
      return tf.square(given.unused);
    });
    assertEquals([loss.length, gradient.length], [1, 3]);
  });
});

Deno.test("what was given and has no part in the output has a gradient of 0", async () => {
  await on("wasm", async () => {
    const [, gradient] = await lossAndGradients(
      ["unused"],
      (given) => asOneOperation(values(given), () => network(given)),
    );
    assertEquals(gradient, [0, 0, 0]);
  });
});

Deno.test("gradients of gradients are tfjs's", async () => {
  await on("wasm", async () => {
    const a = tf.tensor4d([0.5, -1], [1, 1, 1, 2]);
    const inner = (x: tf.Tensor) =>
      tf.grad((x) => tf.square(asOneOperation([x], () => add(x, x))))(x); // ∂(2x)²/∂x = 8x
    assertEquals([...await tf.grad(inner)(a).data()], [8, 8]);
  });
});
