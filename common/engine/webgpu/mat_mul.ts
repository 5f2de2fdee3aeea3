/**
 * Matrix products, plain and batched, each operand as it is or transposed, and the fully connected
 * layer, which is a product that adds a bias.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { asMatrices, productShape } from "../ops/mat_mul.ts";
import { allocate } from "./command_queue.ts";
import type { NamedTensors } from "./dispatch.ts";
import { sumOfPixels } from "./per_sample.ts";
import { shareSteps, sumOfParts } from "./sum_of_parts.ts";
import { runProduct, type Tiling } from "./tiled_product.ts";

/** The largest depth of a step where the depth is cut into parts. */
const LONGEST_STEP = 256;

/** C = A·B over the last two axes. */
export function matMulKernel(tiling: Tiling): tf.KernelFunc {
  return ({ inputs, attrs }) => {
    const { a, b } = inputs as NamedTensors;
    return multiply(a, b, attrs as { transposeA: boolean; transposeB: boolean }, tiling);
  };
}

/** y = x·W + b. */
export function linearKernel(tiling: Tiling): tf.KernelFunc {
  return ({ inputs }) => {
    const { x, w, bias } = inputs as NamedTensors;
    return multiply(x, w, { transposeA: false, transposeB: false, bias }, tiling);
  };
}

/** ∂L/∂x = ∂L/∂y·Wᵀ, ∂L/∂W = xᵀ·∂L/∂y, and ∂L/∂b, the sum of the rows of ∂L/∂y. */
export function linearGradientKernel(tiling: Tiling): tf.KernelFunc {
  return ({ inputs }) => {
    const { x, w, dy } = inputs as NamedTensors;
    return [
      multiply(dy, w, { transposeA: false, transposeB: true }, tiling),
      multiply(x, dy, { transposeA: true, transposeB: false }, tiling),
      sumOfPixels(dy, { perSample: w.shape.length === 3 }),
    ];
  };
}

/**
 * A tiled product z for each matrix of the batch. Aᵀ·B is how a layer's weights get their gradient:
 * few outputs and a long sum over all rows, so there the depth is cut into parts that run side by side.
 */
function multiply(
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  { transposeA, transposeB, bias }: {
    transposeA: boolean;
    transposeB: boolean;
    bias?: tf.TensorInfo;
  },
  tiling: Tiling,
): tf.TensorInfo {
  const [count, rowsA, columnsA] = batched(a.shape);
  const [, rowsB, columnsB] = batched(b.shape);
  const [rows, depth] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const columns = transposeB ? rowsB : columnsB;
  const stepDepth = transposeA && !transposeB ? largestDivisor(depth, LONGEST_STEP) : depth;
  const steps = depth / stepDepth;
  const { parts, stepsPerPart } = shareSteps(steps, { rows, columns, count }, tiling);
  const partial = allocate([parts, count, rows, columns]);
  const vec4 = columns % 4 === 0;
  runProduct({
    name: "matrix product",
    ...{ rows, columns, depth: stepDepth, count: parts * count },
    a: { tensor: a, contiguous: transposeA ? "outer" : "depth", run: columnsA },
    b: { tensor: b, contiguous: transposeB ? "depth" : "outer", run: columnsB },
    functions: (transposeA ? A_TRANSPOSED : A_PLAIN) +
      (transposeB ? B_TRANSPOSED : B_PLAIN) + stepsAndStore(vec4, bias !== undefined),
    inputs: bias && { bias: { tensor: bias, vec4 } },
    output: { tensor: partial, vec4 },
    sizes: {
      ...{ batch: count, steps, stepsPerPart, strideB: columnsB },
      ...(bias && { strideOfBias: bias.shape.length === 2 ? columns : 0 }),
    },
  }, tiling);
  return sumOfParts(partial, productShape(a.shape, columns, transposeA));
}

function batched(shape: number[]): number[] {
  const matrices = asMatrices(shape);
  return matrices.length === 3 ? matrices : [1, ...matrices];
}

/** The whole depth where it has no suitable divisor. */
function largestDivisor(depth: number, most: number): number {
  for (let step = Math.min(depth, most); step >= 8; step--) if (depth % step === 0) return step;
  return depth;
}

// z counts the matrices of the batch, part by part
const A_PLAIN = `
fn origin(row: u32, z: u32) -> vec3i { return vec3i(i32((z * p.rows + row) * p.depth), 0, 0); }
fn startOfA(origin: vec3i, step: u32, z: u32) -> i32 { return origin.x; }
`;

const A_TRANSPOSED = `
fn startOfA(step: u32, depth: u32, z: u32) -> i32 {
  return i32((((z % p.batch) * p.steps + step) * p.depth + depth) * p.rows);
}
`;

const B_PLAIN = `
fn startOfB(step: u32, z: u32) -> u32 {
  return ((z % p.batch) * p.steps + step) * p.depth * p.columns;
}
`;

const B_TRANSPOSED = `
fn startOfB(step: u32, z: u32) -> u32 { return (z % p.batch) * p.columns * p.depth; }
`;

function stepsAndStore(vec4: boolean, biased: boolean): string {
  const store = vec4
    ? `C[start / 4u] = value${biased ? " + bias[(z * p.strideOfBias + column) / 4u]" : ""};`
    : `for (var n = 0u; n < 4u && column + n < p.columns; n++) {
    C[start + n] = value[n]${biased ? " + bias[z * p.strideOfBias + column + n]" : ""};
  }`;
  return `
fn stepRange(z: u32) -> vec2u {
  let first = (z / p.batch) * p.stepsPerPart;
  return vec2u(first, min(first + p.stepsPerPart, p.steps));
}

fn store(row: u32, column: u32, z: u32, value: vec4f) {
  if (row >= p.rows || column >= p.columns) { return; }
  let start = (z * p.rows + row) * p.columns + column;
  ${store}
}
`;
}
