// The threads under the WASM kernels: they take part, they change nothing, they end, and a failure
// in one reaches the caller.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { selectBackend } from "../common/backend.ts";
import { conv2d } from "../common/engine/ops/conv2d.ts";
import { normal } from "../common/random.ts";
import { declareMemoryShared, wasmHeap } from "../common/engine/wasm/shared_memory.ts";
import { startWasm, wasmThreads } from "../common/engine/wasm/start.ts";
import { Crew } from "../common/engine/wasm/threads.ts";

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

Deno.test("a worker that is late gives up its place for a while, one that is as slow as all does not", () => {
  let now = 0;
  const clock = performance.now;
  performance.now = () => now;
  try {
    const crew = new Crew(2, new Int32Array(400));
    now = 1000;
    crew.waited(5, 4); // the others take 4 ms for a chunk
    assertEquals(crew.size(), 2);
    crew.waited(5, 0.1);
    assertEquals(crew.size(), 1); // for 4 times 5 ms
    now += 21;
    assertEquals(crew.size(), 2);
    crew.waited(5, 0.1); // late again: twice as long
    now += 21;
    assertEquals(crew.size(), 1);
    now += 20;
    assertEquals(crew.size(), 2);
    for (let i = 0; i < 5; i++) crew.waited(5, 0.1);
    assertEquals(crew.size(), 0);
    now += 1000; // one place after the other
    assertEquals(crew.size(), 1);
    assertEquals(crew.size(), 1);
    now += 1000;
    assertEquals(crew.size(), 2);
  } finally {
    performance.now = clock;
  }
});

Deno.test("a thread that spins on one of the cores changes no byte", async () => {
  const expected = await convolution().data();
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const source = "onmessage = ({ data }) => { while (Atomics.load(data, 0) === 0); close(); }";
  const spinners = Array.from({ length: navigator.hardwareConcurrency }, () => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    return new Worker(url, { type: "module" });
  });
  for (const spinner of spinners) spinner.postMessage(flag);
  const backend = await selectBackend("wasm", { workers: 3 });
  for (let i = 0; i < 50; i++) {
    const y = convolution();
    assertEquals(await y.data(), expected);
    y.dispose();
  }
  Atomics.store(flag, 0, 1);
  backend.dispose();
});

Deno.test("a failing worker ends the next job with its message", async () => {
  const threads = await startWasm(3);
  await new Promise((resolve) => setTimeout(resolve, 300)); // all threads are up
  const error = assertThrows(() => {
    // addresses far outside of the memory: whichever thread takes a unit fails
    for (let i = 0; i < 50; i++) {
      threads.run("silu", 64, [0xfffffff0 | 0, 0xfffffff0 | 0, 1 << 28], 192);
    }
  });
  assert(/worker thread failed: RuntimeError|memory access out of bounds/.test(String(error)));
  threads.dispose();
});

Deno.test("where no memory is left there is an error, and no tensor at address 0", async () => {
  const backend = await selectBackend("wasm", { workers: 1 });
  const heap = wasmHeap();
  const addresses: number[] = [];
  const takeAll = () => {
    for (let i = 0; i < 5; i++) addresses.push(heap._malloc(2 ** 30)); // 5 GB, of which none is touched
  };
  assertThrows(takeAll, WebAssembly.RuntimeError, "WASM's memory, 4 GB in all, has no 1073741824");
  assertEquals(addresses.includes(0), false);
  for (const address of addresses) heap._free(address);
  backend.dispose();
});

Deno.test("a module without a memory of its own is refused", () => {
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  assertThrows(() => declareMemoryShared(empty), Error, "was it updated?");
});
