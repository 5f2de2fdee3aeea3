/**
 * How fast the engine is, measured against TensorFlow.js as it is shipped, or against PyTorch.
 *
 * Every row is one task, done in turn by each contestant (A B C A B C …) within one run, so that a
 * machine that slows down slows them all; the table gives medians, ratios, and the most memory that
 * tensors took (for PyTorch: that its process took). Let nothing else compute meanwhile: PyTorch's
 * threads wait for each other in a loop, and lose most of their time where they have to share a core.
 *
 *     deno task bench [--rounds 5] [--only a,b,c,d] [--json]
 *     deno task bench --scale                      # 64 and 128 channels, batch 1 to 128, 1 to all threads
 *     deno task bench-torch [--only b] [--scale]   # against PyTorch, where python3 has it
 *     deno task bench --busy [--only b]            # while another thread keeps a core busy
 *
 * @module
 */
import { findAdapter } from "../../common/engine/webgpu/adapter.ts";
import { parseCommandLine } from "../../common/run/command_line.ts";
import { helpText } from "../../common/run/help.ts";
import { runMain } from "../../common/run/main.ts";
import { underLoad } from "./busy.ts";
import { chooseTasks, command, contestantsOf } from "./command.ts";
import { measure, type Result } from "./in_turn.ts";
import { lines } from "./table.ts";
import type { Task } from "./tasks.ts";
import { findTorch } from "./torch.ts";

const cores = navigator.hardwareConcurrency;

async function main(args: string[]): Promise<void> {
  const parsed = parseCommandLine(command, args);
  if (parsed.help) return console.log(helpText(command));
  const { settings } = parsed;
  const chosen = chooseTasks(parsed);
  const { rounds, json } = settings;
  if (settings.busy) return await printBusy(chosen, rounds);

  const torch = settings.torch ? await findTorch() : undefined;
  const adapter = await findAdapter();
  const results: Result[] = [];
  for (const task of chosen) {
    const contestants = contestantsOf(task, { torch: settings.torch, cores, adapter });
    const ofTask = await measure(task, contestants, { rounds, torch });
    results.push(...ofTask);
    if (json) continue;
    console.log(`\n(${task.letter}) ${task.name}`);
    for (const line of lines(task.unit, ofTask)) console.log(`  ${line}`);
  }
  const gpu = adapter?.name ?? null;
  const pytorch = torch?.version;
  const { deno } = Deno.version;
  if (json) console.log(JSON.stringify({ cores, gpu, deno, pytorch, results }));
  else console.log(`\n${cores} cores, Deno ${deno}${aboutGpu(gpu)}${aboutTorch(pytorch)}`);
}

function aboutGpu(gpu: string | null): string {
  return gpu ? `, WebGPU: ${gpu}` : "";
}

function aboutTorch(version?: string): string {
  return version ? `, PyTorch ${version}` : "";
}

async function printBusy(chosen: Task[], rounds: number): Promise<void> {
  for (const task of chosen) {
    const { quiet, busy } = await underLoad(task, cores, rounds);
    console.log(
      `(${task.letter}) ${task.name}, WASM, ${cores} threads: ${quiet.toFixed(1)} ms; with ` +
        `another thread on one of the ${cores} cores ${busy.toFixed(1)} ms, ${
          (busy / quiet).toFixed(2)
        } times as long`,
    );
  }
}

if (import.meta.main) await runMain(main);
