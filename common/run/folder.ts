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
import { takeLock } from "./lock.ts";
import { SHIPPED_DRAWINGS } from "./model_source.ts";
import { recordedStretches } from "./stretches.ts";
import { type DrawnFrom, readRecord, type RunRecord } from "./record.ts";
import { decisiveSettings } from "./settings.ts";
import type { Command, Flags } from "./flags.ts";
import { UserError } from "../user_error.ts";

/** The file of what a run shows after so many steps of its training. */
export function sheetName(step: number): string {
  return `sheet-${String(step).padStart(7, "0")}.png`;
}

/** Which folder to open, and what its record says from the beginning. */
export interface OpenOptions {
  /** The script that runs. */
  command: Pick<Command<Flags>, "name" | "mayChangeOnResume">;
  /** Its settings. */
  settings: { seed: number; preset: string; out?: string; resume?: string };
  /** What computes. */
  backend: Backend;
  /** Set where nothing is trained and a model draws: the folder is a new one, beside the model's. */
  drawing?: Drawing;
}

/** What a folder of drawn images is for. */
export interface Drawing {
  /** Stands behind the name of the model's folder in that of the new one. */
  what: "samples" | "samplers" | "likelihood" | "label" | "draw";
  /** The model. */
  from: DrawnFrom;
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
  /** Whether this process has written run.json. */
  #written = false;

  private constructor(path: string, record: RunRecord, identity: RunIdentity, lock: Deno.FsFile) {
    this.path = path;
    this.record = record;
    this.identity = identity;
    this.#lock = lock;
  }

  /**
   * Opens the folder of a new run, or of the run to resume.
   *
   * Without `out` the folder is runs/<script>-<preset>-<seed>, or <the model's folder>-samples where a
   * model draws, with -2, -3, … behind it when that is taken.
   *
   * @throws {UserError} `out` is not empty; another process works in the folder; it cannot be written
   * to.
   */
  static async open(options: OpenOptions): Promise<RunFolder> {
    const { settings, drawing } = options;
    if (settings.resume !== undefined && !drawing) {
      return await RunFolder.#reopen(options, settings.resume);
    }
    const base = baseOf(options);
    await askForFolder(settings.out ?? folderAbove(base));
    const path = settings.out ?? await unusedFolder(base);
    await makeFolder(path);
    const lock = await takeLock(path);
    const folder = new RunFolder(path, await newRecord(options), identityOf(options), lock);
    await folder.#refuseTaken();
    await folder.update({});
    return folder;
  }

  static async #reopen(options: OpenOptions, path: string): Promise<RunFolder> {
    const lock = await takeLock(path);
    try {
      const earlier = await readRecord(`${path}/run.json`);
      const { seconds = {}, results = {}, started, data, classes } = earlier as RunRecord;
      const stretches = recordedStretches(earlier, `${path}/run.json`);
      const kept = { seconds, results, started, data, classes, stretches };
      return new RunFolder(
        path,
        { ...await newRecord(options), ...kept },
        identityOf(options),
        lock,
      );
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file in the folder, whole or not at all. */
  async write(name: string, content: Uint8Array | string): Promise<void> {
    await writeAtomically(this.file(name), content);
  }

  /** The record as it would be with these changes now. */
  changed(changes: Partial<RunRecord>): RunRecord {
    return { ...this.record, ...changes, updated: new Date().toISOString() };
  }

  /** Changes run.json. */
  async update(changes: Partial<RunRecord>): Promise<void> {
    this.record = this.changed(changes);
    await this.write("run.json", JSON.stringify(this.record, null, 2) + "\n");
    this.#written = true;
  }

  /** Notes in run.json that an error ended the run, unless this process has left run.json alone. */
  async fail(): Promise<void> {
    if (!this.#written || this.record.status !== "running") return;
    await this.update({ status: "failed" }).catch(() => {}); // a full disk may be what ended it
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

  /** Refuses a folder that holds files; nobody else can put a run there, as the lock is held. */
  async #refuseTaken(): Promise<void> {
    const entries = await Array.fromAsync(Deno.readDir(this.path));
    const files = entries.filter(({ name, isDirectory }) => !isDirectory && !LEFTOVER.test(name));
    if (files.length === 0) return;
    this.close();
    const isRun = files.some(({ name }) => name === "run.json");
    throw new UserError(
      isRun
        ? `--out ${this.path} already holds a run; go on with it by --resume ${this.path}, or give ` +
          "another folder"
        : `--out ${this.path} holds files, ${
          files[0].name
        } among them, which might be overwritten; ` +
          "give an empty folder or a new one",
    );
  }
}

/** What a process that was cut off before its first record may leave. */
const LEFTOVER = /^run\.lock$|\.part$/;

/** The folder's name where none is given. */
function baseOf({ command, settings, drawing }: OpenOptions): string {
  if (!drawing) return `runs/${command.name}-${settings.preset}-${settings.seed}`;
  const model = (drawing.from.run ?? SHIPPED_DRAWINGS).replace(/(?<=.)\/+$/, "");
  if (settings.out === undefined && /(^|\/)\.{0,2}$/.test(model)) {
    throw new UserError(`--resume ${model} has no name to put -${drawing.what} behind; give --out`);
  }
  return `${model}-${drawing.what}`;
}

function folderAbove(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
}

/** The first of base, base-2, base-3, … that is not there yet; it is made. */
async function unusedFolder(base: string): Promise<string> {
  await makeFolder(folderAbove(base));
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

async function newRecord(
  { command, settings, backend, drawing }: OpenOptions,
): Promise<RunRecord> {
  const now = new Date().toISOString();
  const { name, adapter, workers, measured } = backend;
  return {
    script: command.name,
    settings: { ...settings },
    drawnFrom: drawing?.from,
    versions: {
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      tfjs: tf.version_core,
    },
    commit: await checkedOutCommit(),
    backend: { name, adapter, workers, measured },
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
