/// <reference lib="dom" />
import { findAdapter } from "../../../engine/webgpu/adapter.ts";
import type { CallName, Events, Given, Got, Snapshot, TrainingState } from "../protocol.ts";
import type { Engine } from "./engine.ts";
import { PageWorker } from "./page_worker.ts";

declare global {
  /** Set by gpu.js: the code of the worker that computes with the GPU, as text. */
  var playGpu: string | undefined;
}

/** What chapters b and c ask for. */
type PointCall = "begin" | "train" | "walk" | "samples";

/** About how many seconds a backend's steps are timed. */
const SECONDS = 0.3;
/** Seconds that a GPU may take for an answer, shaders compiled on the way, and a software adapter. */
const [PATIENCE, LONG_PATIENCE] = [30, 300];

/**
 * What chapters b and c compute with. A training begins with WASM. Where there is a GPU, and once the
 * training is on its way, a few steps are tried on both, from the same inputs: if the numbers agree and
 * the GPU is faster, the training goes on there. Whatever then fails, it goes on with WASM again.
 */
export class PointEngine {
  readonly #engine: Engine;
  readonly #takes: string;
  readonly #patience: number;
  readonly #say: (line: string, isGpu: boolean) => void;
  readonly #listeners: ((snapshot: Snapshot) => void)[] = [];
  #gpu: { name: string; worker: PageWorker } | undefined;
  #opened: Promise<void> | undefined;
  /** Whether there is no GPU to compute with, or none any more. */
  #isOver = false;
  #isOnGpu = false;
  #task: Given<"begin"> | undefined;
  #considered: Given<"begin"> | undefined;
  #isTraining = false;
  /** Why the GPU is not used any more. */
  #reason = "";
  #saved: TrainingState | undefined;
  #before: Promise<unknown> = Promise.resolve();
  #alarm: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins with WASM.
   *
   * @param options.takes "software" takes a software adapter for a GPU, "forced" also however slow it is.
   * @param options.say Says in a line what computes, and whether it is the GPU.
   */
  constructor(
    engine: Engine,
    { takes, say }: { takes: string; say: (line: string, isGpu: boolean) => void },
  ) {
    this.#engine = engine;
    this.#takes = takes;
    this.#patience = takes === "" ? PATIENCE : LONG_PATIENCE;
    this.#say = say;
    engine.on("snapshot", (snapshot) => {
      this.#hear(snapshot);
      if (snapshot.step > 0 && this.#isTraining) this.#consider();
    });
  }

  /** Asks for something, one call after the other. */
  call<C extends PointCall>(name: C, given: Given<C>): Promise<Got<C>> {
    return this.#inTurn(async () => {
      if (name === "begin") await this.#forget(given as Given<"begin">);
      if (name === "train") this.#isTraining = (given as Given<"train">).on;
      this.#watch();
      if (this.#isOnGpu) {
        try {
          return await this.#askGpu(name, given);
        } catch (error) {
          await this.#giveUp(error);
        }
      }
      return await this.#engine.call(name, given);
    });
  }

  /** Hears what is said unasked. */
  on<E extends "snapshot" | "trouble">(event: E, listener: (detail: Events[E]) => void): void {
    if (event === "trouble") this.#engine.on(event, listener);
    else this.#listeners.push(listener as (snapshot: Snapshot) => void);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#before.then(work);
    this.#before = done.catch(() => {});
    return done;
  }

  #hear(snapshot: Snapshot): void {
    if (snapshot.step >= snapshot.steps) this.#isTraining = false;
    this.#watch();
    for (const listener of this.#listeners) listener(snapshot);
  }

  /** A GPU that shows nothing any more while it trains has failed, too. */
  #watch(): void {
    clearTimeout(this.#alarm);
    if (!this.#isOnGpu || !this.#isTraining) return;
    const late = () => this.#inTurn(() => this.#giveUp(new Error("it does not answer")));
    this.#alarm = setTimeout(late, 1000 * this.#patience);
  }

  /** Another training begins, with WASM. */
  async #forget(task: Given<"begin">): Promise<void> {
    if (this.#isOnGpu) {
      try {
        await this.#askGpu("train", { on: false });
      } catch (error) {
        await this.#giveUp(error);
      }
    }
    this.#isOnGpu = this.#isTraining = false;
    this.#task = task;
    this.#say(this.#reason, false);
  }

  /** Tries the GPU, once for each training. */
  async #consider(): Promise<void> {
    const task = this.#task;
    if (!task || this.#isOver || this.#considered === task) return;
    this.#considered = task;
    try {
      await (this.#opened ??= this.#open());
      if (!this.#gpu) return;
      // what it takes to compile the shaders is not measured, and WASM goes on meanwhile
      await this.#askGpu("rehearse", { ...task, seconds: 0 });
      await this.#inTurn(() => this.#choose(task));
    } catch (error) {
      await this.#inTurn(() => this.#giveUp(error));
    }
  }

  async #open(): Promise<void> {
    const adapter = await findAdapter().catch(() => undefined);
    if (!adapter || (adapter.software && this.#takes === "")) {
      this.#isOver = true;
      return;
    }
    const worker = new PageWorker("gpu.js", () => globalThis.playGpu);
    this.#gpu = { name: adapter.name, worker };
    worker.on("snapshot", (snapshot) => this.#hear(snapshot));
    worker.on("state", (state) => this.#saved = state);
    worker.on("trouble", (message) => this.#inTurn(() => this.#giveUp(new Error(message))));
    await this.#askGpu("openGpu", { orSoftware: adapter.software });
  }

  /** Asks the GPU's worker, and waits no longer than it has. */
  #askGpu<C extends CallName>(name: C, given: Given<C>): Promise<Got<C>> {
    return within(this.#patience, this.#gpu!.worker.ask(name, given));
  }

  /** The faster one goes on. WASM does not train while a step is timed. */
  async #choose(task: Given<"begin">): Promise<void> {
    if (task !== this.#task || this.#isOver) return; // meanwhile another one has begun
    await this.#engine.call("train", { on: false });
    try {
      const expected = await this.#engine.call("rehearse", { ...task, seconds: SECONDS });
      const found = await this.#askGpu("rehearse", { ...task, seconds: SECONDS, expected });
      const isChosen = found.stepMs < expected.stepMs || this.#takes === "forced";
      if (isChosen) await this.#move(task);
      const [onGpu, wasm] = [`the GPU (${this.#gpu!.name})`, await this.#wasm()];
      const times = [found.stepMs, expected.stepMs].map(inWords);
      this.#say(
        isChosen
          ? `Computed by ${onGpu}: ${times[0]} a step; ${wasm} takes ${times[1]}.`
          : `Computed by ${wasm}: ${times[1]} a step; ${onGpu} takes ${times[0]}.`,
        isChosen,
      );
    } finally {
      if (!this.#isOnGpu && this.#isTraining) await this.#engine.call("train", { on: true });
    }
  }

  /** Goes on with the GPU, if the network shows there what it shows here. */
  async #move(task: Given<"begin">): Promise<void> {
    const { state, snapshot } = await this.#engine.call("handOver", {});
    this.#saved = state;
    await this.#askGpu("takeOver", { ...task, state, expected: snapshot });
    this.#isOnGpu = true;
    if (this.#isTraining) await this.#askGpu("train", { on: true });
    this.#watch();
  }

  /** Never again; a training that was there goes on with WASM. */
  async #giveUp(error: unknown): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#alarm);
    this.#gpu?.worker.end();
    const rest = this.#isOnGpu ? await this.#comeBack() : "";
    const name = this.#gpu ? `the GPU (${this.#gpu.name})` : "the GPU";
    const message = error instanceof Error ? error.message : String(error);
    const wasm = await this.#wasm();
    this.#reason = `Computed by ${wasm}, since with ${name} something is wrong: ${message}.`;
    this.#say(this.#reason + rest, false);
  }

  async #comeBack(): Promise<string> {
    this.#isOnGpu = false;
    const task = this.#task!;
    let rest = " The training begins anew.";
    try {
      const state = this.#saved!;
      await this.#engine.call("takeOver", { ...task, state });
      rest = ` The training goes on from step ${state.get("adam.steps")!.data[0]}.`;
    } catch {
      await this.#engine.call("begin", task);
    }
    if (this.#isTraining) await this.#engine.call("train", { on: true });
    return rest;
  }

  async #wasm(): Promise<string> {
    const threads = await this.#engine.threads;
    return `WASM with ${threads} thread${threads === 1 ? "" : "s"}`;
  }
}

function inWords(milliseconds: number): string {
  return `${milliseconds.toPrecision(milliseconds < 10 ? 2 : 3)} ms`;
}

/** Waits no longer than so many seconds. */
async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it does not answer")), 1000 * seconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
