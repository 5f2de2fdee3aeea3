/** The WGSL kernels give what the composed operations give, whatever the shapes. */
import { assert, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { attention, SOFTMAX, SOFTMAX_GRADIENT } from "../common/engine/ops/attention.ts";
import {
  CONV2D,
  conv2d,
  CONV2D_INPUT_GRADIENT,
  CONV2D_WEIGHT_GRADIENT,
} from "../common/engine/ops/conv2d.ts";
import { GROUP_NORM, GROUP_NORM_GRADIENT, groupNormSilu } from "../common/engine/ops/group_norm.ts";
import { LINEAR, LINEAR_GRADIENT, MAT_MUL } from "../common/engine/ops/mat_mul.ts";
import {
  type Attributes,
  type Inputs,
  runComposed,
  runOperation,
} from "../common/engine/ops/operation.ts";
import { ADD_PER_SAMPLE, addPerSample, SUM_PIXELS } from "../common/engine/ops/per_sample.ts";
import { SILU, SILU_GRADIENT } from "../common/engine/ops/silu.ts";
import { UPSAMPLE, upsample, UPSAMPLE_GRADIENT } from "../common/engine/ops/upsample.ts";
import { normal } from "../common/random.ts";
import { UserError } from "../common/user_error.ts";
import { findAdapter } from "../common/engine/webgpu/adapter.ts";
import { countDispatches } from "../common/engine/webgpu/count_dispatches.ts";
import { checkBinding, deviceLimits } from "../common/engine/webgpu/limits.ts";
import { registerWebgpuKernels } from "../common/engine/webgpu/register.ts";
import type { Tiling } from "../common/engine/webgpu/tiled_product.ts";
import { startWebgpu } from "../common/engine/webgpu/start.ts";

const adapter = await findAdapter();
const ignore = !adapter;

/** Runs a test on WebGPU and puts the backend before it back. */
function onWebgpu(name: string, test: () => Promise<void>): void {
  Deno.test({
    name: `webgpu: ${name}`,
    ignore,
    sanitizeOps: false, // the device polls for as long as the process runs
    sanitizeResources: false,
    fn: async () => {
      await startWebgpu();
      try {
        await test();
      } finally {
        await tf.setBackend("cpu");
      }
    },
  });
}

let drawn = 0;
function random(...shape: number[]): tf.Tensor {
  const draw = { seed: 7, stream: "webgpu test", step: drawn++ };
  return tf.tensor(normal(draw, tf.util.sizeFromShape(shape)), shape);
}

/** Largest difference, relative to the largest value. */
async function difference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  assert(tf.util.arraysEqual(a.shape, b.shape), `shapes [${a.shape}] and [${b.shape}]`);
  const [x, y] = [await a.data(), await b.data()];
  let [worst, largest] = [0, 1e-30];
  for (let i = 0; i < x.length; i++) {
    worst = Math.max(worst, Math.abs(x[i] - y[i]));
    largest = Math.max(largest, Math.abs(y[i]));
    if (!Number.isFinite(x[i])) return Infinity;
  }
  return worst / largest;
}

/** The composed operation in plain JavaScript: tfjs's own WebGPU kernels are not above doubt. */
async function composedOnCpu(
  name: string,
  inputs: Inputs,
  attributes: Attributes,
): Promise<tf.Tensor[]> {
  const copies: Inputs = {};
  const data = await Promise.all(Object.values(inputs).map((tensor) => tensor.data()));
  await tf.setBackend("cpu");
  Object.entries(inputs).forEach(([key, { shape }], i) => copies[key] = tf.tensor(data[i], shape));
  const outputs = [runComposed<tf.Tensor | tf.Tensor[]>(name, copies, attributes)].flat();
  await Promise.all(outputs.map((output) => output.data()));
  await tf.setBackend("webgpu");
  return outputs;
}

/** The kernel agrees with the composed operation, and takes so many dispatches. */
async function assertSame(
  name: string,
  inputs: Inputs,
  attributes: Attributes,
  { mostDispatches = 1, tolerance = 2e-5 } = {},
): Promise<void> {
  let fast: tf.Tensor[] = [];
  const run = () => fast = [runOperation<tf.Tensor | tf.Tensor[]>(name, inputs, attributes)].flat();
  const dispatches = await countDispatches(run);
  const composed = await composedOnCpu(name, inputs, attributes);
  const shapes = Object.values(inputs).map((t) => `[${t.shape}]`).join(" ");
  const what = `${name} of ${shapes} with ${JSON.stringify(attributes)}`;
  for (const [i, output] of fast.entries()) {
    const worst = await difference(output, composed[i]);
    assert(worst < tolerance, `${what}: output ${i} differs by ${worst}`);
  }
  assert(
    dispatches >= 1 && dispatches <= mostDispatches,
    `${what}: ${dispatches} dispatches instead of ${mostDispatches}`,
  );
  tf.dispose([inputs, fast, composed]);
}

const CONVOLUTIONS = [ // B, H, W, C, O, kernel, stride
  [2, 7, 5, 3, 5, 3, 1],
  [3, 9, 6, 6, 1, 3, 2],
  [2, 8, 7, 16, 20, 3, 2],
  [1, 5, 5, 1, 4, 1, 1],
  [2, 6, 6, 48, 68, 1, 1],
  [2, 5, 7, 4, 8, 5, 2],
  [5, 11, 13, 20, 36, 3, 1],
  [2, 4, 4, 130, 66, 3, 1],
  [2, 3, 8, 5, 9, 3, 1],
  [1, 3, 16, 8, 12, 3, 1],
  [1, 2, 32, 4, 4, 5, 1],
];

/**
 * The shapes to try. A software adapter takes many seconds to compile each shader of shared tiles,
 * which only a GPU runs: one shape of each then.
 */
function some<T>(shapes: T[], tiling: Tiling, few: number[]): T[] {
  return tiling === "shared" && adapter?.software ? few.map((i) => shapes[i]) : shapes;
}

for (const tiling of ["registers", "shared"] as const) {
  onWebgpu(`convolutions and their gradients, tiles in ${tiling}`, async () => {
    registerWebgpuKernels(tiling);
    for (const [B, H, W, C, O, kernel, stride] of some(CONVOLUTIONS, tiling, [6])) {
      const [h, w] = [Math.ceil(H / stride), Math.ceil(W / stride)];
      const x = () => random(B, H, W, C);
      const weights = () => random(kernel, kernel, C, O);
      const dy = () => random(B, h, w, O);
      await assertSame(CONV2D, { x: x(), w: weights(), bias: random(O) }, { stride });
      const inputShape = [B, H, W, C];
      await assertSame(CONV2D_INPUT_GRADIENT, { dy: dy(), w: weights() }, { stride, inputShape });
      await assertSame(CONV2D_WEIGHT_GRADIENT, { x: x(), dy: dy() }, { stride, kernel }, {
        mostDispatches: 2,
      });
    }
  });

  onWebgpu(`matrix products, tiles in ${tiling}`, async () => {
    registerWebgpuKernels(tiling);
    const products = [
      [1, 5, 7, 3],
      [1, 70, 33, 65],
      [3, 17, 20, 24],
      [2, 18, 1500, 5],
      [1, 16, 2048, 16],
      [2, 64, 16, 128],
      [2, 1, 90, 2],
    ];
    for (const [count, M, K, P] of some(products, tiling, [4])) {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const a = transposeA ? [K, M] : [M, K];
          const b = transposeB ? [P, K] : [K, P];
          const batch = count > 1 ? [count] : [];
          const operands = { a: random(...batch, ...a), b: random(...batch, ...b) };
          await assertSame(MAT_MUL, operands, { transposeA, transposeB }, {
            mostDispatches: transposeA ? 2 : 1,
          });
        }
      }
      const rank3 = count > 1;
      const layer = () => ({
        x: rank3 ? random(count, M, K) : random(M, K),
        w: rank3 ? random(count, K, P) : random(K, P),
      });
      await assertSame(LINEAR, { ...layer(), bias: rank3 ? random(count, P) : random(P) }, {});
      const dy = rank3 ? random(count, M, P) : random(M, P);
      await assertSame(LINEAR_GRADIENT, { ...layer(), dy }, {}, { mostDispatches: 4 });
    }
  });

  onWebgpu(`a long sum keeps its accuracy and its bytes, tiles in ${tiling}`, async () => {
    registerWebgpuKernels(tiling);
    const [B, size, C, O] = [16, 32, 4, 8];
    const x = tf.add(random(B, size, size, C), 3);
    const dy = tf.add(random(B, size, size, O), 1);
    const run = () => runOperation(CONV2D_WEIGHT_GRADIENT, { x, dy }, { kernel: 1, stride: 1 });
    const exact = new Float64Array(C * O); // in double precision
    const [xs, dys] = [await x.data(), await dy.data()];
    for (let pixel = 0; pixel < B * size * size; pixel++) {
      for (let i = 0; i < C * O; i++) {
        exact[i] += xs[pixel * C + Math.floor(i / O)] * dys[pixel * O + i % O];
      }
    }
    const dw = run() as tf.Tensor;
    assert(await difference(dw, tf.tensor(Float32Array.from(exact), dw.shape)) < 2e-6);
    assert(await difference(run() as tf.Tensor, dw) === 0);
  });
}

onWebgpu("group norm with and without SiLU, and its gradient", async () => {
  const cases = [ // groups of 2, 1, 12, 4, 4, 2, 1 and 3 channels
    [2, 5, 7, 6, 3],
    [3, 4, 4, 32, 32],
    [2, 9, 5, 24, 2],
    [1, 32, 32, 8, 2],
    [2, 1, 1, 8, 2],
    [2, 3, 5, 16, 8],
    [2, 5, 3, 6, 6],
    [2, 6, 4, 12, 4],
  ];
  for (const [B, H, W, C, groups] of cases) {
    for (const silu of [false, true]) {
      const attributes = { groups, silu, epsilon: 1e-5 };
      await assertSame(GROUP_NORM, { x: random(B, H, W, C) }, attributes);
      const moments = tf.add(tf.square(random(B, groups, 2)), 0.5);
      const inputs = { x: random(B, H, W, C), moments, dy: random(B, H, W, C) };
      await assertSame(GROUP_NORM_GRADIENT, inputs, attributes);
    }
  }
});

onWebgpu("group norm of numbers far from zero", async () => {
  const x = tf.add(random(2, 16, 16, 8), 1000);
  const attributes = { groups: 4, silu: false, epsilon: 1e-5 };
  await assertSame(GROUP_NORM, { x }, attributes, { tolerance: 1e-4 });
});

onWebgpu("softmax, its gradient, and scores too large for a plain exponential", async () => {
  for (const shape of [[3, 7], [2, 5, 33], [2, 9, 64], [1, 3, 1023], [4, 1]]) {
    await assertSame(SOFTMAX, { x: random(...shape) }, { scale: 0.37 });
    await assertSame(SOFTMAX, { x: tf.mul(random(...shape), 500) }, { scale: 1 });
    await assertSame(SOFTMAX_GRADIENT, { y: random(...shape), dy: random(...shape) }, {
      scale: 0.37,
    });
  }
});

onWebgpu("SiLU, addPerSample, sumPixels and upsample", async () => {
  for (const [B, H, W, C] of [[2, 4, 6, 3], [3, 2, 2, 8], [1, 10, 14, 5], [2, 34, 32, 20]]) {
    const x = () => random(B, H, W, C);
    await assertSame(SILU, { x: tf.mul(x(), 60) }, {});
    await assertSame(SILU_GRADIENT, { x: tf.mul(x(), 60), dy: x() }, {});
    await assertSame(ADD_PER_SAMPLE, { x: x(), v: random(B, C) }, {});
    for (const perSample of [true, false]) {
      await assertSame(SUM_PIXELS, { x: random(B, H, W, C) }, { perSample });
    }
    await assertSame(UPSAMPLE, { x: x() }, {});
    await assertSame(UPSAMPLE_GRADIENT, { dy: x() }, {});
  }
});

onWebgpu("the gradient through a small block equals the one on the CPU", async () => {
  const [B, size, C] = [2, 6, 12];
  const values = [random(B, size, size, C), random(3, 3, C, C), random(C), random(B, C)];
  const block = (x: tf.Tensor, w: tf.Tensor, bias: tf.Tensor, v: tf.Tensor) => {
    let h = conv2d(x as tf.Tensor4D, w as tf.Tensor4D, bias as tf.Tensor1D, { stride: 2 });
    h = addPerSample(groupNormSilu(h, 3), v as tf.Tensor2D);
    const rows = tf.reshape(h, [B, -1, C]) as tf.Tensor3D;
    h = tf.reshape(attention(rows, rows, rows), h.shape) as tf.Tensor4D;
    return tf.mean(tf.square(upsample(h))) as tf.Scalar;
  };
  const onGpu = await Promise.all(tf.grads(block)(values).map((g) => g.data()));
  const data = await Promise.all(values.map((t) => t.data()));
  await tf.setBackend("cpu");
  const copies = values.map((t, i) => tf.tensor(data[i], t.shape));
  for (const [i, onCpu] of tf.grads(block)(copies).entries()) {
    assert(await difference(tf.tensor(onGpu[i], onCpu.shape), onCpu) < 1e-4, `gradient ${i}`);
  }
});

onWebgpu("a tensor beyond the adapter's limit is refused by name and size", () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 27 };
  checkBinding("the feature map", [128, 32, 32, 256], limits);
  const refused = () => checkBinding("the feature map", [128, 32, 32, 384], limits);
  assertThrows(refused, UserError, "lower --batch to 85 or less");
  assert(deviceLimits().maxStorageBufferBindingSize >= 2 ** 27);
  return Promise.resolve();
});
