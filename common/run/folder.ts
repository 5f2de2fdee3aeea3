/**
 * The folder of a run: its settings, how far it has come, and every file it wrote. No file is ever half
 * written, and nothing of another run is ever overwritten.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Backend } from "../backend.ts";
import type { RunIdentity } from "./state.ts";
import { writingFailed } from "../files/file_errors.ts";
import { askForFolder, makeFolder, writeAtomically } from "../files/writing.ts";
import { checkedOutCommit } from "./commit.ts";
import { readRecord, type RunRecord } from "./record.ts";
import { decisiveSettings } from "./settings.ts";
import type { Command, Flags } from "./flags.ts";
import { UserError } from "../user_error.ts";

/** Which folder to open, and what its record says from the beginning. */
export interface OpenOptions {
  /** The script that runs. */
  command: Pick<Command<Flags>, "name" | "mayChangeOnResume">;
  /** Its settings. */
  settings: { seed: number; preset: string; out?: string; resume?: string };
  /** What computes. */
  backend: Backend;
}

/** How many suffixes are tried before giving up. */
const MOST_SUFFIXES = 1000;

/** A run's folder, held by this process until it is closed. */
export class RunFolder {
  /** Where it is. */
  readonly path: string;
  /** What run.json says; changed through {@linkcode update}. */
  record: RunRecord;
  /** What its checkpoints are recognized by. */
  readonly identity: RunIdentity;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, record: RunRecord, identity: RunIdentity, lock: Deno.FsFile) {
    this.path = path;
    this.record = record;
    this.identity = identity;
    this.#lock = lock;
  }

  /**
   * Opens the folder of a new run, or of the run to resume.
   *
   * Without `out` the folder is runs/<script>-<preset>-<seed>, with -2, -3, … behind it when that is
   * taken.
   *
   * @throws {UserError} `out` holds a run already; another process works in the folder; it cannot be
   * written to.
   */
  static async open(options: OpenOptions): Promise<RunFolder> {
    const { settings } = options;
    if (settings.resume !== undefined) return await RunFolder.#reopen(options, settings.resume);
    await askForFolder(settings.out ?? "runs");
    const path = settings.out ?? await unusedFolder(
      `runs/${options.command.name}-${settings.preset}-${settings.seed}`,
    );
    await makeFolder(path);
    const lock = await takeLock(path);
    const folder = new RunFolder(path, await newRecord(options), identityOf(options), lock);
    await folder.#refuseTaken();
    await folder.update({});
    return folder;
  }

  static async #reopen(options: OpenOptions, path: string): Promise<RunFolder> {
    const earlier = await readRecord(`${path}/run.json`);
    const lock = await takeLock(path);
    const { seconds, results, started } = earlier as RunRecord;
    const record = { ...await newRecord(options), seconds, results, started };
    return new RunFolder(path, record, identityOf(options), lock);
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file in the folder, whole or not at all. */
  async write(name: string, content: Uint8Array | string): Promise<void> {
    await writeAtomically(this.file(name), content);
  }

  /** Changes run.json. */
  async update(changes: Partial<RunRecord>): Promise<void> {
    this.record = { ...this.record, ...changes, updated: new Date().toISOString() };
    await this.write("run.json", JSON.stringify(this.record, null, 2) + "\n");
  }

  /** Adds to the seconds that something took. */
  addSeconds(what: string, seconds: number): void {
    const { seconds: before } = this.record;
    this.record.seconds = { ...before, [what]: round((before[what] ?? 0) + seconds) };
  }

  /** Releases the folder. */
  close(): void {
    this.#lock.close();
  }

  /** Refuses a folder that holds a run; nobody else can put one there, as the lock is held. */
  async #refuseTaken(): Promise<void> {
    const found = await Deno.stat(this.file("run.json")).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    if (!found) return;
    this.close();
    throw new UserError(
      `--out ${this.path} already holds a run; go on with it by --resume ${this.path}, or give ` +
        "another folder",
    );
  }
}

/** The first of base, base-2, base-3, … that is not there yet; it is made. */
async function unusedFolder(base: string): Promise<string> {
  await makeFolder(base.slice(0, base.lastIndexOf("/")));
  for (let i = 1; i <= MOST_SUFFIXES; i++) {
    const path = i === 1 ? base : `${base}-${i}`;
    try {
      await Deno.mkdir(path);
      return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw writingFailed(path, error);
    }
  }
  throw new UserError(`${base} and ${MOST_SUFFIXES - 1} folders like it are taken; give --out`);
}

/** Holds run.lock for as long as this process lives: the system releases it, however the process ends. */
async function takeLock(path: string): Promise<Deno.FsFile> {
  const file = await openLock(`${path}/run.lock`);
  if (await file.tryLock(true)) return file;
  file.close();
  throw new UserError(
    `another process is working in ${path}; wait until it ends, or give another --out`,
  );
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, create: true });
  } catch (error) {
    throw writingFailed(path, error);
  }
}

async function newRecord(
  { command, settings, backend }: OpenOptions,
): Promise<RunRecord> {
  const now = new Date().toISOString();
  const { name, adapter, workers } = backend;
  return {
    script: command.name,
    settings: { ...settings },
    versions: {
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      tfjs: tf.version_core,
    },
    commit: await checkedOutCommit(),
    backend: { name, adapter, workers },
    status: "running",
    started: now,
    updated: now,
    seconds: {},
    results: {},
  };
}

/** The script and the settings that decide what is learned. */
function identityOf({ command, settings }: OpenOptions): RunIdentity {
  const values = settings as Record<string, unknown>;
  const decisive = decisiveSettings(command, values).filter((name) => values[name] !== undefined);
  return Object.fromEntries([
    ["script", command.name],
    ...decisive.map((name) => [name, String(values[name])]),
  ]);
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
