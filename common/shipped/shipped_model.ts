/**
 * The model that ships: what `deno task paper2` trains with its defaults, in half precision. It comes as a
 * module, so that no permission is needed to use it, and nothing has to be trained before.
 *
 * `deno task ship RUN` writes it anew from a finished run. SHA256SUMS has the hashes of both files.
 *
 * @module
 */
import model from "./model.safetensors" with { type: "bytes" };
import record from "./run.json" with { type: "json" };
import { type Contents, decodeSafetensors } from "../files/safetensors.ts";
import { SHIPPED } from "./half_precision.ts";

/** The bytes of its model file. */
export const shippedBytes: Uint8Array<ArrayBuffer> = model;

/** The run.json of the run that trained it. */
export const shippedRecord: object = record;

/** Its weights, in half precision. */
export function shippedModel(): Contents {
  return decodeSafetensors(model, `${SHIPPED.folder}/${SHIPPED.model}`);
}
