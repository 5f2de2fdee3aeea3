/**
 * The optimizer's work on flat vectors, on the `wasm` backend.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { AdamStep, FlatOperations, FlatVectors } from "../flat.ts";
import { type Heap, heapAddress } from "./shared_memory.ts";
import { floatBits, type KernelThreads } from "./threads.ts";

/** Numbers in one unit of the kernels. */
const CHUNK = 4096;

/** Copies within the backend's memory and the fused Adam kernel. */
export function wasmFlatOperations(
  heap: Heap,
  threads: () => KernelThreads,
): FlatOperations {
  const copy = (to: number, from: number, count: number) =>
    heap.HEAPU8.copyWithin(to, from, from + count * 4);

  function norm(vector: tf.Tensor): number {
    const units = Math.ceil(vector.size / CHUNK);
    const partial = heap._malloc(units * 8) >>> 0;
    threads().run("sumSquares", units, [heapAddress(vector), partial, vector.size]);
    let total = 0;
    for (const sum of new Float64Array(heap.HEAPU8.buffer, partial, units)) total += sum;
    heap._free(partial);
    return Math.sqrt(total);
  }

  return {
    gather(parts, flat) {
      let to = heapAddress(flat);
      for (const part of parts) {
        copy(to, heapAddress(part), part.size);
        to += part.size * 4;
      }
    },
    scatter(flat, parts) {
      let from = heapAddress(flat);
      for (const part of parts) {
        copy(heapAddress(part), from, part.size);
        from += part.size * 4;
      }
    },
    step({ weights, gradient, m, v, ema }: FlatVectors, numbers: AdamStep) {
      const { learningRate, beta1, beta2, epsilon, step, clipNorm, emaDecay } = numbers;
      const scale = clipNorm === Infinity ? 1 : Math.min(1, clipNorm / norm(gradient));
      const vectors = [weights, gradient, m, v, ema].map(heapAddress);
      const stepSize = learningRate / (1 - beta1 ** step);
      const correction2 = 1 / Math.sqrt(1 - beta2 ** step);
      const floats = [scale, beta1, beta2, stepSize, epsilon, emaDecay, correction2];
      const args = [...vectors, weights.size, ...floats.map(floatBits)];
      threads().run("adam", Math.ceil(weights.size / CHUNK), args);
    },
  };
}
