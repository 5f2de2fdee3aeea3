/**
 * The record of a run: run.json.
 *
 * @module
 */
import { readText } from "../files/reading.ts";
import { UserError } from "../user_error.ts";

/** What `run.json` says. */
export interface RunRecord {
  /** The task that ran. */
  script: string;
  /** Every setting of the run, given or not. */
  settings: Record<string, unknown>;
  /** Of Deno and of the packages that compute. */
  versions: Record<string, string>;
  /** The project's commit, where it is a clone. */
  commit?: string;
  /** What computed. */
  backend: { name: string; adapter?: string; workers: number };
  /** How far the run came. */
  status: "running" | "interrupted" | "finished";
  /** When it was begun, in ISO 8601. */
  started: string;
  /** When it was last written, in ISO 8601. */
  updated: string;
  /** Seconds that each part of the run took, over all its processes. */
  seconds: Record<string, number>;
  /** The numbers printed at the end. */
  results: Record<string, unknown>;
}

/**
 * Reads a run.json.
 *
 * @throws {UserError} It cannot be read, or is not a run.json.
 */
export async function readRecord(path: string): Promise<Partial<RunRecord>> {
  const content = await readText(path);
  try {
    const record = JSON.parse(content);
    if (isTable(record) && isTable(record.settings)) return record;
  } catch {
    // not JSON: the error below says so
  }
  throw new UserError(`${path} is not a run's record: expected the run.json that a run writes`);
}

/** Whether a value of a JSON file is an object. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
