/**
 * The record of a run: run.json.
 *
 * @module
 */
import { readText } from "../files/reading.ts";
import { UserError } from "../user_error.ts";
import type { Flag } from "./flags.ts";

/** Where drawn images come from. */
export interface DrawnFrom {
  /** The folder of the run that has the model. Absent for the model that ships. */
  run?: string;
  /** SHA-256 of its model.safetensors. */
  sha256: string;
}

/** A part of a run that was, or is to be, trained with the same settings. */
export interface Stretch {
  /** Its first step, from 1. */
  fromStep: number;
  /** Its last step; the next stretch follows it. */
  toStep: number;
  /** Everything that decides what is learned, `steps` with it: the learning rate falls towards it. */
  settings: Record<string, unknown>;
  /** What computed. */
  backend: RunRecord["backend"];
  /** When it was begun, in ISO 8601. */
  started: string;
}

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
  backend: {
    name: string;
    adapter?: string;
    workers: number;
    /** Seconds of a training step on each, where they were measured to choose one. */
    measured?: { webgpu: number; wasm: number };
  };
  /** How far the run came. `failed`: an error ended it. One that says `running` but is held by no process was cut off. */
  status: "running" | "interrupted" | "finished" | "failed";
  /** What was trained with which settings, from step 1 on. */
  stretches?: Stretch[];
  /** SHA-256 of the data that were trained on, where they are more than a name. */
  data?: string;
  /** The names of the classes that the network was told, in the order of their labels. */
  classes?: string[];
  /** The model that drew what is in the folder, where nothing was trained. */
  drawnFrom?: DrawnFrom;
  /** When it was begun, in ISO 8601. */
  started: string;
  /** When it was last written, in ISO 8601. */
  updated: string;
  /** Seconds that each part of the run took, over all its processes. */
  seconds: Record<string, number>;
  /** The numbers printed at the end. */
  results: Record<string, unknown>;
}

/** Objects and lists within each other, of which a record has few. */
const DEEPEST = 20;

/**
 * Reads a run.json.
 *
 * @throws {UserError} It cannot be read, or is not a run.json.
 */
export async function readRecord(path: string): Promise<Partial<RunRecord>> {
  const content = await readText(path);
  try {
    const record = isDeep(content) ? undefined : JSON.parse(content);
    if (isTable(record) && isTable(record.settings)) return record;
  } catch {
    // not JSON: the error below says so
  }
  throw new UserError(`${path} is not a run's record: expected the run.json that a run writes`);
}

/**
 * A setting out of a run.json, brought through the same checks as the command line.
 *
 * @throws {UserError} It is none that the flag allows.
 */
export function recordedValue<T>(
  flag: Flag<T>,
  { name, value, path }: { name: string; value: unknown; path: string },
): T {
  const isPlain = ["string", "number", "boolean"].includes(typeof value);
  const parsed = flag.isSwitch
    ? typeof value === "boolean" ? value as T : undefined
    : isPlain
    ? flag.parse(String(value))
    : undefined;
  if (parsed !== undefined) return parsed;
  const allowed = flag.isSwitch ? "true, false" : flag.allowed;
  throw new UserError(`${path} has ${name} = ${inWords(value)}; allowed: ${allowed}`);
}

/** A value of a JSON file as it stands in a message. */
export function inWords(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "a table" : String(value);
}

/** Whether a JSON text nests deeper than a record does: what walks through it would not come back. */
function isDeep(json: string): boolean {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < json.length; i++) {
    const sign = json[i];
    if (isText && sign === "\\") i++;
    else if (sign === '"') isText = !isText;
    else if (!isText && (sign === "[" || sign === "{")) depth++;
    else if (!isText && (sign === "]" || sign === "}")) depth--;
    if (depth > DEEPEST) return true;
  }
  return false;
}

/** Whether a value of a JSON file is an object. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
