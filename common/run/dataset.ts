/**
 * Which images a run learns from: the flags, and what the run.json of a finished run says.
 *
 * @module
 */
import { type DatasetName, DATASETS } from "../data/images/load.ts";
import { UserError } from "../user_error.ts";
import { choice, onOff, text } from "./flags.ts";
import { modelSource } from "./model_source.ts";
import { inWords } from "./record.ts";
import type { ShippedScript } from "../shipped/half_precision.ts";

/** The flags for a data set's files. */
export const datasetFlags = {
  dataset: choice({ help: "what to learn from", of: DATASETS, default: "mnist" }),
  dataDir: text({ help: "folder with its files", placeholder: "DIR", default: undefined }),
  download: onOff({ help: "fetch its files into runs/.data if they are not there" }),
};

/** The flags for the files of a data set that a finished run names. */
export const filesOfRunFlags = {
  dataDir: text({
    help: "folder with the data set's files [that of the run]",
    placeholder: "DIR",
    default: undefined,
  }),
  download: datasetFlags.download,
};

/** A data set as a run names it. */
export interface RecordedDataset {
  /** Its name. */
  dataset: DatasetName;
  /** The folder with its files, if one was given. */
  dataDir?: string;
  /** Whether the run has learned its labels, too. */
  labelled?: boolean;
}

/** The scripts that learn from images. */
const SCRIPTS = ["paper2", "paper3"];

/**
 * Reads from a run.json which data set the run was trained on.
 *
 * @param folder The run's folder. Default: that of the model that ships.
 * @param shipped Of which script that is.
 * @throws {UserError} run.json cannot be read, is of another script, or names no data set.
 */
export async function recordedDataset(
  folder?: string,
  shipped: ShippedScript = "paper2",
): Promise<RecordedDataset> {
  const { record: { script, settings }, recordPath: path } = await modelSource(folder, shipped);
  if (!SCRIPTS.includes(script!)) {
    throw new UserError(
      `${path} is a run of ${inWords(script)}; expected one of ${SCRIPTS.join(" or ")}`,
    );
  }
  const dataset = DATASETS.find((name) => name === settings!.dataset);
  if (!dataset) {
    const found = `has dataset = ${inWords(settings!.dataset)}`;
    throw new UserError(`${path} ${found}; allowed: ${DATASETS.join(", ")}`);
  }
  const { dataDir } = settings!;
  const labelled = script === "paper3";
  return { dataset, dataDir: typeof dataDir === "string" ? dataDir : undefined, labelled };
}
