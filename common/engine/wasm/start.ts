/**
 * Starts the `wasm` backend with the project's kernels on several threads.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { useFlatOperations } from "../flat.ts";
import { wasmFlatOperations } from "./flat.ts";
import kernels from "./kernels.wasm" with { type: "bytes" };
import { registerWasmKernels } from "./register.ts";
import { startWasmBackend, wasmHeap } from "./shared_memory.ts";
import { KernelThreads } from "./threads.ts";

let memory: Promise<WebAssembly.Memory> | undefined;
let current: KernelThreads | undefined;

/**
 * Makes `wasm` the active backend and runs its kernels on `threads` threads, the calling one
 * included. A second call keeps the tensors and changes the number of threads.
 */
export async function startWasm(threads: number): Promise<KernelThreads> {
  const first = memory === undefined;
  memory ??= startWasmBackend();
  const shared = await memory;
  await tf.setBackend("wasm");
  current?.dispose();
  const heap = wasmHeap();
  current = new KernelThreads({
    memory: shared,
    kernels,
    threads,
    allocate: (bytes) => heap._malloc(bytes) >>> 0,
    release: (address) => heap._free(address),
  });
  if (first) {
    registerWasmKernels(wasmThreads);
    useFlatOperations("wasm", wasmFlatOperations(heap, wasmThreads));
  }
  return current;
}

/** The threads of the running backend, for kernels that work outside tfjs's registry. */
export function wasmThreads(): KernelThreads {
  if (!current) throw new Error("the wasm backend has not been started");
  return current;
}
