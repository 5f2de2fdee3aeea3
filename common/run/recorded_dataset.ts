/**
 * The data set that a run of paper 2 was trained on.
 *
 * @module
 */
import { readRecord } from "./record.ts";
import { UserError } from "../user_error.ts";
import { type DatasetName, DATASETS } from "../data/images/load.ts";

/** A data set as a run names it. */
export interface RecordedDataset {
  dataset: DatasetName;
  /** The folder with its files, where the run was given one. */
  dataDir?: string;
}

/**
 * Reads from a run.json which data set the run was trained on.
 *
 * @param folder The run's folder.
 * @throws {UserError} run.json cannot be read, is of another script, or names no data set.
 */
export async function recordedDataset(folder: string): Promise<RecordedDataset> {
  const path = `${folder}/run.json`;
  const { script, settings } = await readRecord(path);
  if (script !== "paper2") {
    throw new UserError(`${path} is a run of ${script}; expected one of paper2`);
  }
  const dataset = DATASETS.find((name) => name === settings!.dataset);
  if (!dataset) {
    const found = `has dataset = ${settings!.dataset}`;
    throw new UserError(`${path} ${found}; allowed: ${DATASETS.join(", ")}`);
  }
  const { dataDir } = settings!;
  return { dataset, dataDir: typeof dataDir === "string" ? dataDir : undefined };
}
