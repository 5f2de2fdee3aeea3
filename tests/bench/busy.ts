/**
 * How much longer a task takes while another thread keeps a core busy, as another process would.
 *
 * @module
 */
import { selectBackend } from "../../common/backend.ts";
import type { Task } from "./tasks.ts";

/** Milliseconds of a task, medians. */
export interface UnderLoad {
  quiet: number;
  busy: number;
}

/** How often a task is done before quiet and busy take turns: it may need a moment to notice. */
const IN_A_ROW = 10;

/** Does the task on WASM with so many threads, in turn with and without somebody on one of the cores. */
export async function underLoad(task: Task, workers: number, rounds: number): Promise<UnderLoad> {
  const backend = await selectBackend("wasm", { workers });
  const job = task.prepare(false);
  const spinner = startSpinner();
  const times = { quiet: [] as number[], busy: [] as number[] };
  for (let i = 0; i < 3; i++) await job.run(); // warms up
  for (let round = 0; round < rounds; round++) {
    for (const load of ["quiet", "busy"] as const) {
      await spinner.set(load === "busy");
      for (let i = 0; i < IN_A_ROW; i++) {
        const start = performance.now();
        await job.run();
        times[load].push(performance.now() - start);
      }
    }
  }
  spinner.end();
  job.dispose();
  backend.dispose();
  return { quiet: median(times.quiet), busy: median(times.busy) };
}

/** The middle one of the numbers, or the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A worker that does nothing, as fast as it can, while it is told to. */
function startSpinner() {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const source = `onmessage = ({ data: flag }) => {
    for (;;) {
      Atomics.wait(flag, 0, 0);
      while (Atomics.load(flag, 0) === 1);
    }
  };`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  worker.postMessage(flag);
  return {
    async set(isBusy: boolean): Promise<void> {
      Atomics.store(flag, 0, isBusy ? 1 : 0);
      Atomics.notify(flag, 0);
      await new Promise((resolve) => setTimeout(resolve, 200));
    },
    end(): void {
      Atomics.store(flag, 0, 0);
      worker.terminate();
    },
  };
}
