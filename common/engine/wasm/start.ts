/**
 * Starts the `wasm` backend with the project's kernels on several threads.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { useFlatOperations } from "../flat.ts";
import { wasmFlatOperations } from "./flat.ts";
import ownKernels from "./kernels.wasm" with { type: "bytes" };
import { registerWasmKernels } from "./register.ts";
import { startWasmBackend, wasmHeap, withMemory } from "./shared_memory.ts";
import { KernelThreads } from "./threads.ts";

let memory: Promise<WebAssembly.Memory> | undefined;
let current: KernelThreads | undefined;

/** What a browser may lack. */
export interface WasmOptions {
  /** Whether the memory can be shared by threads. Default: true; false is for one thread alone. */
  shared?: boolean;
  /** Kernels in the place of the project's own. */
  kernels?: Uint8Array<ArrayBuffer>;
}

/**
 * Makes `wasm` the active backend and runs its kernels on `threads` threads, the calling one
 * included. A second call keeps the tensors and changes the number of threads.
 */
export async function startWasm(
  threads: number,
  { shared = true, kernels = ownKernels }: WasmOptions = {},
): Promise<KernelThreads> {
  const first = memory === undefined;
  memory ??= startWasmBackend({ shared });
  const tensors = await memory;
  await tf.setBackend("wasm");
  current?.dispose();
  const heap = wasmHeap();
  current = new KernelThreads({
    memory: tensors,
    kernels: shared ? kernels : withMemory(kernels, { shared }),
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
