// The threads under the WASM kernels: they take part, they change nothing, they end, and a failure
// in one reaches the caller.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { selectBackend } from "../common/backend.ts";
import { conv2d } from "../common/engine/ops/conv2d.ts";
import { normal } from "../common/random.ts";
import { declareMemoryShared, wasmHeap } from "../common/engine/wasm/shared_memory.ts";
import { startWasm, wasmThreads } from "../common/engine/wasm/start.ts";

function convolution(): tf.Tensor4D {
  return tf.tidy(() => {
    const x = tf.tensor4d(normal({ seed: 1, stream: "x" }, 4 * 24 * 24 * 20), [4, 24, 24, 20]);
    const w = tf.tensor4d(normal({ seed: 1, stream: "w" }, 9 * 20 * 36), [3, 3, 20, 36]);
    return conv2d(x, w, tf.zeros<tf.Rank.R1>([36]));
  });
}

Deno.test("1, 2, 3 and 8 threads give the same bytes, a hundred times over", async () => {
  let expected: Float32Array | undefined;
  for (const workers of [1, 2, 3, 8]) {
    const backend = await selectBackend("wasm", { workers });
    assertEquals(wasmThreads().threads, workers);
    for (let i = 0; i < 25; i++) {
      const y = convolution();
      const data = await y.data() as Float32Array;
      y.dispose();
      expected ??= data;
      assertEquals(data, expected);
    }
    backend.dispose();
  }
});

Deno.test("the heap is shared memory and survives its own growth", async () => {
  const backend = await selectBackend("wasm", { workers: 2 });
  assert((wasmHeap().HEAPU8.buffer as ArrayBufferLike) instanceof SharedArrayBuffer);
  const before = wasmHeap().HEAPU8.byteLength;
  const first = await convolution().data();
  const large = tf.zeros([64, 1024, 1024]); // 256 MiB
  assert(wasmHeap().HEAPU8.byteLength > before);
  assertEquals(await convolution().data(), first);
  large.dispose();
  backend.dispose();
});

Deno.test("a failing worker ends the next job with its message", async () => {
  const threads = await startWasm(3);
  await new Promise((resolve) => setTimeout(resolve, 300)); // all threads are up
  const error = assertThrows(() => {
    // addresses far outside of the memory: whichever thread takes a unit fails
    for (let i = 0; i < 50; i++) threads.run("silu", 64, [0xfffffff0 | 0, 0xfffffff0 | 0, 1 << 28]);
  });
  assert(/worker thread failed: RuntimeError|memory access out of bounds/.test(String(error)));
  threads.dispose();
});

Deno.test("a module without a memory of its own is refused", () => {
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  assertThrows(() => declareMemoryShared(empty), Error, "was it updated?");
});
