/**
 * Where a trained model comes from: a run's folder, or the project itself.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { readSafetensors, toTensors } from "../checkpoint.ts";
import { readBytes } from "../files/reading.ts";
import { sha256 } from "../files/sha256.ts";
import { SHIPPED, shippedFolder, type ShippedScript } from "../shipped/half_precision.ts";
import { shippedBytes, shippedModel, shippedRecord } from "../shipped/shipped_model.ts";
import { type DrawnFrom, readRecord, type RunRecord } from "./record.ts";

/** A run that left a model. */
export interface ModelSource {
  /** Its run.json. */
  record: Partial<RunRecord>;
  /** The file of that, for messages. */
  recordPath: string;
  /** The file of the model, for messages. */
  modelPath: string;
  /** Its weights; the caller disposes of them. */
  weights(): Promise<Map<string, tf.Tensor>>;
}

/** What is drawn with a model that ships goes into this folder, or has its name before what it is. */
export const SHIPPED_DRAWINGS = "runs/shipped";

/** How messages call it. */
export const SHIPPED_NAME = "the model that ships";

/** The record of the model of a script that ships, and its path. */
export function shippedSource(script: ShippedScript): ModelSource {
  return {
    record: shippedRecord(script),
    recordPath: `${shippedFolder(script)}/${SHIPPED.record}`,
    modelPath: `${shippedFolder(script)}/${SHIPPED.model}`,
    weights: async () => toTensors((await shippedModel(script)).tensors),
  };
}

/**
 * The model of a run.
 *
 * @param folder The run's. Default: the model that ships.
 * @param shipped Of which script that is.
 * @throws {UserError} There is no record.
 */
export async function modelSource(
  folder?: string,
  shipped: ShippedScript = "paper2",
): Promise<ModelSource> {
  if (folder === undefined) return shippedSource(shipped);
  const [recordPath, modelPath] = [`${folder}/run.json`, `${folder}/model.safetensors`];
  const record = await readRecord(recordPath);
  return { record, recordPath, modelPath, weights: () => readSafetensors(modelPath) };
}

/** Says in a line that the model is the one that ships, where no run is given. */
export function sayWhichModel(folder: string | undefined, shipped: ShippedScript): void {
  if (folder !== undefined) return;
  console.error(
    `with ${SHIPPED_NAME}, from deno task ${shipped}; --resume DIR takes that of a run`,
  );
}

/** What a record says of the model that drew. */
export async function drawnFrom(
  folder: string | undefined,
  shipped: ShippedScript = "paper2",
): Promise<DrawnFrom> {
  if (folder === undefined) return { sha256: await sha256(await shippedBytes(shipped)) };
  return { run: folder, sha256: await sha256(await readBytes(`${folder}/model.safetensors`)) };
}
