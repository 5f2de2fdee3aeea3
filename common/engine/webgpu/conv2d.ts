/**
 * Convolution and its gradient with respect to the input, as tiled products: rows are pixels,
 * columns are channels, one step for each tap of the window.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { allocate } from "./command_queue.ts";
import { type NamedTensors } from "./dispatch.ts";
import { runProduct, type Tiling } from "./tiled_product.ts";

/** y[b,i,j,o] = bias[o] + Σ over taps (u,v), channels c of x[b, s·i+u−p, s·j+v−p, c] · w[u,v,c,o]. */
export function conv2dKernel(tiling: Tiling): tf.KernelFunc {
  return ({ inputs, attrs }) => {
    const { x, w, bias } = inputs as NamedTensors;
    const stride = attrs!.stride as number;
    const [B, H, W, C] = x.shape;
    const [kernel, , , O] = w.shape;
    const [h, wide] = [Math.ceil(H / stride), Math.ceil(W / stride)];
    const y = allocate([B, h, wide, O]);
    runProduct({
      name: "conv2d",
      rows: B * h * wide,
      columns: O,
      depth: C,
      count: 1,
      a: { tensor: x, contiguous: "depth", run: C },
      b: { tensor: w, contiguous: "outer", run: O },
      window: stride === 1 ? { taps: kernel, run: wide } : undefined,
      functions: FORWARD + storeRows(O, true),
      inputs: { bias: { tensor: bias, vec4: O % 4 === 0 } },
      output: { tensor: y, vec4: O % 4 === 0 },
      sizes: { H, W, C, O, h, w: wide, kernel, stride, padding: (kernel - 1) / 2, strideB: O },
    }, tiling);
    return y;
  };
}

const FORWARD = `
fn stepRange(z: u32) -> vec2u { return vec2u(0u, p.kernel * p.kernel); }

// the output pixel's sample and the upper left corner of its window
fn origin(row: u32, z: u32) -> vec3i {
  let b = row / (p.h * p.w);
  let pixel = row % (p.h * p.w);
  let corner = vec2i(vec2u(pixel / p.w, pixel % p.w) * p.stride) - i32(p.padding);
  return vec3i(i32(b), corner);
}

fn startOfA(origin: vec3i, step: u32, z: u32) -> i32 {
  let i = origin.y + i32(step / p.kernel);
  let j = origin.z + i32(step % p.kernel);
  let outside = i < 0 || j < 0 || i >= i32(p.H) || j >= i32(p.W);
  return select(((origin.x * i32(p.H) + i) * i32(p.W) + j) * i32(p.C), -1, outside);
}

fn startOfB(step: u32, z: u32) -> u32 { return step * p.C * p.O; }
`;

/** Writes four channels of a pixel, with the bias or without; rows are pixels in order. */
function storeRows(channels: number, biased: boolean): string {
  if (channels % 4 === 0) {
    return `
fn store(row: u32, column: u32, z: u32, value: vec4f) {
  if (row >= p.rows || column >= p.columns) { return; }
  C[(row * p.columns + column) / 4u] = value${biased ? " + bias[column / 4u]" : ""};
}
`;
  }
  return `
fn store(row: u32, column: u32, z: u32, value: vec4f) {
  if (row >= p.rows) { return; }
  for (var n = 0u; n < 4u && column + n < p.columns; n++) {
    C[row * p.columns + column + n] = value[n]${biased ? " + bias[column + n]" : ""};
  }
}
`;
}

/**
 * ∂L/∂x[b,i,j,c] = Σ over taps and o of ∂L/∂y[b, (i+p−u)/s, (j+p−v)/s, o] · w[u,v,c,o], over the taps
 * for which both divisions have no remainder. All pixels whose i and j have the same remainders modulo s
 * have the same taps, so each of these s² classes of pixels is a product z of its own.
 */
export function conv2dInputGradientKernel(tiling: Tiling): tf.KernelFunc {
  return ({ inputs, attrs }) => {
    const { dy, w } = inputs as NamedTensors;
    const stride = attrs!.stride as number;
    const [B, H, W, C] = attrs!.inputShape as number[];
    const [, h, wide, O] = dy.shape;
    const kernel = w.shape[0];
    const dx = allocate([B, H, W, C]);
    runProduct({
      name: "conv2d input gradient",
      rows: B * h * wide, // of the largest class
      columns: C,
      depth: O,
      count: stride * stride,
      a: { tensor: dy, contiguous: "depth", run: O },
      b: { tensor: w, contiguous: "depth", run: O },
      window: stride === 1 ? { taps: kernel, run: wide } : undefined,
      functions: INPUT_GRADIENT + storeClass(C),
      output: { tensor: dx, vec4: C % 4 === 0 },
      sizes: { H, W, C, O, h, w: wide, kernel, stride, padding: (kernel - 1) / 2, strideB: O },
    }, tiling);
    return dx;
  };
}

const INPUT_GRADIENT = `
// the remainders of this class's rows and columns modulo s
fn classOf(z: u32) -> vec2u { return vec2u(z / p.stride, z % p.stride); }

// the first tap that reaches this class, in each direction; then every s-th
fn firstTap(z: u32) -> vec2u { return (classOf(z) + p.padding) % p.stride; }

fn taps(z: u32) -> vec2u { return (vec2u(p.kernel + p.stride - 1u) - firstTap(z)) / p.stride; }

fn stepRange(z: u32) -> vec2u { return vec2u(0u, taps(z).x * taps(z).y); }

// backwards, so that ∂L/∂y is read forwards
fn tap(step: u32, z: u32) -> vec2u {
  let across = max(taps(z).y, 1u);
  let left = taps(z) - 1u - vec2u(step / across, step % across);
  return firstTap(z) + left * p.stride;
}

// the pixel's sample, row and column in the input
fn origin(row: u32, z: u32) -> vec3i {
  let pixel = row % (p.h * p.w);
  let at = vec2u(pixel / p.w, pixel % p.w) * p.stride + classOf(z);
  return vec3i(i32(row / (p.h * p.w)), vec2i(at));
}

fn startOfA(origin: vec3i, step: u32, z: u32) -> i32 {
  let at = origin.yz + i32(p.padding) - vec2i(tap(step, z)); // a multiple of s
  let i = at.x / i32(p.stride);
  let j = at.y / i32(p.stride);
  let outside = at.x < 0 || at.y < 0 || i >= i32(p.h) || j >= i32(p.w);
  return select(((origin.x * i32(p.h) + i) * i32(p.w) + j) * i32(p.O), -1, outside);
}

fn startOfB(step: u32, z: u32) -> u32 {
  let uv = tap(step, z);
  return (uv.x * p.kernel + uv.y) * p.C * p.O;
}
`;

/** Writes four channels of the input's pixel that this row of this class is. */
function storeClass(channels: number): string {
  const write = channels % 4 === 0
    ? "C[(start + column) / 4u] = value;"
    : `for (var n = 0u; n < 4u && column + n < p.columns; n++) { C[start + column + n] = value[n]; }`;
  return `
fn store(row: u32, column: u32, z: u32, value: vec4f) {
  let at = vec3u(origin(row, z));
  if (row >= p.rows || column >= p.columns || at.y >= p.H || at.z >= p.W) { return; }
  let start = ((at.x * p.H + at.y) * p.W + at.z) * p.C;
  ${write}
}
`;
}
