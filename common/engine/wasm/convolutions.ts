/**
 * Which of the WASM kernels does a convolution, and how its work is cut into units.
 *
 * The direct form sums over the window as it is written; Winograd's F(4x4, 3x3) does a quarter of the
 * products of a 3x3 window of stride 1, and has tiles to transform before and after.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { borrow, heapAddress, wasmHeap } from "./shared_memory.ts";
import type { KernelThreads } from "./threads.ts";

/** Output channels that a kernel computes together. */
const PANEL = 8;
/** Pixels that a unit of the direct form works through. */
const PIXELS = 32;
/** Points of a transformed 6x6 tile, and the bytes of work space that its transforms take. */
const [POINTS, WORK] = [36, 640];
/** Floats of transformed tiles that the weight gradient holds at once: 2 MiB stay in a core's cache. */
const HELD = 2 ** 19;

/** What the choice of a form depends on. */
interface Sizes {
  /** Samples, height, width and channels of the result. */
  y: number[];
  /** k of the k×k window. */
  kernel: number;
  stride: number;
}

/** How a convolution is computed. */
export type Form = "direct" | "winograd";

/**
 * y = x convolved with w, or with `transposed` the gradient of such a y with respect to its input.
 *
 * @param options.bias Added to every pixel, [O].
 */
export function convolve(
  threads: KernelThreads,
  x: tf.TensorInfo,
  w: tf.TensorInfo,
  y: tf.TensorInfo,
  options: { stride: number; transposed: boolean; form?: Form; bias?: tf.TensorInfo },
): void {
  const { form = formFor({ y: y.shape, kernel: w.shape[0], stride: options.stride }, 4) } = options;
  const run = form === "winograd" ? winograd : direct;
  run(threads, x, w, y, options);
}

/** dw = Σ over samples and pixels of x, shifted by each tap of the window, times dy. */
export function convolveWeightGradient(
  threads: KernelThreads,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  dw: tf.TensorInfo,
  { stride, form }: { stride: number; form?: Form },
): void {
  form ??= formFor({ y: dy.shape, kernel: dw.shape[0], stride }, 8);
  const run = form === "winograd" ? winogradWeightGradient : directWeightGradient;
  run(threads, x, dy, dw, stride);
}

/**
 * The faster form, measured by `tests/bench/convolutions.ts`: one thread, GFLOP/s forward,
 * direct | Winograd, each counted as the direct form.
 *
 *     32 x 16x16 x 16 -> 16     26 |  74        8 x 32x32 x  64 ->  64     37 | 107
 *     32 x 16x16 x 16 ->  1      2 |   8        4 x 32x32 x 128 -> 128     30 | 114
 *     32 x  8x8  x 64 -> 64     24 |  68        1 x  8x8  x 128 -> 128     32 |  38
 *     32 x  7x7  x 64 -> 64     37 |  83        1 x  4x4  x 128 -> 128     25 |  10
 *     32 x  5x5  x 64 -> 64     35 |  44
 *     32 x  2x2  x 64 -> 64     15 |  13
 *
 * So Winograd's pays but for images that fill too little of their 4x4 tiles, and for so few tiles
 * that the weights' transform is most of the work. In the weight gradient the transform back is,
 * for fewer than 8 tiles (1 x 8x8 x 128 -> 128: 15 | 11).
 */
function formFor({ y, kernel, stride }: Sizes, leastTiles: number): Form {
  const [B, H, W] = y;
  const tiles = tileCount(y);
  const fewerProducts = POINTS * tiles < 0.7 * 9 * B * H * W;
  const pays = kernel === 3 && stride === 1 && fewerProducts && tiles >= leastTiles;
  return pays ? "winograd" : "direct";
}

function winograd(
  threads: KernelThreads,
  x: tf.TensorInfo,
  w: tf.TensorInfo,
  y: tf.TensorInfo,
  { transposed, bias }: { transposed: boolean; bias?: tf.TensorInfo },
): void {
  const [B, H, W, C] = x.shape;
  const O = y.shape[3];
  const [quads, panels] = [Math.ceil(C / 4), Math.ceil(O / PANEL)];
  const tiles = tileCount(x.shape);
  const block = tiles > 256 ? 16 : 8;
  const blocks = Math.ceil(tiles / block);
  const shares = Math.min(panels, Math.ceil(8 / blocks));
  const width = Math.ceil(panels / shares) * PANEL;
  const weights = POINTS * pointStride(panels * quads * 32);
  borrow([weights], ([transformed]) => {
    const weightArgs = [heapAddress(w), transformed, C, O, transposed ? 1 : 0];
    threads.run("winogradWeights", panels * quads, weightArgs, 2048);
    threads.run("winograd", blocks * shares, [
      ...[heapAddress(x), transformed, bias ? heapAddress(bias) : 0, heapAddress(y)],
      ...[B, H, W, C, O, block, shares],
    ], WORK + POINTS * 4 * (pointStride(block * quads * 4) + pointStride(block * width)));
  });
}

function winogradWeightGradient(
  threads: KernelThreads,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  dw: tf.TensorInfo,
): void {
  const [, H, W, C] = x.shape;
  const O = dy.shape[3];
  const [quads, panels] = [Math.ceil(C / 4), Math.ceil(O / PANEL)];
  const tiles = tileCount(x.shape);
  const most = Math.max(8, Math.floor(HELD / POINTS / (quads * 4 + panels * PANEL)));
  const part = Math.ceil(tiles / Math.ceil(tiles / most));
  borrow([
    POINTS * pointStride(quads * part * 4),
    POINTS * pointStride(panels * part * PANEL),
    POINTS * quads * panels * 32,
  ], ([inputs, gradients, sums]) => {
    for (let first = 0; first < tiles; first += part) {
      const count = Math.min(part, tiles - first);
      const units = Math.ceil(count / 8);
      const inputArgs = [heapAddress(x), inputs, H, W, C, first, count];
      threads.run("winogradInputs", units, inputArgs, 1024);
      const gradientArgs = [heapAddress(dy), gradients, H, W, O, first, count];
      threads.run("winogradGradients", units, gradientArgs, 1024);
      const args = [inputs, gradients, sums, C, O, count, first > 0 ? 1 : 0];
      threads.run("winogradProducts", POINTS * Math.ceil(quads / 4), args);
    }
    threads.run("winogradWeightGradient", quads * panels, [sums, heapAddress(dw), C, O], 1024);
  });
}

function direct(
  threads: KernelThreads,
  x: tf.TensorInfo,
  w: tf.TensorInfo,
  y: tf.TensorInfo,
  { stride, transposed, bias }: { stride: number; transposed: boolean; bias?: tf.TensorInfo },
): void {
  const kernel = w.shape[0];
  const [, H, W, C] = x.shape;
  const [B, OH, OW, O] = y.shape;
  const taps = kernel * kernel;
  const panels = Math.ceil(O / PANEL);
  const phases = transposed ? stride : 1;
  const pixels = B * Math.ceil(OH / phases) * Math.ceil(OW / phases);
  const blocks = phases * phases * Math.ceil(pixels / PIXELS);
  const shares = sharesOfPanels(panels, blocks);
  const swap = transposed ? 1 : 0;
  borrow([panels * taps * C * PANEL, C], ([packed, zeros]) => {
    floats(zeros, C).fill(0);
    threads.run("packWeights", panels, [heapAddress(w), packed, taps, C, O, swap]);
    threads.run("convolve", blocks * shares, [
      ...[heapAddress(x), packed, bias ? heapAddress(bias) : 0, heapAddress(y), zeros],
      ...[H, W, C, OH, OW, O, kernel, stride, swap, B, shares],
    ], (PIXELS + 128 + taps * PIXELS) * 4);
  });
}

function directWeightGradient(
  threads: KernelThreads,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  dw: tf.TensorInfo,
  stride: number,
): void {
  const [B, H, W, C] = x.shape;
  const [, OH, OW, O] = dy.shape;
  const k = dw.shape[0];
  const panels = Math.ceil(O / PANEL);
  const rows = B * OH * OW;
  borrow([panels * rows * PANEL], ([packed]) => {
    threads.run("packRows", Math.ceil(rows / 64), [heapAddress(dy), packed, rows, O]);
    threads.run("weightGradient", Math.ceil(C / 4), [
      ...[heapAddress(x), packed, heapAddress(dw)],
      ...[B, H, W, C, OH, OW, O, k, stride],
    ], ((W + k - 1) * (H + k - 1) * 4 + k * k * panels * 32) * 4);
  });
}

/** With few blocks of work their panels are divided among the threads as well, or most would be idle. */
export function sharesOfPanels(panels: number, blocks: number): number {
  return Math.min(panels, Math.ceil(32 / blocks));
}

/** 4x4 tiles that cover the pixels. */
function tileCount([B, H, W]: number[]): number {
  return B * Math.ceil(H / 4) * Math.ceil(W / 4);
}

/** Floats from one point of a transformed array to the next, as in `kernels/winograd.ts`. */
function pointStride(count: number): number {
  return count + 16;
}

function floats(address: number, count: number): Float32Array {
  return new Float32Array(wasmHeap().HEAPU8.buffer, address, count);
}
