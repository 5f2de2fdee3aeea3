/**
 * Matrix products, plain and batched, each operand as it is or transposed.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { allocate } from "./command_queue.ts";
import { type NamedTensors } from "./dispatch.ts";
import { runProduct, type Tiling } from "./tiled_product.ts";

/** C[z] = A[z]·B[z] over the last two axes: a tiled product z for each matrix of the batch. */
export function matMulKernel(tiling: Tiling): tf.KernelFunc {
  return ({ inputs, attrs }) => {
    const { a, b } = inputs as NamedTensors;
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const [countA, rowsA, columnsA] = batched(a.shape);
    const [, rowsB, columnsB] = batched(b.shape);
    const [rows, depth] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
    const columns = transposeB ? rowsB : columnsB;
    const c = allocate(a.shape.length === 3 ? [countA, rows, columns] : [rows, columns]);
    const vec4 = columns % 4 === 0;
    runProduct({
      name: "matrix product",
      ...{ rows, columns, depth, count: countA },
      a: { tensor: a, contiguous: transposeA ? "outer" : "depth", run: columnsA },
      b: { tensor: b, contiguous: transposeB ? "depth" : "outer", run: columnsB },
      functions: (transposeA ? A_TRANSPOSED : A_PLAIN) + functions(vec4),
      output: { tensor: c, vec4 },
      sizes: { strideB: columnsB },
    }, tiling);
    return c;
  };
}

function batched(shape: number[]): number[] {
  return shape.length === 3 ? shape : [1, ...shape];
}

const A_PLAIN = `
fn origin(row: u32, z: u32) -> vec3i { return vec3i(i32((z * p.rows + row) * p.depth), 0, 0); }
fn startOfA(origin: vec3i, step: u32, z: u32) -> i32 { return origin.x; }
`;

const A_TRANSPOSED = `
fn startOfA(step: u32, depth: u32, z: u32) -> i32 { return i32((z * p.depth + depth) * p.rows); }
`;

function functions(vec4: boolean): string {
  return `
fn stepRange(z: u32) -> vec2u { return vec2u(0u, 1u); }
fn startOfB(step: u32, z: u32) -> u32 { return z * p.columns * p.depth; }
fn store(row: u32, column: u32, z: u32, value: vec4f) {
  if (row >= p.rows || column >= p.columns) { return; }
  let start = (z * p.rows + row) * p.columns + column;
  ${
    vec4
      ? "C[start / 4u] = value;"
      : "for (var n = 0u; n < 4u && column + n < p.columns; n++) { C[start + n] = value[n]; }"
  }
}
`;
}
