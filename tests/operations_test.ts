// Every operation of common/engine/ops: its gradient against finite differences, and each backend's fast
// kernel against the operation's composed form, on shapes that divide into nothing.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import { add } from "../common/engine/ops/add.ts";
import { attention, softmax } from "../common/engine/ops/attention.ts";
import { concatChannels } from "../common/engine/ops/concat.ts";
import { conv2d } from "../common/engine/ops/conv2d.ts";
import { dropout } from "../common/engine/ops/dropout.ts";
import { groupNorm, groupNormSilu } from "../common/engine/ops/group_norm.ts";
import { linear, matMul } from "../common/engine/ops/mat_mul.ts";
import { addPerSample } from "../common/engine/ops/per_sample.ts";
import { relu } from "../common/engine/ops/relu.ts";
import { silu } from "../common/engine/ops/silu.ts";
import { upsample } from "../common/engine/ops/upsample.ts";
import { normal } from "../common/random.ts";
import { selectBackend } from "../common/backend.ts";

type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

/** An operation, and the shapes of its inputs, in a few sizes. */
const CASES: { name: string; operation: Operation; shapes: number[][][] }[] = [
  {
    name: "conv2d",
    operation: (x, w, b) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, b as tf.Tensor1D),
    shapes: [
      [[2, 5, 7, 3], [3, 3, 3, 5], [5]],
      [[1, 4, 4, 1], [3, 3, 1, 9], [9]],
      [[3, 6, 6, 10], [1, 1, 10, 17], [17]],
      [[2, 9, 8, 12], [3, 3, 12, 1], [1]],
      [[1, 7, 6, 2], [5, 5, 2, 3], [3]],
    ],
  },
  {
    name: "conv2d, stride 2",
    operation: (x, w, b) =>
      conv2d(x as tf.Tensor4D, w as tf.Tensor4D, b as tf.Tensor1D, { stride: 2 }),
    shapes: [
      [[2, 8, 8, 4], [3, 3, 4, 6], [6]],
      [[1, 5, 7, 3], [3, 3, 3, 9], [9]],
      [[2, 6, 4, 5], [1, 1, 5, 8], [8]],
    ],
  },
  {
    name: "matMul",
    operation: (a, b) => matMul(a as tf.Tensor2D, b as tf.Tensor2D),
    shapes: [[[5, 7], [7, 3]], [[33, 2], [2, 17]], [[3, 5, 9], [3, 9, 11]]],
  },
  {
    name: "matMul, A transposed",
    operation: (a, b) => matMul(a as tf.Tensor2D, b as tf.Tensor2D, { transposeA: true }),
    shapes: [[[7, 5], [7, 3]], [[3, 9, 5], [3, 9, 11]]],
  },
  {
    name: "matMul, B transposed",
    operation: (a, b) => matMul(a as tf.Tensor2D, b as tf.Tensor2D, { transposeB: true }),
    shapes: [[[5, 7], [3, 7]], [[3, 5, 9], [3, 11, 9]]],
  },
  {
    name: "matMul, both transposed",
    operation: (a, b) =>
      matMul(a as tf.Tensor2D, b as tf.Tensor2D, { transposeA: true, transposeB: true }),
    shapes: [[[7, 5], [3, 7]], [[3, 9, 5], [3, 11, 9]]],
  },
  {
    name: "linear",
    operation: (x, w, b) => linear(x as tf.Tensor2D, w as tf.Tensor2D, b),
    shapes: [
      [[5, 7], [7, 3], [3]],
      [[3, 5, 2], [3, 2, 9], [3, 9]],
      [[2, 3, 5, 6], [6, 9], [9]],
    ],
  },
  {
    name: "groupNorm",
    operation: (x) => groupNorm(x as tf.Tensor4D, 2),
    shapes: [[[2, 3, 5, 6]], [[1, 4, 4, 2]], [[3, 2, 2, 40]]],
  },
  {
    name: "groupNormSilu",
    operation: (x) => groupNormSilu(x as tf.Tensor4D, 3),
    shapes: [[[2, 3, 5, 6]], [[1, 4, 4, 3]], [[2, 3, 2, 48]], [[2, 2, 2, 33]]],
  },
  {
    name: "attention",
    operation: (q, k, v) => attention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D),
    shapes: [
      [[2, 7, 5], [2, 7, 5], [2, 7, 5]],
      [[1, 16, 8], [1, 16, 8], [1, 16, 8]],
      [[2, 3, 5, 6], [2, 3, 5, 6], [2, 3, 5, 6]],
    ],
  },
  { name: "softmax", operation: (x) => softmax(x, 0.7), shapes: [[[3, 7]], [[2, 1]], [[2, 3, 9]]] },
  {
    name: "dropout",
    operation: (x) => dropout(x, 0.3, { seed: 2 ** 40 + 3, stream: "mask", step: 70_000 }),
    shapes: [[[3, 7]], [[5, 1001]], [[1]]],
  },
  { name: "relu", operation: (x) => relu(away(x)), shapes: [[[3, 7]], [[5003]]] },
  { name: "silu", operation: (x) => silu(x), shapes: [[[3, 7]], [[5003]]] },
  {
    name: "addPerSample",
    operation: (x, v) => addPerSample(x as tf.Tensor4D, v as tf.Tensor2D),
    shapes: [[[2, 3, 5, 6], [2, 6]], [[3, 1, 2, 17], [3, 17]]],
  },
  {
    name: "upsample",
    operation: (x) => upsample(x as tf.Tensor4D),
    shapes: [[[2, 3, 5, 6]], [[1, 2, 1, 17]]],
  },
  { name: "add", operation: (a, b) => add(a, b), shapes: [[[3, 5], [3, 5]]] },
  {
    name: "concatChannels",
    operation: (a, b) => concatChannels(a as tf.Tensor4D, b as tf.Tensor4D),
    shapes: [[[2, 3, 5, 6], [2, 3, 5, 2]], [[1, 2, 2, 17], [1, 2, 2, 3]]],
  },
  // tfjs's own, where a backend has a faster form of the plain case
  { name: "tf.add", operation: (a, b) => tf.add(a, b), shapes: [[[3, 5], [3, 5]], [[3, 5], [5]]] },
  {
    name: "tf.concat",
    operation: (a, b) => tf.concat([a, b], -1),
    shapes: [[[2, 3, 5], [2, 3, 2]], [[1, 2, 2, 17], [1, 2, 2, 3]]],
  },
];

const adapter = await navigator.gpu?.requestAdapter();

for (const { name, operation, shapes } of CASES) {
  Deno.test(`${name}: the gradient equals finite differences`, async () => {
    await tf.setBackend("cpu");
    for (const shape of shapes) await checkFiniteDifferences(operation, inputs(shape));
  });

  Deno.test(`${name}: WASM on 1, 2 and 3 threads equals the composed form`, async () => {
    for (const shape of shapes) {
      const expected = await onBackend("cpu", 1, operation, shape);
      const single = await onBackend("wasm", 1, operation, shape);
      assertClose(single, expected);
      // the number of threads changes no bit
      assertEquals(await onBackend("wasm", 2, operation, shape), single);
      assertEquals(await onBackend("wasm", 3, operation, shape), single);
    }
  });

  Deno.test({
    name: `${name}: WebGPU equals the composed form`,
    ignore: !adapter,
    fn: async () => {
      for (const shape of shapes) {
        const expected = await onBackend("cpu", 1, operation, shape);
        assertClose(await onBackend("webgpu", 1, operation, shape), expected);
      }
    },
    sanitizeResources: false,
    sanitizeOps: false,
  });
}

/** Random inputs; the same on every backend. */
function inputs(shapes: number[][]): tf.Tensor[] {
  return shapes.map((shape, i) => {
    const count = tf.util.sizeFromShape(shape);
    return tf.tensor(normal({ seed: 7, stream: `input ${i}` }, count), shape);
  });
}

/** A scalar with a different weight on every output: Σ cos(k)·y[k]. */
function probe(y: tf.Tensor): tf.Scalar {
  const weights = Float32Array.from({ length: y.size }, (_, k) => Math.cos(k));
  return tf.sum(tf.mul(y, tf.tensor(weights, y.shape)));
}

/** The operation's output, then the gradient of each input, as plain numbers. */
async function onBackend(
  name: "cpu" | "wasm" | "webgpu",
  workers: number,
  operation: Operation,
  shapes: number[][],
): Promise<Float32Array[]> {
  const backend = await selectBackend(name, { workers });
  try {
    const results = tf.tidy(() => {
      const given = inputs(shapes);
      return [operation(...given), ...tf.grads((...x) => probe(operation(...x)))(given)];
    });
    const numbers = await Promise.all(results.map((t) => t.data() as Promise<Float32Array>));
    tf.dispose(results);
    return numbers;
  } finally {
    backend.dispose();
  }
}

function assertClose(actual: Float32Array[], expected: Float32Array[]): void {
  for (let i = 0; i < expected.length; i++) {
    assertEquals(actual[i].length, expected[i].length);
    const largest = expected[i].reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
    for (let k = 0; k < expected[i].length; k++) {
      const difference = Math.abs(actual[i][k] - expected[i][k]);
      assert(
        difference <= 3e-5 * largest, // false for NaN
        `tensor ${i}, number ${k}: ${actual[i][k]} instead of ${expected[i][k]}`,
      );
    }
  }
}

/** x with numbers above and below 0 in turn, none near its kink. */
function away(x: tf.Tensor): tf.Tensor {
  const signs = tf.cos(tf.mul(Math.PI, tf.range(0, x.size)));
  return tf.add(x, tf.reshape(tf.mul(8, signs), x.shape));
}

/** (f(x + h·d) − f(x − h·d))/2h against the gradient along d, for a random direction d. */
async function checkFiniteDifferences(operation: Operation, given: tf.Tensor[]): Promise<void> {
  const gradients = tf.tidy(() => tf.grads((...x) => probe(operation(...x)))(given));
  const h = 1e-2;
  for (let i = 0; i < given.length; i++) {
    const [numeric, exact] = tf.tidy(() => {
      const direction = tf.tensor(
        normal({ seed: 8, stream: "direction" }, given[i].size),
        given[i].shape,
      );
      const along = (step: number) => {
        const moved = given.map((x, k) => k === i ? tf.add(x, tf.mul(direction, step)) : x);
        return probe(operation(...moved));
      };
      return [
        tf.div(tf.sub(along(h), along(-h)), 2 * h),
        tf.sum(tf.mul(gradients[i], direction)),
      ];
    });
    const [n, e] = [(await numeric.data())[0], (await exact.data())[0]];
    const scale = Math.abs(e) + 0.1 * Math.sqrt(given[i].size);
    assert(Math.abs(n - e) <= 0.01 * scale, `input ${i}: numeric ${n}, exact ${e}`);
  }
}

Deno.test("dropout drops its share, scales the rest, and draws anew at every step", async () => {
  await tf.setBackend("cpu");
  const n = 100_000;
  const at = async (step: number) =>
    await dropout(tf.ones([n]), 0.3, { seed: 1, stream: "mask", step }).data();
  const first = await at(1);
  const dropped = first.filter((x) => x === 0).length;
  assert(Math.abs(dropped / n - 0.3) < 0.01, `${dropped}`);
  assert(first.every((x) => x === 0 || Math.abs(x - 1 / 0.7) < 1e-6));
  assertEquals(await at(1), first);
  const both = (await at(2)).filter((x, i) => x === 0 && first[i] === 0).length;
  assert(Math.abs(both / n - 0.09) < 0.01, `${both}`);
});
