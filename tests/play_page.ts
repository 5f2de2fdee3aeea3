/// <reference lib="dom" />
// Builds the page to play with and opens it in browsers, for its tests.
import config from "../deno.json" with { type: "json" };
import { root } from "./commands.ts";

let written: Promise<string> | undefined;

/** A folder with the page in runs/page, for all tests of a process. */
export function pageFolder(): Promise<string> {
  written ??= (async () => {
    const folder = await Deno.makeTempDir();
    addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    await writePage(folder);
    return folder;
  })();
  return written;
}

/** Writes the page as its task does. */
async function writePage(folder: string): Promise<void> {
  const [, verb, ...words] = config.tasks.page.split(" ");
  await Deno.mkdir(`${folder}/runs`);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [verb, `--config=${root}deno.json`, ...words.slice(0, -1), root + words.at(-1)],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
}

/** A server that runs. */
export interface Served {
  address: string;
  stop(): Promise<void>;
}

/** `deno task play` in a folder with a page, without the task that writes it before. */
export async function servePage(folder: string): Promise<Served> {
  const words = config.tasks.play.command.split(" ");
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", `--config=${root}deno.json`, ...words.slice(2, -1)],
      ...[root + words.at(-1), "--port", "0"],
    ],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("Ctrl-C")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the server did not start: ${said}`);
    said += value;
  }
  return {
    address: /http:\/\/127\.0\.0\.1:\d+\//.exec(said)![0],
    async stop() {
      process.kill("SIGINT");
      await process.status;
      await reader.cancel();
    },
  };
}

/**
 * Runs in the page before its own code: keeps its workers and what they say, so that a test can ask them
 * for more than the page does. The first computes by WASM, a second one with a GPU.
 */
export function keepWorker(): void {
  const scope = globalThis as unknown as {
    Worker: typeof Worker;
    heard: unknown[];
    kept: Worker[];
  };
  scope.heard = [];
  scope.kept = [];
  scope.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      scope.kept.push(this);
      this.addEventListener("message", ({ data }) => scope.heard.push(data));
    }
  };
}

/** Runs in the page: asks the first worker, and gives its answer with arrays as lists. */
export async function askWorker([name, given]: [string, unknown]): Promise<unknown> {
  const { heard, kept: [worker] } = globalThis as unknown as { heard: Heard[]; kept: Worker[] };
  const isOpen = () => document.querySelector("#backend")!.textContent !== "";
  while (!isOpen()) await new Promise((resume) => setTimeout(resume, 20));
  const id = 1_000_000 + heard.length;
  worker.postMessage({ id, name, given });
  const answer = () => heard.find((message) => message.id === id);
  while (!answer()) await new Promise((resume) => setTimeout(resume, 20));
  const { got, error } = answer()!;
  if (error) throw new Error(error);
  return ArrayBuffer.isView(got) ? Array.from(got as Float32Array) : got;
}

/** Runs in the page: the losses of a training that `begin` has been asked for, once it has ended. */
export async function lossesOf(steps: number): Promise<number[]> {
  const { heard } = globalThis as unknown as { heard: Heard[] };
  const snapshots = () => heard.flatMap(({ detail }) => detail?.steps === steps ? [detail] : []);
  while (snapshots().at(-1)?.step !== steps) await new Promise((resume) => setTimeout(resume, 20));
  return snapshots().flatMap(({ losses }) => losses);
}

/** Runs in the page: the last point of a chain of images that has come to its end. */
export async function endOf(name: string): Promise<number[]> {
  const { heard } = globalThis as unknown as { heard: Heard[] };
  const end = () =>
    heard.findLast(({ detail }) => detail?.name === name && detail.t === 0)?.detail?.xt;
  while (!end()) await new Promise((resume) => setTimeout(resume, 20));
  return Array.from(end()!);
}

/** Runs in the page: the ends of all chains of a name, once there are so many. */
export async function endsOf([name, count]: [string, number]): Promise<number[][]> {
  const { heard } = globalThis as unknown as { heard: Heard[] };
  const ends = () => heard.filter(({ detail }) => detail?.name === name && detail.t === 0);
  while (ends().length < count) await new Promise((resume) => setTimeout(resume, 20));
  return ends().map(({ detail }) => Array.from(detail!.xt!));
}

interface Heard {
  id?: number;
  got?: unknown;
  error?: string;
  detail?: {
    step: number;
    steps: number;
    losses: number[];
    name?: string;
    t?: number;
    xt?: Float32Array;
  };
}
