/**
 * The benchmark's command line: which rows, and who takes part.
 *
 * @module
 */
import { type Command, integer, onOff, text } from "../../common/run/flags.ts";
import type { Parsed } from "../../common/run/command_line.ts";
import { UserError } from "../../common/user_error.ts";
import type { Adapter } from "../../common/engine/webgpu/adapter.ts";
import type { Contestant } from "./in_turn.ts";
import { type Task, tasks } from "./tasks.ts";

const flags = {
  only: text({
    help: "rows by their letters: a to d are small, e to h have 64 channels, i to l 128",
    placeholder: "A,B,...",
    default: "a,b,c,d,f,j",
    allowed: "letters from a to l with commas between them",
    accepts: (text) => text.split(",").every((letter) => tasks.some((t) => t.letter === letter)),
  }),
  scale: onOff({ help: "the rows e to l: 64 and 128 channels, batch 1 to 128; takes minutes" }),
  rounds: integer({ help: "rounds at most; fewer where they take over 10 s", default: 5 }),
  torch: onOff({ help: "against PyTorch instead of TensorFlow.js: `deno task bench-torch`" }),
  busy: onOff({ help: "how much longer it takes while another thread keeps a core busy" }),
  json: onOff({ help: "print everything as JSON" }),
};

/** The table of flags. */
export const command: Command<typeof flags> = {
  name: "bench",
  summary: "Times training steps and sampling, in turn with TensorFlow.js or PyTorch.",
  flags,
  presets: {},
};

/**
 * The rows that were asked for.
 *
 * @throws {UserError} Two flags that do not go together.
 */
export function chooseTasks({ settings, given }: Parsed<typeof flags>): Task[] {
  const { torch, json, busy, scale } = settings;
  for (const [isGiven, name] of [[torch, "--torch"], [json, "--json"]] as const) {
    if (busy && isGiven) throw new UserError(`--busy does not go with ${name}; give one of them`);
  }
  if (scale && given.only) {
    throw new UserError("--scale and --only both choose the rows; give one of them");
  }
  const letters = given.only ?? (scale ? "e,f,g,h,i,j,k,l" : busy ? "a,b,c,d" : settings.only);
  return tasks.filter((task) => letters.split(",").includes(task.letter));
}

/** 1, 2, 4, … and all of them. */
export function threadCounts(cores: number): number[] {
  const counts = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return [...counts, cores];
}

/** Who takes part in a row. */
export function contestantsOf(
  task: Task,
  { torch, cores, adapter }: { torch: boolean; cores: number; adapter?: Adapter },
): Contestant[] {
  const counts = task.large ? threadCounts(cores) : [...new Set([1, cores])];
  const here = (threads: number): Contestant => ({ who: "here", backend: "wasm", threads });
  const rival = (threads: number): Contestant => ({ who: "PyTorch", backend: "cpu", threads });
  const isTfjsIn = !torch && !task.large;
  const isGpuIn = adapter && (isTfjsIn || !adapter.software);
  const onGpu = (who: "tfjs" | "here"): Contestant => ({ who, backend: "webgpu", threads: cores });
  return [
    ...(isTfjsIn ? [{ who: "tfjs", backend: "wasm", threads: 1 } as const] : []),
    ...counts.flatMap((count) => torch && task.torch ? [here(count), rival(count)] : [here(count)]),
    ...(isGpuIn && isTfjsIn ? [onGpu("tfjs")] : []),
    ...(isGpuIn ? [onGpu("here")] : []),
  ];
}
