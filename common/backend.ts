/**
 * Which machine computes: a GPU through WebGPU, all cores through WASM, or plain JavaScript.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { UserError } from "./user_error.ts";
import { startWasm } from "./engine/wasm/start.ts";
import { startWebgpu } from "./engine/webgpu/start.ts";

/** The backends by name; `auto` takes the first that makes sense on this machine. */
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
  /** Ends worker threads. */
  dispose(): void;
}

/**
 * Starts a backend and makes it tfjs's active one.
 *
 * `auto` takes a hardware WebGPU adapter if there is one and WASM on all cores otherwise. A software
 * adapter and plain JavaScript are used only when asked for.
 *
 * @param name One of {@linkcode BACKEND_NAMES}.
 * @param options.workers Threads for WASM. Default: all cores.
 * @throws {UserError} `webgpu` where there is no adapter at all.
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
  const gpu = name === "wasm" ? undefined : await findAdapter();
  if (name === "webgpu" && !gpu) {
    throw new UserError(
      "--backend webgpu: this machine has no WebGPU adapter; install the GPU vendor's driver, or a " +
        "software adapter (Debian/Ubuntu: mesa-vulkan-drivers), or use --backend wasm",
    );
  }
  if (gpu && (name === "webgpu" || !gpu.software)) {
    await startWebgpu();
    const software = gpu.software ? "a software adapter, slower than --backend wasm" : "a GPU";
    return {
      name: "webgpu",
      adapter: gpu.name,
      hardware: !gpu.software,
      workers: 1,
      reason: `WebGPU on ${gpu.name}, ${software}`,
      dispose: () => {},
    };
  }
  const workers = options.workers ?? navigator.hardwareConcurrency;
  const threads = await startWasm(workers);
  const threadsInWords = `${workers} thread${workers === 1 ? "" : "s"}`;
  const why = name === "wasm"
    ? "as asked"
    : gpu
    ? `the only WebGPU adapter is software (${gpu.name}); a GPU would be faster`
    : "no WebGPU adapter was found; a GPU would be faster";
  return {
    name: "wasm",
    hardware: false,
    workers,
    reason: `WASM with ${threadsInWords}: ${why}`,
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

/** The machine's WebGPU adapter, or undefined. */
async function findAdapter(): Promise<{ name: string; software: boolean } | undefined> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return undefined;
  const { description, vendor, device } = adapter.info;
  const name = description || [vendor, device].filter(Boolean).join(" ") || "an unnamed adapter";
  // not every driver says of itself that it is software
  const software = adapter.info.isFallbackAdapter || /llvmpipe|swiftshader|lavapipe/i.test(name);
  return { name, software };
}
