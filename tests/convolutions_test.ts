// The WASM convolutions: each form against a direct sum in float64, on shapes that tiles and panels
// do not divide, and the same bytes on any number of threads.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import { convolve, convolveWeightGradient, type Form } from "../common/engine/wasm/convolutions.ts";
import { startWasm, wasmThreads } from "../common/engine/wasm/start.ts";
import { normal } from "../common/random.ts";

/**
 * What a form may err by, relative to the largest number: three times what it does. Both err most
 * where most numbers are summed, by up to 1.9e-6; elsewhere the direct form by 1e-7 to 4e-7,
 * Winograd's by 4e-7 to 1.6e-6.
 */
const ERROR = 6e-6;

/** B, H, W, C, O, k, stride. */
const SHAPES = [
  [2, 5, 7, 3, 5, 3, 1],
  [1, 1, 1, 1, 1, 3, 1],
  [3, 4, 4, 16, 16, 3, 1],
  [2, 9, 8, 12, 1, 3, 1],
  [1, 13, 3, 20, 33, 3, 1],
  [5, 8, 8, 1, 9, 3, 1],
  [1, 6, 6, 130, 70, 3, 1],
  [17, 16, 16, 5, 6, 3, 1],
  [2, 8, 6, 4, 6, 3, 2],
  [1, 5, 7, 3, 9, 3, 2],
  [1, 7, 6, 2, 3, 5, 1],
];

Deno.test("each form equals a sum in float64, on 1 and 2 threads by the same bytes", async () => {
  for (const [B, H, W, C, O, k, stride] of SHAPES) {
    const [h, w] = [Math.ceil(H / stride), Math.ceil(W / stride)];
    const shapes = [[B, H, W, C], [k, k, C, O], [B, h, w, O], [O]];
    const [x, weights, dy, bias] = shapes.map((shape, i) =>
      normal({ seed: 3, stream: `operand ${i}` }, tf.util.sizeFromShape(shape))
    );
    const sums = inFloat64({ x, weights, dy }, [B, H, W, C, O, k, stride]);
    for (let i = 0; i < sums.y.length; i++) sums.y[i] += bias[i % O];
    const forms: Form[] = k === 3 && stride === 1 ? ["direct", "winograd"] : ["direct"];
    for (const form of forms) {
      const name = `${form}, ${[B, H, W, C, O, k, stride]}`;
      const single = await convolved(1, form, shapes, stride, [x, weights, dy, bias]);
      closeTo(single.y, sums.y, `y, ${name}`);
      closeTo(single.dx, sums.dx, `dx, ${name}`);
      closeTo(single.dw, sums.dw, `dw, ${name}`);
      assertEquals(
        await convolved(2, form, shapes, stride, [x, weights, dy, bias]),
        single,
      );
    }
  }
  wasmThreads().dispose();
});

/** y = x * w + bias, and both gradients for the given dy, by one form. */
async function convolved(
  threads: number,
  form: Form,
  shapes: number[][],
  stride: number,
  values: Float32Array[],
): Promise<Record<"y" | "dx" | "dw", Float32Array>> {
  const running = await startWasm(threads);
  const [x, w, dy, bias] = values.map((numbers, i) => tf.tensor(numbers, shapes[i]));
  const [y, dx, dw] = [shapes[2], shapes[0], shapes[1]].map((shape) => tf.fill(shape, NaN));
  convolve(running, x, w, y, { stride, transposed: false, bias, form });
  convolve(running, dy, w, dx, { stride, transposed: true, form });
  convolveWeightGradient(running, x, dy, dw, { stride, form });
  const read = (tensor: tf.Tensor) => tensor.data() as Promise<Float32Array>;
  const result = { y: await read(y), dx: await read(dx), dw: await read(dw) };
  tf.dispose([x, w, dy, bias, y, dx, dw]);
  return result;
}

/** The definition, tap by tap. */
function inFloat64(
  { x, weights, dy }: Record<"x" | "weights" | "dy", Float32Array>,
  [B, H, W, C, O, k, stride]: number[],
): Record<"y" | "dx" | "dw", Float64Array> {
  const [h, w, p] = [Math.ceil(H / stride), Math.ceil(W / stride), (k - 1) / 2];
  const y = new Float64Array(dy.length);
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(weights.length);
  for (let pixel = 0; pixel < B * h * w; pixel++) {
    const [b, i, j] = [Math.floor(pixel / (h * w)), Math.floor(pixel / w) % h, pixel % w];
    for (let tap = 0; tap < k * k; tap++) {
      const [row, column] = [i * stride + Math.floor(tap / k) - p, j * stride + tap % k - p];
      if (row < 0 || column < 0 || row >= H || column >= W) continue;
      for (let c = 0; c < C; c++) {
        const from = ((b * H + row) * W + column) * C + c;
        for (let o = 0; o < O; o++) {
          const [at, weight] = [pixel * O + o, (tap * C + c) * O + o];
          y[at] += x[from] * weights[weight];
          dx[from] += dy[at] * weights[weight];
          dw[weight] += x[from] * dy[at];
        }
      }
    }
  }
  return { y, dx, dw };
}

function closeTo(actual: Float32Array, expected: Float64Array, name: string): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    assert(difference <= ERROR * largest, `${name}, number ${i}: ${actual[i]}, not ${expected[i]}`);
  }
}
