/**
 * Which machine computes: a GPU through WebGPU, all cores through WASM, or plain JavaScript.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { UserError } from "./user_error.ts";
import { startWasm } from "./engine/wasm/start.ts";
import { type Adapter, findAdapter } from "./engine/webgpu/adapter.ts";
import { DeviceFault } from "./engine/webgpu/faults.ts";
import { startWebgpu } from "./engine/webgpu/start.ts";

/** The backends by name; `auto` takes the one that makes sense on this machine. */
export const BACKEND_NAMES = ["auto", "webgpu", "wasm", "cpu"] as const;
/** What `--backend` accepts. */
export type BackendName = typeof BACKEND_NAMES[number];

/** The backend in use. */
export interface Backend {
  /** What computes. */
  name: "webgpu" | "wasm" | "cpu";
  /** The GPU adapter's name; only with `webgpu`. */
  adapter?: string;
  /** Whether a GPU computes: false for the CPU, a software adapter included. */
  hardware: boolean;
  /** Threads that compute: 1 but for `wasm`. */
  workers: number;
  /** One line: what was chosen, why, and what would be faster. */
  reason: string;
  /** Seconds that a training step took on each backend, where they were measured to choose one. */
  measured?: { webgpu: number; wasm: number };
  /** Ends worker threads. */
  dispose(): void;
}

/**
 * Starts a backend and makes it tfjs's active one.
 *
 * `auto` takes a hardware WebGPU adapter if there is one that gives a device, and WASM on all cores
 * otherwise; `common/run/backend_choice.ts` looks closer. A software adapter and plain JavaScript are
 * used only when asked for.
 *
 * @param name One of {@linkcode BACKEND_NAMES}.
 * @param options.workers Threads for WASM. Default: all cores.
 * @throws {UserError} `webgpu` where there is no adapter at all, or none that gives a device.
 *
 * @example A product on two cores
 * ```ts
 * import { selectBackend } from "./backend.ts";
 * import { assert } from "@std/assert";
 * import * as tf from "@tensorflow/tfjs";
 *
 * const backend = await selectBackend("wasm", { workers: 2 });
 * console.error(backend.reason); // WASM with 2 threads: as asked
 * const product = tf.matMul(tf.ones([64, 64]), tf.ones([64, 64]));
 * assert((await product.data())[0] === 64);
 * backend.dispose();
 * ```
 */
export async function selectBackend(
  name: BackendName,
  options: { workers?: number } = {},
): Promise<Backend> {
  tf.env().set("IS_NODE", false); // Deno looks like Node.js to tfjs, which then recommends a native add-on
  if (name === "cpu") return await startCpu();
  const wasm = (why: string) => startThreads(options.workers ?? navigator.hardwareConcurrency, why);
  if (name === "wasm") return await wasm("as asked");
  const adapter = await findAdapter();
  if (!adapter) {
    if (name === "auto") return await wasm("no WebGPU adapter was found; a GPU would be faster");
    throw new UserError(
      "--backend webgpu: this machine has no WebGPU adapter; install the GPU vendor's driver, or a " +
        "software adapter (Debian/Ubuntu: mesa-vulkan-drivers), or use --backend wasm",
    );
  }
  if (name === "auto" && adapter.software) {
    return await wasm(
      `the only WebGPU adapter is software (${adapter.name}); a GPU would be faster`,
    );
  }
  try {
    return await startGpu(adapter);
  } catch (error) {
    if (!(error instanceof DeviceFault)) throw error;
    if (name === "auto") return await wasm(`${adapter.name}: ${error.message}`);
    throw new UserError(
      `--backend webgpu, ${adapter.name}: ${error.message}; renew the driver, or use --backend wasm`,
      { exitCode: 1, cause: error },
    );
  }
}

async function startGpu(adapter: Adapter): Promise<Backend> {
  await startWebgpu(adapter);
  const what = adapter.software ? "a software adapter, slower than --backend wasm" : "a GPU";
  return {
    name: "webgpu",
    adapter: adapter.name,
    hardware: !adapter.software,
    workers: 1,
    reason: `WebGPU on ${adapter.name}, ${what}`,
    dispose: () => {},
  };
}

async function startThreads(workers: number, why: string): Promise<Backend> {
  const threads = await startWasm(workers);
  return {
    name: "wasm",
    hardware: false,
    workers,
    reason: `WASM with ${workers} thread${workers === 1 ? "" : "s"}: ${why}`,
    dispose: () => threads.dispose(),
  };
}

async function startCpu(): Promise<Backend> {
  await tf.setBackend("cpu");
  return {
    name: "cpu",
    hardware: false,
    workers: 1,
    reason: "plain JavaScript, as asked; --backend wasm is about a hundred times faster",
    dispose: () => {},
  };
}
