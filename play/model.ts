/**
 * A model that comes with the page to play with, out of its files.
 *
 * @module
 */
import { toTensors } from "../common/checkpoint.ts";
import { decodeSafetensors } from "../common/files/safetensors.ts";
import type { ImageModel } from "../common/network/image_model.ts";
import type { ModelFiles } from "../common/page/play/protocol.ts";
import { modelOf, type ModelSettings } from "../common/run/model_settings.ts";

/** The trained model that is in a model file, in the shape that its run.json says. */
export function modelOfPage({ model, record }: ModelFiles): ImageModel {
  const { tensors } = decodeSafetensors(model, "the model");
  return modelOf(record.settings as ModelSettings, toTensors(tensors), "the model");
}
