/// <reference lib="dom" />
import type { CallName, Events, Given, Got, Message, Request } from "../protocol.ts";

declare global {
  /** Set by engine.js: the worker's code as text. */
  var playEngine: string | undefined;
  /** Set by kernels.js: the kernels without relaxed SIMD. */
  var playKernels: string | undefined;
}

type Answer = { resolve: (got: unknown) => void; reject: (error: Error) => void };

/** The worker in which the papers compute. */
export class Engine {
  /** How many threads compute, once they do. */
  readonly threads: Promise<number>;
  readonly #worker: Promise<Worker>;
  readonly #waiting = new Map<number, Answer>();
  readonly #listeners = new Map<string, ((detail: never) => void)[]>();
  #count = 0;

  /** Loads the worker's code and starts it. */
  constructor() {
    this.#worker = this.#start();
    this.threads = this.#open();
    this.threads.catch(() => {}); // said by the first call
  }

  /** Asks the worker for something. */
  async call<C extends CallName>(name: C, given: Given<C>): Promise<Got<C>> {
    await this.threads;
    return await this.#ask(name, given);
  }

  async #ask<C extends CallName>(name: C, given: Given<C>): Promise<Got<C>> {
    const worker = await this.#worker;
    const id = this.#count++;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    worker.postMessage({ id, name, given } satisfies Request);
    return await answer as Got<C>;
  }

  /** Hears what the worker says unasked. */
  on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): void {
    this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener]);
  }

  async #start(): Promise<Worker> {
    await loadScript("engine.js");
    const source = globalThis.playEngine;
    if (!source) throw new Error("engine.js is not what it should be");
    // from a blob, so that it also starts where the page is a file on the disk
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(url);
    worker.addEventListener("message", ({ data }: MessageEvent<Message>) => this.#hear(data));
    worker.addEventListener("error", (event) => {
      const error = new Error(event.message || "the browser refused to start the worker");
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
      this.#emit("trouble", error.message);
    });
    return worker;
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
    const { threads } = await this.#ask("open", { threads: wanted, shared, kernels });
    return threads;
  }

  #hear(message: Message): void {
    if ("event" in message) return this.#emit(message.event, message.detail);
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ("error" in message) answer?.reject(new Error(message.error));
    else answer?.resolve(message.got);
  }

  #emit(event: string, detail: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(detail as never);
  }
}

/** A function of three constants and f32x4.relaxed_madd, which not every browser knows. */
const RELAXED_SIMD = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // the magic number and the version
  ...[1, 5, 1, 0x60, 0, 1, 0x7b], // a type: from nothing to four lanes
  ...[3, 2, 1, 0],
  ...[10, 19, 1, 17, 0, ...[1, 2, 3].flatMap(() => [0x41, 0, 0xfd, 0x0f]), 0xfd, 0x85, 2, 0x0b],
]);

/** Loads a file that lies beside the page; a script element works from the disk, too. */
export function loadScript(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = name;
    script.addEventListener("load", () => {
      script.remove();
      resolve();
    });
    script.addEventListener("error", () => reject(new Error(`${name} could not be loaded`)));
    document.head.append(script);
  });
}
