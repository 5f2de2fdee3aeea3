/**
 * How fast the engine is, measured against TensorFlow.js as it is shipped.
 *
 * Every row is one task, done in turn by each contestant (A B C A B C …) within one run, so that a
 * machine that slows down slows them all; the table gives medians and ratios.
 *
 *     deno task bench [--rounds 5] [--only a,b,c,d] [--json]
 *     deno task bench --busy [--rounds 5] [--only b]     # while another thread keeps a core busy
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { parseArgs } from "@std/cli/parse-args";
import { selectBackend } from "../../common/backend.ts";
import { withComposedOperations } from "../../common/engine/ops/operation.ts";
import { countDispatches } from "../../common/engine/webgpu/count_dispatches.ts";
import { median, underLoad } from "./busy.ts";
import { type Task, tasks } from "./tasks.ts";

/** Who does a task: a backend, with the project's operations or with those that tfjs ships. */
interface Contestant {
  name: string;
  backend: "wasm" | "webgpu";
  workers: number;
  stock: boolean;
}

/** What came of one contestant in one task. */
interface Result {
  task: string;
  contestant: string;
  /** Milliseconds of each round; empty where the contestant cannot do the task. */
  rounds: number[];
  /** Images (or points) a second at the median. */
  itemsPerSecond: number;
  /** WebGPU dispatches of one round. */
  dispatches?: number;
  /** The most memory that tensors took, in MiB. */
  peakMiB: number;
  /** Why there is no figure. */
  failure?: string;
}

const options = parseArgs(Deno.args, {
  string: ["rounds", "only"],
  boolean: ["json", "busy"],
});
const { rounds: roundsGiven = "5", only = "a,b,c,d" } = options;
const rounds = Number(roundsGiven);
const chosen = tasks.filter((task) => only.split(",").includes(task.letter));
const cores = navigator.hardwareConcurrency;
const gpu = await navigator.gpu?.requestAdapter();
const gpuName = gpu ? gpu.info.description || gpu.info.vendor : "";

const contestants: Contestant[] = [
  { name: "tfjs, WASM", backend: "wasm", workers: 1, stock: true },
  { name: "here, WASM, 1 thread", backend: "wasm", workers: 1, stock: false },
  { name: `here, WASM, ${cores} threads`, backend: "wasm", workers: cores, stock: false },
  ...(gpu
    ? [
      { name: "tfjs, WebGPU", backend: "webgpu", workers: 1, stock: true } as const,
      { name: "here, WebGPU", backend: "webgpu", workers: 1, stock: false } as const,
    ]
    : []),
];

if (options.busy) {
  for (const task of chosen) {
    const { quiet, busy } = await underLoad(task, cores, rounds);
    console.log(
      `(${task.letter}) ${task.name}, WASM, ${cores} threads: ${quiet.toFixed(1)} ms; with ` +
        `another thread on one of the ${cores} cores ${busy.toFixed(1)} ms, ${
          (busy / quiet).toFixed(2)
        } times as long`,
    );
  }
  Deno.exit(0);
}

const results: Result[] = [];
for (const task of chosen) {
  const ofTask = await measure(task);
  results.push(...ofTask);
  if (!options.json) print(task, ofTask);
}
if (options.json) {
  console.log(JSON.stringify({ cores, gpu: gpuName || null, deno: Deno.version.deno, results }));
}
Deno.exit(0);

/** One row of the table: all contestants, in turn. */
async function measure(task: Task): Promise<Result[]> {
  const entries = [];
  for (const contestant of contestants) {
    const result: Result = {
      task: task.letter,
      contestant: contestant.name,
      rounds: [],
      itemsPerSecond: 0,
      peakMiB: 0,
    };
    entries.push({ contestant, result, run: await prepare(task, contestant, result) });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, result, run } of entries) {
      if (result.failure) continue;
      const backend = await selectBackend(contestant.backend, contestant);
      const start = performance.now();
      await run();
      result.rounds.push(performance.now() - start);
      backend.dispose();
    }
  }
  for (const { result } of entries) {
    if (!result.failure) result.itemsPerSecond = 1000 * task.items / median(result.rounds);
  }
  return entries.map(({ result }) => result);
}

/** Builds the task's model on the contestant's backend and warms it up. */
async function prepare(
  task: Task,
  contestant: Contestant,
  result: Result,
): Promise<() => Promise<unknown>> {
  const backend = await selectBackend(contestant.backend, contestant);
  const others = tf.memory().numBytes; // the other contestants' models
  const job = task.prepare(contestant.stock);
  const run = contestant.stock ? () => withComposedOperations(job) : job;
  try {
    // one round that is not timed: it warms up, and is what dispatches and memory are counted in
    let peakBytes = 0;
    const round = async () => {
      const profile = await tf.profile(async () => {
        await run();
        return [];
      });
      peakBytes = profile.peakBytes;
    };
    if (contestant.backend === "webgpu") result.dispatches = await countDispatches(round);
    else await round();
    result.peakMiB = (peakBytes - others) / 2 ** 20;
  } catch (error) {
    result.failure = String(error).split("\n")[0];
  }
  backend.dispose();
  return run;
}

function print(task: Task, results: Result[]): void {
  console.log(`\n(${task.letter}) ${task.name}`);
  const best = Math.min(...results.filter((r) => r.rounds.length).map((r) => median(r.rounds)));
  const table = results.map((r) => {
    if (r.failure) return [r.contestant, `cannot: ${r.failure}`];
    const ms = median(r.rounds);
    return [
      r.contestant,
      `${ms.toFixed(1)} ms (${Math.min(...r.rounds).toFixed(1)}-${
        Math.max(...r.rounds).toFixed(1)
      })`,
      `${(ms / best).toFixed(2)} x the fastest`,
      `${Math.round(r.itemsPerSecond)} ${task.unit}/s`,
      `${r.peakMiB.toFixed(0)} MiB`,
      r.dispatches === undefined ? "" : `${r.dispatches} dispatches`,
    ];
  });
  for (const row of table) {
    console.log("  " + row.map((cell) => cell.padEnd(24)).join(" ").trimEnd());
  }
  if (gpuName) console.log(`  (WebGPU: ${gpuName}; ${cores} cores)`);
}
