/**
 * PyTorch as a contestant of the benchmark: `torch_steps.py` in a process of its own.
 *
 * @module
 */
import { UserError } from "../../common/user_error.ts";
import type { TorchWork } from "./tasks.ts";

/** A Python that has PyTorch. */
export interface Torch {
  python: string;
  /** PyTorch's version. */
  version: string;
}

/** Where a Python may be; the task `bench-torch` may start these and nothing else. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/**
 * The first Python that has PyTorch.
 *
 * @throws {UserError} Nothing may be started, or none of them has it.
 */
export async function findTorch(): Promise<Torch> {
  const allowed = [];
  for (const command of PYTHONS) {
    const { state } = await Deno.permissions.query({ name: "run", command });
    if (state === "granted") allowed.push(command);
  }
  if (allowed.length === 0) {
    throw new UserError(
      "--torch starts python3, which this command may not; use `deno task bench-torch`",
    );
  }
  for (const python of allowed) {
    const version = await versionOf(python);
    if (version) return { python, version };
  }
  throw new UserError(
    `--torch needs a Python with PyTorch; ${allowed.join(" and ")}: none was found (pip install ` +
      "torch, or Debian's and Ubuntu's python3-torch)",
  );
}

async function versionOf(python: string): Promise<string | undefined> {
  try {
    const args = ["-c", "import torch; print(torch.__version__)"];
    const { success, stdout } = await new Deno.Command(python, { args, stderr: "null" }).output();
    if (success) return new TextDecoder().decode(stdout).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** What came of the work, done once. */
export interface TorchRound {
  ms: number;
  /** The most memory that the process took, beyond that of PyTorch itself, in MiB. */
  peakMiB: number;
}

/** A process that holds a model and waits to be told to work. */
export class TorchProcess {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  readonly #complaints: Promise<string>;
  #rest = "";

  /** Starts it; {@linkcode TorchProcess.dispose} ends it. */
  constructor({ python }: Torch, work: TorchWork) {
    const script = new URL("./torch_steps.py", import.meta.url).pathname;
    this.#process = new Deno.Command(python, {
      args: ["-B", decodeURIComponent(script), JSON.stringify(work)],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#answers = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#complaints = new Response(this.#process.stderr).text();
  }

  /** Does the work once on so many threads. */
  async round(threads: number): Promise<TorchRound> {
    await this.#writer.write(new TextEncoder().encode(`${threads}\n`)).catch(() => {}); // it has died, see below
    while (!this.#rest.includes("\n")) {
      const { done, value } = await this.#answers.read();
      if (done) throw new Error(await this.#lastWords());
      this.#rest += value;
    }
    const [line, ...rest] = this.#rest.split("\n");
    this.#rest = rest.join("\n");
    return JSON.parse(line);
  }

  async #lastWords(): Promise<string> {
    const { code, signal } = await this.#process.status;
    const lastLine = (await this.#complaints).trim().split("\n").at(-1);
    return lastLine || `PyTorch's process ended with ${signal ?? `code ${code}`}`;
  }

  /** Ends the process. */
  async dispose(): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#answers.cancel();
    await Promise.all([this.#process.status, this.#complaints]);
  }
}
