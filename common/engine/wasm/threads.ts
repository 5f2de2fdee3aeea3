/**
 * Runs the project's WASM kernels on all cores.
 *
 * A kernel's work is cut into units whose results do not depend on one another. The main thread
 * publishes a job in shared memory; it and the workers take units from a common counter until none
 * is left. A unit computes the same whoever takes it, so the number of workers changes the time and
 * nothing else. Workers hold no model code: they know a memory, the compiled kernels and this loop.
 *
 * Where another process wants a core, a worker is stopped in the middle of a unit, and everybody waits
 * for it. So a worker that is late costs one of them its place for a while (see {@linkcode Crew}).
 *
 * @module
 */

/** Positions in the control block, in 32-bit words; the contended ones lie on lines of their own. */
const CONTROL = {
  job: 0, // counts jobs; workers sleep on it
  open: 16, // 1 while units of the current job may be taken
  active: 32, // workers inside the current job
  next: 48, // the next unit to take
  asleep: 64, // workers that must be woken
  crew: 72, // workers that take part: those numbered 1 to this; the others sleep on it
  failed: 80, // 1 once a worker has thrown
  stop: 81, // 1 when the workers shall end
  kernel: 96,
  units: 97,
  chunk: 98,
  scratch: 99, // address of the threads' scratch memory
  scratchSize: 100, // bytes for each thread
  arguments: 112,
  message: 144, // what a failed worker threw: its length, then its characters
} as const;
const CONTROL_WORDS = 400;

/** How often an idle worker looks for a job before it goes to sleep: about a fifth of a millisecond. */
const SPINS = 20_000;
/** How often the main thread looks whether the last units are done before it looks at the clock. */
const PATIENCE = 2_000;

type Kernel = (args: number, scratch: number, begin: number, end: number) => void;

/** What a thread needs to take part. */
interface Setup {
  memory: WebAssembly.Memory;
  module: WebAssembly.Module;
  kernels: string[];
  control: number;
  thread: number;
  words: typeof CONTROL;
  wordCount: number;
  spins: number;
}

/** The kernels on one memory, and the threads that run them. */
export class KernelThreads {
  readonly #memory: WebAssembly.Memory;
  readonly #control: Int32Array<ArrayBuffer>;
  readonly #controlAddress: number;
  readonly #kernels: Map<string, { index: number; run: Kernel }>;
  readonly #workers: Worker[];
  readonly #crew: Crew;
  readonly #allocate: (bytes: number) => number;
  readonly #release: (address: number) => void;

  /**
   * @param options.memory Shared memory of the tensors.
   * @param options.kernels The compiled kernels; they import `env.memory`.
   * @param options.threads Threads in all, the calling one included; at least 1.
   * @param options.allocate Reserves bytes in the memory; `release` gives them back.
   */
  constructor(options: {
    memory: WebAssembly.Memory;
    kernels: Uint8Array<ArrayBuffer>;
    threads: number;
    allocate: (bytes: number) => number;
    release: (address: number) => void;
  }) {
    const { memory, kernels, threads, allocate, release } = options;
    const module = new WebAssembly.Module(kernels);
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    const names = Object.keys(instance.exports).filter((name) =>
      typeof instance.exports[name] === "function"
    );
    this.#memory = memory;
    this.#allocate = allocate;
    this.#release = release;
    this.#controlAddress = (allocate(CONTROL_WORDS * 4 + 64) + 63) & ~63;
    this.#control = new Int32Array(
      memory.buffer as ArrayBuffer,
      this.#controlAddress,
      CONTROL_WORDS,
    );
    this.#control.fill(0);
    this.#kernels = new Map(
      names.map((name, index) => [name, { index, run: instance.exports[name] as Kernel }]),
    );
    this.#crew = new Crew(threads - 1, this.#control);
    this.#workers = Array.from({ length: threads - 1 }, (_, i) =>
      this.#startWorker({
        memory,
        module,
        kernels: names,
        control: this.#controlAddress,
        thread: i + 1,
        words: CONTROL,
        wordCount: CONTROL_WORDS,
        spins: SPINS,
      }));
  }

  /** Threads in all, the calling one included. */
  get threads(): number {
    return this.#workers.length + 1;
  }

  /**
   * Runs units 0..units−1 of a kernel and returns when all are done.
   *
   * @param name The kernel's exported name.
   * @param units How many units of work there are.
   * @param args Integers and addresses as they are, floats through {@linkcode floatBits}.
   * @param scratchBytes Scratch memory that each thread needs.
   */
  run(name: string, units: number, args: number[], scratchBytes = 0): void {
    const kernel = this.#kernels.get(name)!;
    const control = this.#control;
    this.#reserveScratch(scratchBytes);
    for (let i = 0; i < args.length; i++) control[CONTROL.arguments + i] = args[i];
    const argsAddress = this.#controlAddress + CONTROL.arguments * 4;
    const scratch = control[CONTROL.scratch];
    if (units < 2 || this.#workers.length === 0 || this.#crew.size() === 0) {
      kernel.run(argsAddress, scratch, 0, units);
      return;
    }
    // about eight chunks a thread: few enough to be cheap, many enough to even out
    const chunk = Math.max(1, Math.ceil(units / (8 * this.threads)));
    control[CONTROL.kernel] = kernel.index;
    control[CONTROL.units] = units;
    control[CONTROL.chunk] = chunk;
    Atomics.store(control, CONTROL.next, 0);
    Atomics.store(control, CONTROL.open, 1);
    Atomics.add(control, CONTROL.job, 1);
    if (Atomics.load(control, CONTROL.asleep) > 0) Atomics.notify(control, CONTROL.job);
    const started = performance.now();
    let own = 0; // chunks that this thread does
    for (;; own++) {
      const begin = Atomics.add(control, CONTROL.next, chunk);
      if (begin >= units) break;
      kernel.run(argsAddress, scratch, begin, Math.min(begin + chunk, units));
    }
    Atomics.store(control, CONTROL.open, 0);
    for (let i = 0; i < PATIENCE && Atomics.load(control, CONTROL.active) > 0; i++);
    if (Atomics.load(control, CONTROL.active) > 0) {
      const since = performance.now();
      while (Atomics.load(control, CONTROL.active) > 0) { /* the last units are being finished */ }
      this.#crew.waited(performance.now() - since, (since - started) / own);
    }
    if (Atomics.load(control, CONTROL.failed)) this.#throwFailure();
  }

  /** Ends the workers. */
  dispose(): void {
    // a sleeping worker cannot be terminated from outside: it is woken and leaves by itself
    Atomics.store(this.#control, CONTROL.stop, 1);
    this.#crew.dismiss();
    Atomics.add(this.#control, CONTROL.job, 1);
    Atomics.notify(this.#control, CONTROL.job);
    this.#workers.length = 0;
  }

  #reserveScratch(bytes: number): void {
    if (bytes <= this.#control[CONTROL.scratchSize]) return;
    const size = (bytes + 127) & ~63; // whole cache lines, so that threads do not share one
    if (this.#control[CONTROL.scratch]) this.#release(this.#control[CONTROL.scratch]);
    this.#control[CONTROL.scratch] = this.#allocate(size * this.threads);
    this.#control[CONTROL.scratchSize] = size;
  }

  #startWorker(setup: Setup): Worker {
    const source = `(${takePart})()`;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(url, { type: "module", name: `kernels ${setup.thread}` });
    worker.addEventListener("error", (event) => {
      event.preventDefault(); // thrown by the next job, on the main thread
      Atomics.store(this.#control, CONTROL.failed, 1);
    });
    worker.postMessage(setup);
    return worker;
  }

  #throwFailure(): never {
    this.dispose();
    const length = this.#control[CONTROL.message];
    const start = CONTROL.message + 1;
    const message = String.fromCharCode(...this.#control.slice(start, start + length));
    throw new Error(`a worker thread failed: ${message || "no reason given"}`);
  }
}

/** A worker is late when the others wait for it this long, in milliseconds, beyond the time of two chunks. */
const LATE = 0.3;
/** A late worker costs a place for so many times what the others waited, and twice that the next time … */
const FIRST_REST = 4;
/** … up to this: looking whether the core is free again then costs a hundredth. */
const LONGEST_REST = 100;
/** Milliseconds without a late worker after which all is forgotten. */
const FORGIVEN = 100;

/**
 * How many workers take part. Threads that share a core with another process hold all others up: with
 * one worker fewer the process has a core to itself.
 */
export class Crew {
  readonly #most: number;
  readonly #control: Int32Array;
  #rest = FIRST_REST;
  /** When one more is tried, in milliseconds. */
  #until = 0;

  constructor(most: number, control: Int32Array) {
    this.#most = most;
    this.#control = control;
    this.#set(most);
  }

  /** How many take part in the job that comes now. */
  size(): number {
    const size = this.#control[CONTROL.crew];
    if (size === this.#most || performance.now() < this.#until) return size;
    this.#set(size + 1);
    this.#until = performance.now() + FORGIVEN;
    return size + 1;
  }

  /** The main thread had to wait so long for a worker, and does a chunk in so long, in milliseconds. */
  waited(time: number, chunk: number): void {
    if (!(time > LATE + 2 * chunk)) return;
    const now = performance.now();
    this.#rest = now > this.#until + FORGIVEN ? FIRST_REST : Math.min(2 * this.#rest, LONGEST_REST);
    this.#until = now + this.#rest * time;
    this.#set(Math.max(0, this.#control[CONTROL.crew] - 1));
  }

  /** Wakes everybody for the end. */
  dismiss(): void {
    this.#set(this.#most + 1);
  }

  #set(size: number): void {
    Atomics.store(this.#control, CONTROL.crew, size);
    Atomics.notify(this.#control, CONTROL.crew);
  }
}

const floatView = new Float32Array(1);
const bitsView = new Int32Array(floatView.buffer);

/** The bits of a float32 as an integer: how a float travels among a kernel's arguments. */
export function floatBits(value: number): number {
  floatView[0] = value;
  return bitsView[0];
}

/** A worker's whole program. It is sent as text, so it may use nothing from outside. */
function takePart(): void {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<Setup>) => void;
    close: () => void;
  };
  scope.onmessage = ({ data }) => {
    const { memory, module, kernels, words, spins } = data;
    const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
    const run = kernels.map((name) => exports[name] as Kernel);
    const control = new Int32Array(memory.buffer as ArrayBuffer, data.control, data.wordCount);
    const args = data.control + words.arguments * 4;
    let seen = 0;
    for (;;) {
      // without a place in the crew it sleeps until the crew changes
      for (
        let crew = Atomics.load(control, words.crew);
        crew < data.thread && !Atomics.load(control, words.stop);
        crew = Atomics.load(control, words.crew)
      ) Atomics.wait(control, words.crew, crew);
      for (let i = 0; i < spins && Atomics.load(control, words.job) === seen; i++);
      if (Atomics.load(control, words.job) === seen) {
        Atomics.add(control, words.asleep, 1);
        Atomics.wait(control, words.job, seen);
        Atomics.sub(control, words.asleep, 1);
      }
      seen = Atomics.load(control, words.job);
      if (Atomics.load(control, words.stop)) return scope.close();
      if (Atomics.load(control, words.crew) < data.thread) continue;
      Atomics.add(control, words.active, 1);
      try {
        // open is only cleared for good once no worker is active: what is read below is one job's
        while (Atomics.load(control, words.open)) {
          const chunk = control[words.chunk];
          const units = control[words.units];
          const begin = Atomics.add(control, words.next, chunk);
          if (begin >= units) break;
          const scratch = control[words.scratch] + data.thread * control[words.scratchSize];
          run[control[words.kernel]](args, scratch, begin, Math.min(begin + chunk, units));
        }
      } catch (error) {
        const message = String(error).slice(0, data.wordCount - words.message - 1);
        control[words.message] = message.length;
        for (let i = 0; i < message.length; i++) {
          control[words.message + 1 + i] = message.charCodeAt(i);
        }
        Atomics.store(control, words.failed, 1);
        return;
      } finally {
        Atomics.sub(control, words.active, 1);
      }
    }
  };
}
