/**
 * The data set that a run was trained on.
 *
 * @module
 */
import { readRecord } from "../../run_settings.ts";
import { UserError } from "../../user_error.ts";
import type { ImageSet } from "./image_set.ts";
import { type DatasetName, DATASETS, loadImages } from "./load.ts";

/**
 * Loads one half of the data set that a run's run.json names. A folder of images has no unseen half:
 * its first half stands in for it.
 *
 * @param folder The run's folder.
 * @throws {UserError} run.json cannot be read or names no data set, or the images cannot be loaded.
 */
export async function loadDatasetOf(
  folder: string,
  { size, split }: { size: number; split: "train" | "test" },
): Promise<ImageSet> {
  const path = `${folder}/run.json`;
  const { dataset, dataDir } = (await readRecord(path)).settings as Record<string, unknown>;
  const name = DATASETS.find((name) => name === dataset);
  if (!name) {
    throw new UserError(`${path} names the data set ${dataset}; expected ${DATASETS.join(", ")}`);
  }
  return await loadImages({
    dataset: name as DatasetName,
    size,
    split: name === "images" ? "train" : split,
    dataDir: typeof dataDir === "string" ? dataDir : undefined,
  });
}
