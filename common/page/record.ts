/**
 * Reads run.json, whatever stands in it.
 *
 * @module
 */
import { isLetGo } from "../run/lock.ts";
import { isTable, readRecord, type RunRecord } from "../run/record.ts";
import { UserError } from "../user_error.ts";
import type { RecordData } from "./run_data.ts";

/**
 * Reads a run's record. What is missing in it, or not of the form that a run writes, is left out.
 *
 * @param folder The run's folder.
 * @param known What to take in the place of its run.json.
 * @throws {UserError} There is no run.json, or it is something else.
 */
export async function readRecordData(folder: string, known?: RunRecord): Promise<RecordData> {
  const record = known ?? await readRecord(`${folder}/run.json`).catch((error) => {
    if (!(error.cause instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(
      `${folder} is not the folder of a run: it has no run.json; give one like runs/paper1-quick-0`,
    );
  });
  const { script, status, started, updated, backend, versions, seconds, ...rest } =
    record as Record<string, unknown>; // what it says may be of any form
  const { settings, results, classes } = rest;
  const wasCutOff = status === "running" && await isLetGo(folder);
  return {
    script: text(script),
    status: wasCutOff ? "interrupted" : text(status),
    started: text(started),
    updated: text(updated),
    backend: isTable(backend) ? backendInWords(backend) : "",
    settings: entries(settings).map(([name, value]) => [name, text(value)]),
    classes: Array.isArray(classes) ? classes.map(text) : [],
    versions: entries(versions).map(([name, value]) => [name, text(value)]),
    seconds: entries(seconds).filter((entry): entry is [string, number] => isNumber(entry[1])),
    results: entries(results).filter((entry): entry is [string, number | number[]] =>
      isNumber(entry[1]) || isNumbers(entry[1])
    ),
    distanceOfFlow: isTable(results) && Array.isArray(results.distanceOfFlow) &&
        results.distanceOfFlow.every(isNumbers)
      ? results.distanceOfFlow
      : undefined,
  };
}

function backendInWords({ name, adapter, workers }: Record<string, unknown>): string {
  const words: Record<string, string> = {
    webgpu: "WebGPU",
    wasm: "WebAssembly",
    cpu: "JavaScript",
  };
  const what = Object.hasOwn(words, text(name)) ? words[text(name)] : text(name);
  if (adapter) return `${what} on ${text(adapter)}`;
  return isNumber(workers) && workers > 1 ? `${what}, ${workers} threads` : what;
}

function entries(table: unknown): [string, unknown][] {
  return isTable(table) ? Object.entries(table) : [];
}

function text(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isNumber);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
