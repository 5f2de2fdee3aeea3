/**
 * The record of a run: run.json.
 *
 * @module
 */
import { readText } from "../files/files.ts";
import { UserError } from "../user_error.ts";

/** What `run.json` says. */
export interface RunRecord {
  /** The task that ran. */
  script: string;
  settings: Record<string, unknown>;
  versions: Record<string, string>;
  /** The project's commit, where it is a clone. */
  commit?: string;
  backend: {
    name: string;
    adapter?: string;
    workers: number;
    /** Seconds of a training step on each, where they were measured to choose one. */
    measured?: { webgpu: number; wasm: number };
  };
  status: "running" | "interrupted" | "finished";
  /** When it was begun and last written, in ISO 8601. */
  started: string;
  updated: string;
  /** Seconds that were spent in all, by what they were spent on. */
  seconds: Record<string, number>;
  /** The numbers printed at the end. */
  results: Record<string, unknown>;
}

/**
 * Reads a run.json.
 *
 * @throws {UserError} It cannot be read, or is something else.
 */
export async function readRecord(path: string): Promise<Partial<RunRecord>> {
  const content = await readText(path);
  try {
    const record = JSON.parse(content);
    if (isTable(record) && isTable(record.settings)) return record;
  } catch {
    // not JSON: said below
  }
  throw new UserError(`${path} is not a run's record: expected the run.json that a run writes`);
}

/** Whether a value of a JSON file has names with values. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
