/**
 * All contestants do a task in turn, A B C A B C …, so that a machine that slows down slows them all.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "../../common/backend.ts";
import { withComposedOperations } from "../../common/engine/ops/operation.ts";
import { countDispatches } from "../../common/engine/webgpu/count_dispatches.ts";
import { median } from "./busy.ts";
import type { Job, Task } from "./tasks.ts";
import { type Torch, TorchProcess } from "./torch.ts";

/** Who does a task: the project, TensorFlow.js as it is shipped, or PyTorch. */
export interface Contestant {
  who: "here" | "tfjs" | "PyTorch";
  backend: "wasm" | "webgpu" | "cpu";
  threads: number;
}

/** What came of one contestant in one task. */
export interface Result {
  /** The task's letter. */
  task: string;
  contestant: string;
  who: Contestant["who"];
  threads: number;
  /** Milliseconds of each round; empty where the contestant cannot do the task. */
  rounds: number[];
  /** Images (or points) a second at the median. */
  itemsPerSecond: number;
  /** WebGPU dispatches of one round. */
  dispatches?: number;
  /** The most memory that tensors took, in MiB; for PyTorch, its process. */
  peakMiB: number;
  /** Why there is no figure. */
  failure?: string;
}

/** How the rounds are made. */
export interface Rounds {
  /** At most so many for each contestant. */
  rounds: number;
  /** A contestant gets as many as fit in so many milliseconds. Default: 10,000. */
  longest?: number;
  torch?: Torch;
}

/** What a contestant does, once everything is built. */
interface Entry {
  result: Result;
  /** Does the task once; milliseconds. */
  run: () => Promise<number>;
  /** Rounds that fit. */
  rounds: number;
}

/** PyTorch's threads wait for more work in a loop, for up to 200 ms (Intel's OpenMP). */
const UNTIL_IDLE = 250;

/**
 * One row of the table.
 *
 * The first round warms up and is not timed, unless it alone takes twice as long as all rounds may.
 */
export async function measure(
  task: Task,
  contestants: Contestant[],
  { rounds, longest = 10_000, torch }: Rounds,
): Promise<Result[]> {
  const models = new Models(task, torch);
  const entries: Entry[] = [];
  for (const contestant of contestants) {
    const result = emptyResult(task, contestant);
    const run = () => models.run(contestant, result);
    const entry = { result, run, rounds: 0 };
    entries.push(entry);
    try {
      const first = await models.first(contestant, result);
      if (first > 2 * longest) result.rounds.push(first);
      else entry.rounds = Math.min(rounds, Math.max(1, Math.floor(longest / first)));
    } catch (error) {
      result.failure = String(error).split("\n")[0];
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const { result, run, rounds } of entries) {
      if (round < rounds) result.rounds.push(await run());
    }
  }
  await models.dispose();
  return entries.map(({ result }) => ({
    ...result,
    itemsPerSecond: result.failure ? 0 : 1000 * task.items / median(result.rounds),
  }));
}

function emptyResult({ letter }: Task, { who, backend, threads }: Contestant): Result {
  const count = `${threads} thread${threads === 1 ? "" : "s"}`;
  const on = { cpu: count, wasm: `WASM${who === "tfjs" ? "" : `, ${count}`}`, webgpu: "WebGPU" };
  return {
    task: letter,
    contestant: `${who}, ${on[backend]}`,
    who,
    threads,
    rounds: [],
    itemsPerSecond: 0,
    peakMiB: 0,
  };
}

/** The models of a row: one for each backend, whatever the number of threads. */
class Models {
  readonly #task: Task;
  readonly #torch?: Torch;
  readonly #models = new Map<string, { job: Job; others: number }>();
  #process?: TorchProcess;

  constructor(task: Task, torch?: Torch) {
    this.#task = task;
    this.#torch = torch;
    tf.engine().startScope();
  }

  /** Does the task once, and counts its dispatches and memory; milliseconds. */
  async first(contestant: Contestant, result: Result): Promise<number> {
    if (contestant.who === "PyTorch") return await this.#runTorch(result);
    return await onBackend(contestant, async () => {
      const { job, others } = this.#model(contestant);
      let [ms, peakBytes] = [0, 0];
      const round = async () => {
        const start = performance.now();
        const profile = await tf.profile(async () => {
          await job.run();
          return [];
        }).catch(async (error) => {
          // the profiler keeps what a kernel has thrown to itself: once more without it
          (tf.engine() as unknown as { state: { profiling: boolean } }).state.profiling = false;
          await job.run();
          throw error;
        });
        ms = performance.now() - start;
        peakBytes = profile.peakBytes;
      };
      if (contestant.backend === "webgpu") result.dispatches = await countDispatches(round);
      else await round();
      result.peakMiB = (peakBytes - others) / 2 ** 20;
      return ms;
    });
  }

  /** Does the task once; milliseconds. */
  async run(contestant: Contestant, result: Result): Promise<number> {
    if (contestant.who === "PyTorch") return await this.#runTorch(result);
    return await onBackend(contestant, async () => {
      const { job } = this.#model(contestant);
      const start = performance.now();
      await job.run();
      return performance.now() - start;
    });
  }

  /** The contestant's model, and how many bytes others had taken when it was built. */
  #model({ who, backend }: Contestant): { job: Job; others: number } {
    const key = `${who} ${backend}`;
    let model = this.#models.get(key);
    if (!model) {
      const others = tf.memory().numBytes;
      const { run, dispose } = this.#task.prepare(who === "tfjs");
      const job = { run: who === "tfjs" ? () => withComposedOperations(run) : run, dispose };
      model = { job, others };
      this.#models.set(key, model);
    }
    return model;
  }

  async #runTorch(result: Result): Promise<number> {
    this.#process ??= new TorchProcess(this.#torch!, this.#task.torch!);
    const { ms, peakMiB } = await this.#process.round(result.threads);
    result.peakMiB = peakMiB;
    await new Promise((resolve) => setTimeout(resolve, UNTIL_IDLE));
    return ms;
  }

  /** Frees all of them. */
  async dispose(): Promise<void> {
    for (const { job } of this.#models.values()) job.dispose();
    tf.engine().endScope();
    await this.#process?.dispose();
  }
}

async function onBackend<T>({ backend, threads }: Contestant, f: () => Promise<T>): Promise<T> {
  const selected = await selectBackend(backend as "wasm" | "webgpu", { workers: threads });
  try {
    return await f();
  } finally {
    selected.dispose();
  }
}
