/// <reference lib="dom" />
import type { CallName, Events, Given, Got } from "../protocol.ts";
import { loadScript, PageWorker } from "./page_worker.ts";

declare global {
  /** Set by engine.js: the worker's code as text. */
  var playEngine: string | undefined;
  /** Set by kernels.js: the kernels without relaxed SIMD. */
  var playKernels: string | undefined;
}

/** The worker in which the papers compute. */
export class Engine {
  /** How many threads compute, once they do. */
  readonly threads: Promise<number>;
  readonly #worker = new PageWorker("engine.js", () => globalThis.playEngine);

  /** Loads the worker's code and starts it. */
  constructor() {
    this.threads = this.#open();
    this.threads.catch(() => {}); // said by the first call
  }

  /** Asks the worker for something. */
  async call<C extends CallName>(name: C, given: Given<C>): Promise<Got<C>> {
    await this.threads;
    return await this.#worker.ask(name, given);
  }

  /** Hears what the worker says unasked. */
  on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): void {
    this.#worker.on(event, listener);
  }

  /** A core stays for the page itself; memory is shared only where the page is isolated. */
  async #open(): Promise<number> {
    const shared = crossOriginIsolated;
    const wanted = shared ? Math.max(1, Math.min(8, navigator.hardwareConcurrency - 1)) : 1;
    let kernels: Uint8Array<ArrayBuffer> | undefined;
    if (!WebAssembly.validate(RELAXED_SIMD)) {
      await loadScript("kernels.js");
      kernels = Uint8Array.from(atob(globalThis.playKernels!), (c) => c.charCodeAt(0));
    }
    const { threads } = await this.#worker.ask("open", { threads: wanted, shared, kernels });
    return threads;
  }
}

/** A function of three constants and f32x4.relaxed_madd, which not every browser knows. */
const RELAXED_SIMD = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // the magic number and the version
  ...[1, 5, 1, 0x60, 0, 1, 0x7b], // a type: from nothing to four lanes
  ...[3, 2, 1, 0],
  ...[10, 19, 1, 17, 0, ...[1, 2, 3].flatMap(() => [0x41, 0, 0xfd, 0x0f]), 0xfd, 0x85, 2, 0x0b],
]);
