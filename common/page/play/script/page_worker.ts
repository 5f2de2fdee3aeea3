/// <reference lib="dom" />
import type { CallName, Events, Given, Got, Message, Request } from "../protocol.ts";

type Answer = { resolve: (got: unknown) => void; reject: (error: Error) => void };

/** A worker whose code is a file beside the page. */
export class PageWorker {
  readonly #worker: Promise<Worker>;
  readonly #waiting = new Map<number, Answer>();
  readonly #listeners = new Map<string, ((detail: never) => void)[]>();
  #count = 0;

  /**
   * Loads the worker's code and starts it.
   *
   * @param file It sets a global variable to the code.
   * @param source The code, once the file is loaded.
   */
  constructor(file: string, source: () => string | undefined) {
    this.#worker = this.#start(file, source);
    this.#worker.catch(() => {}); // said by the first call
  }

  /** Asks the worker for something. */
  async ask<C extends CallName>(name: C, given: Given<C>): Promise<Got<C>> {
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

  /** Ends the worker; it is not heard any more, and whoever waits for an answer gets none. */
  end(): void {
    this.#listeners.clear();
    this.#worker.then((worker) => worker.terminate(), () => {});
  }

  async #start(file: string, source: () => string | undefined): Promise<Worker> {
    await loadScript(file);
    const code = source();
    if (!code) throw new Error(`${file} is not what it should be`);
    // from a blob, so that it also starts where the page is a file on the disk
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
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
