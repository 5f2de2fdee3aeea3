/**
 * tfjs's WASM backend on memory that worker threads can see.
 *
 * tfjs ships its single-threaded SIMD kernels with a private memory. A WebAssembly memory is shared
 * by declaring it so: one bit in the module's memory section. That bit is set here before tfjs
 * compiles the module; everything else stays as tfjs ships it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type BackendWasm, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import simdModule from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm" with {
  type: "bytes",
};

const MEMORY_SECTION = 5;
const HAS_MAXIMUM = 1;
const SHARED = 2;

/** The memory of tfjs's WASM backend as its C runtime (Emscripten) offers it. */
export interface Heap {
  /** All bytes; replaced by a longer view when the memory grows. */
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** The heap of the active `wasm` backend. */
export function wasmHeap(): Heap {
  return (tf.backend() as BackendWasm).wasm as unknown as Heap;
}

/** The address of a tensor's first number in the heap of the active `wasm` backend. */
export function heapAddress(tensor: tf.TensorInfo): number {
  return (tf.backend() as BackendWasm).dataIdMap.get(tensor.dataId).memoryOffset;
}

/** Lends memory for arrays of so many floats while `use` runs. */
export function borrow(counts: number[], use: (addresses: number[]) => void): void {
  const heap = wasmHeap();
  const addresses: number[] = [];
  try {
    for (const count of counts) addresses.push(heap._malloc(count * 4) >>> 0);
    use(addresses);
  } finally {
    for (const address of addresses) heap._free(address);
  }
}

/** Starts tfjs's `wasm` backend on shared memory and returns that memory. */
export async function startWasmBackend(): Promise<WebAssembly.Memory> {
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // tfjs's threads do not start in Deno
  const url = URL.createObjectURL(
    new Blob([declareMemoryShared(simdModule)], { type: "application/wasm" }),
  );
  setWasmPaths({
    "tfjs-backend-wasm.wasm": url,
    "tfjs-backend-wasm-simd.wasm": url,
    "tfjs-backend-wasm-threaded-simd.wasm": url,
  }, true);
  const memory = await captureMemory(() => tf.setBackend("wasm"));
  URL.revokeObjectURL(url);
  refuseNull(wasmHeap());
  return memory;
}

/** Where no memory is left, tfjs would write to address 0, over somebody else's: an error instead. */
function refuseNull(heap: Heap): void {
  heap._free(heap._malloc(1)); // the first call puts the real function in the place of a stub
  const malloc = heap._malloc;
  heap._malloc = (bytes) => {
    const address = malloc(bytes);
    if (address === 0) {
      throw new WebAssembly.RuntimeError(`WASM's memory, 4 GB in all, has no ${bytes} bytes left`);
    }
    return address;
  };
}

/** A copy of a module with its memory, which must have a maximum, declared as shared. */
export function declareMemoryShared(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(module);
  let at = 8; // after the magic number and the version
  while (at < bytes.length) {
    const section = bytes[at];
    const [length, start] = readUnsigned(bytes, at + 1);
    if (section === MEMORY_SECTION) {
      const [, limits] = readUnsigned(bytes, start); // after the number of memories
      if (bytes[limits] !== HAS_MAXIMUM) break;
      bytes[limits] |= SHARED;
      return bytes;
    }
    at = start + length;
  }
  throw new Error("tfjs's WASM module declares its memory in an unexpected way: was it updated?");
}

/** LEB128: the value at `at` and the position after it. */
function readUnsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 127) << shift;
    if (byte < 128) return [value >>> 0, at];
  }
}

/** Runs `start` and returns the memory of the WebAssembly instance it makes: tfjs keeps it to itself. */
async function captureMemory(start: () => Promise<unknown>): Promise<WebAssembly.Memory> {
  const instantiate = WebAssembly.instantiate;
  let memory: WebAssembly.Memory | undefined;
  WebAssembly.instantiate = (async (bytes: BufferSource, imports: WebAssembly.Imports) => {
    const result = await instantiate(bytes, imports);
    memory = Object.values(result.instance.exports).find((e) => e instanceof WebAssembly.Memory);
    return result;
  }) as typeof WebAssembly.instantiate;
  try {
    await start();
  } finally {
    WebAssembly.instantiate = instantiate;
  }
  if (!memory) throw new Error("tfjs's WASM backend did not start");
  return memory;
}
