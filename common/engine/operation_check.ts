/**
 * Whether a backend computes what the operations are defined to be: each of its kernels against the
 * operation's composed form in plain JavaScript, which needs no driver and no compiler of shaders.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { normal } from "../random.ts";
import { composedFlatOperations, flatOperations, type FlatVectors } from "./flat.ts";
import { ADD } from "./ops/add.ts";
import { ATTENTION, ATTENTION_GRADIENT, SOFTMAX, SOFTMAX_GRADIENT } from "./ops/attention.ts";
import { CONCAT, CONCAT_GRADIENT } from "./ops/concat.ts";
import { CONV2D, CONV2D_INPUT_GRADIENT, CONV2D_WEIGHT_GRADIENT } from "./ops/conv2d.ts";
import { DROPOUT } from "./ops/dropout.ts";
import { GROUP_NORM, GROUP_NORM_GRADIENT } from "./ops/group_norm.ts";
import { LINEAR, LINEAR_GRADIENT, MAT_MUL } from "./ops/mat_mul.ts";
import { type Attributes, type Inputs, runComposed, runOperation } from "./ops/operation.ts";
import { ADD_PER_SAMPLE, SUM_PIXELS } from "./ops/per_sample.ts";
import { RELU, RELU_GRADIENT } from "./ops/relu.ts";
import { RESHAPE } from "./ops/reshape.ts";
import { SILU, SILU_GRADIENT } from "./ops/silu.ts";
import { UPSAMPLE, UPSAMPLE_GRADIENT } from "./ops/upsample.ts";

/** One operation on one backend. */
export interface CheckedOperation {
  /** Its name: "Conv2d", "AdamStep", … */
  operation: string;
  /** The largest difference from the composed form, relative to the largest value. */
  error: number;
}

/** How far a kernel may be off: rounding is about 10⁻⁶, a wrong number about 1. */
export const TOLERANCE = 1e-3;

/** An operation with the shapes of its inputs; more than a tile, and divisible by nothing. */
interface Case {
  operation: string;
  shapes: Record<string, number[]>;
  attributes?: Attributes;
}

const MAP = [2, 10, 14, 20]; // [B, H, W, C]
const KERNEL = [3, 3, 20, 68];
const OUT = [2, 10, 14, 68];
const NORM = { groups: 4, silu: true, epsilon: 1e-5 };
const MASK = { threshold: 5_000_000, scale: 1.4, key0: 3, key1: 5, step: 7 };

/** Every operation of `ops/`, those of the way forward first. */
const CASES: Case[] = [
  { operation: LINEAR, shapes: { x: [70, 33], w: [33, 66], bias: [66] } },
  { operation: LINEAR, shapes: { x: MAP, w: [20, 66], bias: [66] } },
  { operation: CONV2D, shapes: { x: MAP, w: KERNEL, bias: [68] }, attributes: { stride: 1 } },
  { operation: CONV2D, shapes: { x: MAP, w: KERNEL, bias: [68] }, attributes: { stride: 2 } },
  { operation: GROUP_NORM, shapes: { x: MAP }, attributes: NORM },
  { operation: RELU, shapes: { x: MAP } },
  { operation: SILU, shapes: { x: MAP } },
  { operation: DROPOUT, shapes: { x: MAP }, attributes: MASK },
  { operation: ADD_PER_SAMPLE, shapes: { x: MAP, v: [2, 20] } },
  { operation: ADD, shapes: { a: MAP, b: MAP } },
  {
    operation: RESHAPE,
    shapes: { x: MAP },
    attributes: { shape: [20, 280], before: MAP },
  },
  { operation: CONCAT, shapes: { a: MAP, b: OUT }, attributes: { channels: [20, 68] } },
  { operation: UPSAMPLE, shapes: { x: MAP } },
  { operation: ATTENTION, shapes: { q: MAP, k: MAP, v: MAP }, attributes: { scale: 0.2 } },
  product([2, 70, 33], [2, 33, 66], false, false),
  product([2, 70, 33], [2, 66, 33], false, true),
  product([2, 300, 70], [2, 300, 66], true, false),
  product(MAP, OUT, true, false),
  { operation: SOFTMAX, shapes: { x: [2, 9, 65] }, attributes: { scale: 0.5 } },
  {
    operation: SOFTMAX_GRADIENT,
    shapes: { y: [2, 9, 65], dy: [2, 9, 65] },
    attributes: { scale: 0.5 },
  },
  { operation: LINEAR_GRADIENT, shapes: { x: [70, 33], w: [33, 66], dy: [70, 66] } },
  { operation: LINEAR_GRADIENT, shapes: { x: MAP, w: [20, 68], dy: OUT } },
  { operation: LINEAR_GRADIENT, shapes: { x: [2, 70, 33], w: [2, 33, 66], dy: [2, 70, 66] } },
  { operation: UPSAMPLE_GRADIENT, shapes: { dy: MAP } },
  { operation: CONCAT_GRADIENT, shapes: { dy: OUT }, attributes: { channels: [20, 48] } },
  {
    operation: ATTENTION_GRADIENT,
    shapes: { q: MAP, k: MAP, v: MAP, dy: MAP, weights: [2, 140, 140] },
    attributes: { scale: 0.2 },
  },
  { operation: SUM_PIXELS, shapes: { x: MAP }, attributes: { perSample: true } },
  { operation: SUM_PIXELS, shapes: { x: MAP }, attributes: { perSample: false } },
  { operation: RELU_GRADIENT, shapes: { y: MAP, dy: MAP } },
  { operation: SILU_GRADIENT, shapes: { x: MAP, dy: MAP } },
  {
    operation: GROUP_NORM_GRADIENT,
    shapes: { x: MAP, moments: [2, 4, 2], dy: MAP },
    attributes: NORM,
  },
  {
    operation: CONV2D_INPUT_GRADIENT,
    shapes: { dy: OUT, w: KERNEL },
    attributes: { stride: 1, inputShape: MAP },
  },
  {
    operation: CONV2D_WEIGHT_GRADIENT,
    shapes: { x: MAP, dy: OUT },
    attributes: { stride: 1, kernel: 3 },
  },
];

function product(a: number[], b: number[], transposeA: boolean, transposeB: boolean): Case {
  return { operation: MAT_MUL, shapes: { a, b }, attributes: { transposeA, transposeB } };
}

/** The operations that are checked, by their kernels' names. */
export const CHECKED_KERNELS: ReadonlySet<string> = new Set(
  CASES.map(({ operation }) => operation),
);

/**
 * Checks the active backend's operations one by one; it is the active one again afterwards.
 *
 * @throws {Error} What a kernel throws.
 */
export async function* checkOperations(): AsyncGenerator<CheckedOperation> {
  const worst = new Map<string, number>();
  for (const { operation, shapes, attributes } of CASES) {
    const numbers = Object.entries(shapes).map(([name, shape]) => draw(name, shape));
    const error = await compare(
      (given) => runOperation<tf.Tensor | tf.Tensor[]>(operation, given, attributes),
      (given) => runComposed<tf.Tensor | tf.Tensor[]>(operation, given, attributes),
      () =>
        Object.fromEntries(
          numbers.map(({ name, values, shape }) => [name, tf.tensor(values, shape)]),
        ),
    );
    const name = operation.replace(/^Diffusion/, "");
    worst.set(name, Math.max(error, worst.get(name) ?? 0));
    const isLast = CASES.findLast((other) => other.operation === operation)?.shapes === shapes;
    if (isLast) yield { operation: name, error: worst.get(name)! };
  }
  const error = await compare(
    (vectors) => adamStep(vectors, flatOperations()),
    (vectors) => adamStep(vectors, composedFlatOperations),
    flatVectors,
  );
  yield { operation: "AdamStep", error };
}

/** The first operation that is wrong on the active backend, or undefined. */
export async function firstWrongOperation(): Promise<CheckedOperation | undefined> {
  for await (const checked of checkOperations()) {
    if (!(checked.error <= TOLERANCE)) return checked;
  }
}

function draw(name: string, shape: number[]) {
  const values = normal({ seed: 11, stream: `check ${name}` }, tf.util.sizeFromShape(shape));
  // of a group's moments the second is 1/σ
  const positive = name === "moments" || name === "v0";
  return { name, shape, values: positive ? values.map((x) => x * x + 0.5) : values };
}

/** The largest relative difference between the active backend's numbers and plain JavaScript's. */
async function compare(
  kernel: (inputs: Inputs) => tf.Tensor | tf.Tensor[],
  composed: (inputs: Inputs) => tf.Tensor | tf.Tensor[],
  inputs: () => Inputs,
): Promise<number> {
  const numbersOf = async (run: typeof kernel) => {
    const given = inputs();
    const outputs = [run(given)].flat();
    const numbers = await Promise.all(outputs.map((output) => output.data()));
    tf.dispose([given, outputs]);
    return numbers;
  };
  const backend = tf.getBackend();
  const found = await numbersOf(kernel);
  await tf.setBackend("cpu");
  const expected = await numbersOf(composed).finally(() => tf.setBackend(backend));
  return Math.max(...expected.map((numbers, i) => relativeDifference(found[i], numbers)));
}

/** The largest difference of two lists, relative to the largest number that is expected. */
export function relativeDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  let [worst, largest] = [0, 1e-30];
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(found[i])) return Infinity;
    worst = Math.max(worst, Math.abs(found[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return worst / largest;
}

/** The vectors of an optimizer in the middle of its work. */
function flatVectors(): Inputs {
  const names = ["weights", "gradient", "m", "v", "ema"];
  return Object.fromEntries(names.map((name) => {
    const { values, shape } = draw(name === "v" ? "v0" : name, [1003]);
    return [name, tf.tidy(() => tf.variable(tf.tensor(values, shape), false))];
  }));
}

/** Two gradients gathered, an Adam step, and the weights taken apart again. */
function adamStep(inputs: Inputs, { gather, step, scatter }: typeof composedFlatOperations) {
  const vectors = inputs as unknown as FlatVectors;
  const part = (length: number) => tf.variable(tf.ones([length]), false);
  const parts = [part(1000), part(3)];
  gather(parts, vectors.gradient);
  step(vectors, {
    ...{ learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    ...{ step: 3, clipNorm: 1, emaDecay: 0.9 },
  });
  scatter(vectors.weights, parts);
  return [...parts, vectors.m, vectors.v, vectors.ema];
}
