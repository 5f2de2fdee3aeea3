/**
 * The project's kernels for tfjs's `wasm` backend: where each operation's tensors lie, how its work
 * is cut into units, and which exported kernel of `kernels.wasm` does them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { ADD } from "../ops/add.ts";
import { ATTENTION, ATTENTION_GRADIENT, SOFTMAX, SOFTMAX_GRADIENT } from "../ops/attention.ts";
import { CONCAT, CONCAT_GRADIENT } from "../ops/concat.ts";
import { CONV2D, CONV2D_INPUT_GRADIENT, CONV2D_WEIGHT_GRADIENT } from "../ops/conv2d.ts";
import { DROPOUT, type DropoutAttributes } from "../ops/dropout.ts";
import { GROUP_NORM, GROUP_NORM_GRADIENT } from "../ops/group_norm.ts";
import { asMatrices, LINEAR, LINEAR_GRADIENT, MAT_MUL, productShape } from "../ops/mat_mul.ts";
import { onlyComposed, replaceKernel } from "../ops/operation.ts";
import { ADD_PER_SAMPLE, SUM_PIXELS } from "../ops/per_sample.ts";
import { RELU, RELU_GRADIENT } from "../ops/relu.ts";
import { SILU, SILU_GRADIENT } from "../ops/silu.ts";
import { UPSAMPLE, UPSAMPLE_GRADIENT } from "../ops/upsample.ts";
import { convolve, convolveWeightGradient, sharesOfPanels } from "./convolutions.ts";
import { borrow, heapAddress } from "./shared_memory.ts";
import { floatBits, type KernelThreads } from "./threads.ts";

type Infos = Record<string, tf.TensorInfo>;
type Attributes = Record<string, unknown>;

/** Output channels or columns that a kernel computes together. */
const PANEL = 8;
/** Scratch memory of a kernel that computes exponentials: its constants. */
const EXP_BYTES = 192;
/** Numbers in one unit of an elementwise kernel. */
const CHUNK = 4096;

/**
 * Gives the wasm backend fast kernels for every operation of the project. Call it once, with
 * the backend active.
 *
 * @param threads Gives the threads to run on; called at every operation.
 */
export function registerWasmKernels(threads: () => KernelThreads): void {
  const kernels = new WasmKernels(tf.backend() as BackendWasm, threads);
  const register = (
    name: string,
    kernel: (inputs: Infos, attributes: Attributes) => tf.TensorInfo | tf.TensorInfo[],
  ) =>
    replaceKernel(
      name,
      "wasm",
      ({ inputs, attrs }) => kernel(inputs as Infos, (attrs ?? {}) as Attributes),
    );
  register(CONV2D, (inputs, attributes) => kernels.conv2d(inputs, attributes));
  register(CONV2D_INPUT_GRADIENT, (i, a) => kernels.conv2dInputGradient(i, a));
  register(CONV2D_WEIGHT_GRADIENT, (i, a) => kernels.conv2dWeightGradient(i, a));
  register(
    MAT_MUL,
    ({ a, b }, { transposeA, transposeB }) =>
      kernels.matMul(a, b, Boolean(transposeA), Boolean(transposeB)),
  );
  register(LINEAR, ({ x, w, bias }) => kernels.matMul(x, w, false, false, bias));
  register(LINEAR_GRADIENT, ({ x, w, dy }) => kernels.linearGradient(x, w, dy));
  register(GROUP_NORM, (inputs, attributes) => kernels.groupNorm(inputs, attributes));
  register(GROUP_NORM_GRADIENT, (i, a) => kernels.groupNormGradient(i, a));
  register(ATTENTION, (inputs, attributes) => kernels.attention(inputs, attributes));
  register(ATTENTION_GRADIENT, (i, a) => kernels.attentionGradient(i, a));
  register(SOFTMAX, ({ x }, { scale }) => kernels.softmax("softmax", [x], scale as number));
  register(
    SOFTMAX_GRADIENT,
    ({ y, dy }, { scale }) => kernels.softmax("softmaxGradient", [y, dy], scale as number),
  );
  register(RELU, ({ x }) => kernels.elementwise("relu", [x]));
  register(RELU_GRADIENT, ({ y, dy }) => kernels.elementwise("reluGradient", [y, dy]));
  register(SILU, ({ x }) => kernels.elementwise("silu", [x]));
  register(SILU_GRADIENT, ({ x, dy }) => kernels.elementwise("siluGradient", [x, dy]));
  register(
    DROPOUT,
    ({ x }, attributes) => kernels.dropout(x, attributes as unknown as DropoutAttributes),
  );
  register(ADD_PER_SAMPLE, ({ x, v }) => kernels.addPerSample(x, v));
  register(SUM_PIXELS, ({ x }, attributes) => kernels.sumPixels(x, attributes));
  register(UPSAMPLE, ({ x }) => kernels.upsample(x));
  register(UPSAMPLE_GRADIENT, ({ dy }) => kernels.upsampleGradient(dy));
  register(ADD, ({ a, b }) => kernels.elementwise("add", [a, b]));
  register(CONCAT, ({ a, b }) => kernels.concatColumns([a, b]));
  register(
    CONCAT_GRADIENT,
    ({ dy }, { channels }) => kernels.splitColumns(dy, channels as number[]),
  );
  registerPlainKernels(kernels);
}

/**
 * tfjs's own sum, concatenation and slice, on all cores where the tensors have the plain form that
 * a network uses (equal shapes; the last axis); anything else goes to tfjs's kernel as before.
 */
function registerPlainKernels(kernels: WasmKernels): void {
  const wrap = (
    name: string,
    kernel: (
      inputs: Infos,
      attributes: Attributes,
    ) => tf.TensorInfo | tf.TensorInfo[] | undefined,
  ) => {
    const original = tf.getKernel(name, "wasm").kernelFunc;
    replaceKernel(
      name,
      "wasm",
      (call) =>
        (onlyComposed()
          ? undefined
          : kernel(call.inputs as Infos, (call.attrs ?? {}) as Attributes)) ?? original(call),
    );
  };
  wrap("Add", ({ a, b }) => {
    const plain = a.dtype === "float32" && b.dtype === "float32" &&
      tf.util.arraysEqual(a.shape, b.shape);
    return plain ? kernels.elementwise("add", [a, b]) : undefined;
  });
  wrap("Concat", (inputs, { axis }) => {
    const parts = Object.values(inputs);
    const last = parts[0].shape.length - 1;
    const plain = axis === last && parts.every((p) => p.dtype === "float32" && size(p) > 0);
    return plain ? kernels.concatColumns(parts) : undefined;
  });
  wrap("SplitV", ({ x }, { numOrSizeSplits, axis }) => {
    const last = x.shape.length - 1;
    if (x.dtype !== "float32" || (axis !== last && axis !== -1)) return undefined;
    return kernels.splitColumns(
      x,
      tf.backend_util.prepareSplitSize(
        x as tf.Tensor,
        numOrSizeSplits as number | number[],
        last,
      ),
    );
  });
}

class WasmKernels {
  readonly #backend: BackendWasm;
  readonly #currentThreads: () => KernelThreads;

  constructor(backend: BackendWasm, threads: () => KernelThreads) {
    this.#backend = backend;
    this.#currentThreads = threads;
  }

  get #threads(): KernelThreads {
    return this.#currentThreads();
  }

  conv2d({ x, w, bias }: Infos, { stride }: Attributes): tf.TensorInfo {
    const s = stride as number;
    const [B, H, W] = x.shape;
    const y = this.#output([B, Math.ceil(H / s), Math.ceil(W / s), w.shape[3]]);
    convolve(this.#threads, x, w, y, { stride: s, transposed: false, bias });
    return y;
  }

  conv2dInputGradient({ dy, w }: Infos, { stride, inputShape }: Attributes): tf.TensorInfo {
    const dx = this.#output(inputShape as number[]);
    convolve(this.#threads, dy, w, dx, { stride: stride as number, transposed: true });
    return dx;
  }

  conv2dWeightGradient({ x, dy }: Infos, { kernel, stride }: Attributes): tf.TensorInfo {
    const k = kernel as number;
    const dw = this.#output([k, k, x.shape[3], dy.shape[3]]);
    convolveWeightGradient(this.#threads, x, dy, dw, { stride: stride as number });
    return dw;
  }

  matMul(
    a: tf.TensorInfo,
    b: tf.TensorInfo,
    transposeA: boolean,
    transposeB: boolean,
    bias?: tf.TensorInfo,
  ): tf.TensorInfo {
    const c = this.#output(
      productShape(a.shape, b.shape[b.shape.length - (transposeB ? 2 : 1)], transposeA),
    );
    const [shapeA, shapeB] = [asMatrices(a.shape), asMatrices(b.shape)];
    this.#multiply(matrices(a, shapeA), matrices(b, shapeB), heapAddress(c), {
      transposeA,
      transposeB,
      bias: bias ? heapAddress(bias) : 0,
      biasOfEach: bias?.shape.length === 2,
    });
    return c;
  }

  linearGradient(x: tf.TensorInfo, w: tf.TensorInfo, dy: tf.TensorInfo): tf.TensorInfo[] {
    return [
      this.matMul(dy, w, false, true),
      this.matMul(x, dy, true, false),
      this.sumPixels(dy, { perSample: w.shape.length === 3 }),
    ];
  }

  #multiply(
    a: Matrices,
    b: Matrices,
    c: number,
    { transposeA = false, transposeB = false, bias = 0, biasOfEach = false }: {
      transposeA?: boolean;
      transposeB?: boolean;
      bias?: number;
      biasOfEach?: boolean;
    },
  ): void {
    const [M, K] = transposeA ? [a.columns, a.rows] : [a.rows, a.columns];
    const P = transposeB ? b.rows : b.columns;
    const panels = Math.ceil(P / PANEL);
    borrow([a.count * panels * K * PANEL], ([packed]) => {
      const [rowB, columnB] = transposeB ? [1, b.columns] : [b.columns, 1];
      const [rowA, columnA] = transposeA ? [1, a.columns] : [a.columns, 1];
      this.#threads.run(
        "packColumns",
        a.count * panels,
        [b.address, packed, K, P, rowB, columnB, b.rows * b.columns],
      );
      const blocks = a.count * Math.ceil(M / 32);
      const shares = sharesOfPanels(panels, blocks);
      this.#threads.run("multiply", blocks * shares, [
        ...[a.address, packed, c, M, K, P, rowA, columnA, M * K],
        ...[bias, biasOfEach ? P : 0, shares],
      ]);
    });
  }

  attention({ q, k, v }: Infos, { scale }: Attributes): tf.TensorInfo[] {
    const [Q, K, V] = [q, k, v].map(pixels);
    const y = this.#output(q.shape);
    const weights = this.#output([Q.count, Q.rows, Q.rows]);
    this.#multiply(Q, K, heapAddress(weights), { transposeB: true });
    this.#softmax("softmax", [weights], weights, scale as number);
    this.#multiply(matrices(weights, weights.shape), V, heapAddress(y), {});
    return [y, weights];
  }

  attentionGradient({ q, k, v, weights, dy }: Infos, { scale }: Attributes): tf.TensorInfo[] {
    const [Q, K, V, DY] = [q, k, v, dy].map(pixels);
    const [dq, dk, dv] = [q, k, v].map((tensor) => this.#output(tensor.shape));
    const A = matrices(weights, weights.shape);
    this.#multiply(A, DY, heapAddress(dv), { transposeA: true });
    const dScores = this.#output(weights.shape);
    this.#multiply(DY, V, heapAddress(dScores), { transposeB: true });
    this.#softmax("softmaxGradient", [weights, dScores], dScores, scale as number);
    const S = matrices(dScores, dScores.shape);
    this.#multiply(S, K, heapAddress(dq), {});
    this.#multiply(S, Q, heapAddress(dk), { transposeA: true });
    this.#backend.disposeData(dScores.dataId);
    return [dq, dk, dv];
  }

  groupNorm({ x }: Infos, { groups, silu, epsilon }: Attributes): tf.TensorInfo[] {
    const [B, H, W, C] = x.shape;
    const y = this.#output(x.shape);
    const moments = this.#output([B, groups as number, 2]);
    const width = groupNormWidth(C, C / (groups as number));
    this.#threads.run("groupNorm", B * Math.ceil(C / width), [
      ...[heapAddress(x), heapAddress(y), heapAddress(moments), B, H * W, C],
      ...[groups as number, silu ? 1 : 0, floatBits(epsilon as number), width],
    ], EXP_BYTES + 3 * (width + 8) * 4);
    return [y, moments];
  }

  groupNormGradient({ x, dy, moments }: Infos, { groups, silu }: Attributes): tf.TensorInfo {
    const [B, H, W, C] = x.shape;
    const dx = this.#output(x.shape);
    const width = groupNormWidth(C, C / (groups as number));
    this.#threads.run("groupNormGradient", B * Math.ceil(C / width), [
      ...[heapAddress(x), heapAddress(dy), heapAddress(moments), heapAddress(dx)],
      ...[B, H * W, C, groups as number, silu ? 1 : 0, width],
    ], EXP_BYTES + 6 * (width + 8) * 4);
    return dx;
  }

  softmax(kernel: string, inputs: tf.TensorInfo[], scale: number): tf.TensorInfo {
    const y = this.#output(inputs[0].shape);
    this.#softmax(kernel, inputs, y, scale);
    return y;
  }

  /** A kernel over the rows of the last axis; y may be one of the inputs. */
  #softmax(kernel: string, inputs: tf.TensorInfo[], y: tf.TensorInfo, scale: number): void {
    const n = y.shape[y.shape.length - 1];
    const addresses = [...inputs, y].map((t) => heapAddress(t));
    this.#threads.run(kernel, size(y) / n, [...addresses, n, floatBits(scale)], EXP_BYTES);
  }

  elementwise(kernel: string, inputs: tf.TensorInfo[]): tf.TensorInfo {
    const y = this.#output(inputs[0].shape);
    const addresses = [...inputs, y].map((t) => heapAddress(t));
    this.#threads.run(kernel, Math.ceil(size(y) / CHUNK), [...addresses, size(y)], EXP_BYTES);
    return y;
  }

  dropout(x: tf.TensorInfo, attributes: DropoutAttributes): tf.TensorInfo {
    const { threshold, scale, key0, key1, step } = attributes;
    const y = this.#output(x.shape);
    const args = [heapAddress(x), heapAddress(y), size(y), threshold, floatBits(scale)];
    this.#threads.run("dropout", Math.ceil(size(y) / CHUNK), [...args, key0, key1, step]);
    return y;
  }

  addPerSample(x: tf.TensorInfo, v: tf.TensorInfo): tf.TensorInfo {
    const [B, H, W, C] = x.shape;
    const y = this.#output(x.shape);
    const addresses = [x, v, y].map((t) => heapAddress(t));
    this.#threads.run("addPerSample", B * H * W, [...addresses, H * W, C]);
    return y;
  }

  sumPixels(x: tf.TensorInfo, { perSample }: Attributes): tf.TensorInfo {
    const C = x.shape[x.shape.length - 1];
    const B = perSample ? x.shape[0] : 1;
    const P = size(x) / (B * C);
    const y = this.#output(perSample ? [B, C] : [C]);
    const args = [heapAddress(x), heapAddress(y), P, C];
    this.#threads.run("sumPixels", B * Math.ceil(C / 16), args);
    return y;
  }

  upsample(x: tf.TensorInfo): tf.TensorInfo {
    const [B, H, W, C] = x.shape;
    const y = this.#output([B, 2 * H, 2 * W, C]);
    this.#threads.run("upsample", B * H, [heapAddress(x), heapAddress(y), W, C]);
    return y;
  }

  upsampleGradient(dy: tf.TensorInfo): tf.TensorInfo {
    const [B, H, W, C] = dy.shape;
    const dx = this.#output([B, H / 2, W / 2, C]);
    const args = [heapAddress(dy), heapAddress(dx), W / 2, C];
    this.#threads.run("upsampleGradient", B * H / 2, args);
    return dx;
  }

  concatColumns(parts: tf.TensorInfo[]): tf.TensorInfo {
    const widths = parts.map((part) => part.shape[part.shape.length - 1]);
    const total = widths.reduce((sum, width) => sum + width, 0);
    const y = this.#output([...parts[0].shape.slice(0, -1), total]);
    const rows = size(y) / total;
    let to = 0;
    parts.forEach((part, i) => {
      this.#copyColumns(part, y, { rows, from: 0, to, count: widths[i] });
      to += widths[i];
    });
    return y;
  }

  splitColumns(x: tf.TensorInfo, widths: number[]): tf.TensorInfo[] {
    const rows = size(x) / x.shape[x.shape.length - 1];
    let from = 0;
    return widths.map((count) => {
      const part = this.#output([...x.shape.slice(0, -1), count]);
      this.#copyColumns(x, part, { rows, from, to: 0, count });
      from += count;
      return part;
    });
  }

  #copyColumns(
    x: tf.TensorInfo,
    y: tf.TensorInfo,
    { rows, from, to, count }: { rows: number; from: number; to: number; count: number },
  ): void {
    const [width, newWidth] = [x, y].map((t) => t.shape[t.shape.length - 1]);
    const args = [heapAddress(x), heapAddress(y), rows, width, from, count, newWidth, to];
    this.#threads.run("copyColumns", Math.ceil(rows / 16), args);
  }

  #output(shape: number[]): tf.TensorInfo {
    return this.#backend.makeOutput(shape, "float32");
  }
}

/** N matrices, one behind the other. */
interface Matrices {
  address: number;
  count: number;
  rows: number;
  columns: number;
}

function matrices(tensor: tf.TensorInfo, shape: number[]): Matrices {
  const [rows, columns] = shape.slice(-2);
  const count = shape.length === 3 ? shape[0] : 1;
  return { address: heapAddress(tensor), count, rows, columns };
}

/** [B, …, C] as B matrices with a row for each pixel. */
function pixels(x: tf.TensorInfo): Matrices {
  const [B, C] = [x.shape[0], x.shape[x.shape.length - 1]];
  return matrices(x, [B, size(x) / (B * C), C]);
}

/** Channels in a unit of group normalization: about 16, in whole groups and whole vectors of four. */
function groupNormWidth(channels: number, groupSize: number): number {
  for (let width = groupSize; width < channels; width += groupSize) {
    if (width % 4 === 0 && width >= 16 && channels % width === 0) return width;
  }
  return channels;
}

function size(tensor: tf.TensorInfo): number {
  return tf.util.sizeFromShape(tensor.shape);
}
