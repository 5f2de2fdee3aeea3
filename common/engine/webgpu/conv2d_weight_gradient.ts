/**
 * The convolution's gradient with respect to its weights: few outputs, each a sum over all pixels of
 * the batch.
 *
 * ∂L/∂w[u,v,c,o] = Σ over b,i,j of x[b, s·i+u−p, s·j+v−p, c] · ∂L/∂y[b,i,j,o]: for each tap a tiled
 * product with channels c as rows and o as columns. The sum over pixels is cut into parts that run
 * side by side; a second dispatch adds the parts in their order, so the result is always the same.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { allocate } from "./command_queue.ts";
import type { NamedTensors } from "./dispatch.ts";
import { shareSteps, sumOfParts } from "./sum_of_parts.ts";
import { runProduct, type Tiling } from "./tiled_product.ts";

/** Pixels of a step: one row of an image where steps are cheap, else up to this many. */
const STEP_PIXELS: Record<Tiling, number> = { registers: 1, shared: 256 };

export function conv2dWeightGradientKernel(tiling: Tiling): tf.KernelFunc {
  return ({ inputs, attrs }) => {
    const { x, dy } = inputs as NamedTensors;
    const [kernel, stride] = [attrs!.kernel as number, attrs!.stride as number];
    const [B, H, W, C] = x.shape;
    const [, h, w, O] = dy.shape;
    const taps = kernel * kernel;
    const stepRows = imageRowsPerStep(h, w, STEP_PIXELS[tiling]);
    const steps = B * h / stepRows;
    const output = { rows: C, columns: O, count: taps };
    const { parts, stepsPerPart } = shareSteps(steps, output, tiling);
    const partial = allocate([parts, kernel, kernel, C, O]);
    runProduct({
      name: "conv2d weight gradient",
      rows: C,
      columns: O,
      depth: stepRows * w,
      count: parts * taps,
      a: { tensor: x, contiguous: "outer", run: C },
      b: { tensor: dy, contiguous: "outer", run: O },
      functions: functions(stepRows, O),
      output: { tensor: partial, vec4: O % 4 === 0 },
      sizes: {
        ...{ H, W, C, O, h, w, kernel, stride, padding: (kernel - 1) / 2, strideB: O },
        ...{ taps, steps, stepsPerPart },
      },
    }, tiling);
    return sumOfParts(partial, [kernel, kernel, C, O]);
  };
}

/** As many rows of an image as fit, and divide its height. */
function imageRowsPerStep(height: number, width: number, pixels: number): number {
  let rows = Math.max(1, Math.min(height, Math.floor(pixels / width)));
  while (height % rows !== 0) rows--;
  return rows;
}

function functions(stepRows: number, O: number): string {
  return `
fn stepRange(z: u32) -> vec2u {
  let first = (z / p.taps) * p.stepsPerPart;
  return vec2u(first, min(first + p.stepsPerPart, p.steps));
}

// the input's pixel under this tap of the window around pixel number \`depth\` of the step
fn startOfA(step: u32, depth: u32, z: u32) -> i32 {
  let row = step * ${stepRows}u${stepRows > 1 ? " + depth / p.w" : ""};
  let column = depth${stepRows > 1 ? " % p.w" : ""};
  let tap = z % p.taps;
  let i = i32((row % p.h) * p.stride + tap / p.kernel) - i32(p.padding);
  let j = i32(column * p.stride + tap % p.kernel) - i32(p.padding);
  let outside = i < 0 || j < 0 || i >= i32(p.H) || j >= i32(p.W);
  return select(((i32(row / p.h) * i32(p.H) + i) * i32(p.W) + j) * i32(p.C), -1, outside);
}

fn startOfB(step: u32, z: u32) -> u32 { return step * p.depth * p.O; }

fn store(row: u32, column: u32, z: u32, value: vec4f) {
  if (row >= p.rows || column >= p.columns) { return; }
  let start = (z * p.C + row) * p.O + column;
  ${
    O % 4 === 0
      ? "C[start / 4u] = value;"
      : "for (var n = 0u; n < 4u && column + n < p.columns; n++) { C[start + n] = value[n]; }"
  }
}
`;
}
