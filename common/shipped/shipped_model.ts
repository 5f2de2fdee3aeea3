/**
 * The models that ship: what `deno task paper2` and `deno task paper3` train with their defaults, in half
 * precision. They come as modules, so that no permission is needed to use one, and nothing has to be trained
 * before; the weights, 2 MB each, are loaded when they are asked for.
 *
 * `deno task ship RUN` writes one anew from a finished run. SHA256SUMS has the hashes of its two files.
 *
 * @module
 */
import paper2 from "./paper2/run.json" with { type: "json" };
import paper3 from "./paper3/run.json" with { type: "json" };
import { type Contents, decodeSafetensors } from "../files/safetensors.ts";
import { SHIPPED, shippedFolder, type ShippedScript } from "./half_precision.ts";

const RECORDS = { paper2, paper3 };

const WEIGHTS = {
  paper2: () => import("./paper2/model.safetensors", { with: { type: "bytes" } }),
  paper3: () => import("./paper3/model.safetensors", { with: { type: "bytes" } }),
};

/** The run.json of the run that trained a model. */
export function shippedRecord(script: ShippedScript): object {
  return RECORDS[script];
}

/** The bytes of its model file. */
export async function shippedBytes(script: ShippedScript): Promise<Uint8Array<ArrayBuffer>> {
  return (await WEIGHTS[script]()).default;
}

/** Its weights, in half precision. */
export async function shippedModel(script: ShippedScript): Promise<Contents> {
  return decodeSafetensors(
    await shippedBytes(script),
    `${shippedFolder(script)}/${SHIPPED.model}`,
  );
}
