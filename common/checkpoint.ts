/**
 * Model files: safetensors with the PyTorch original's names and layouts.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { decodeSafetensors, encodeSafetensors, type HostTensor } from "./files/safetensors.ts";
import { readBytes } from "./files/reading.ts";
import { writeAtomically } from "./files/writing.ts";

/**
 * Reads a model file; {@linkcode writeSafetensors} has an example.
 *
 * @returns The tensors by name; the caller disposes of them.
 * @throws {UserError} The file is missing, may not be read, or is not sound.
 */
export async function readSafetensors(path: string): Promise<Map<string, tf.Tensor>> {
  return toTensors(decodeSafetensors(await readBytes(path), path).tensors);
}

/**
 * Writes a model file: whole or not at all.
 *
 * @param metadata Texts to go with the tensors.
 * @throws {UserError} The file cannot be written.
 *
 * @example There and back
 * ```ts
 * import { readSafetensors, writeSafetensors } from "./checkpoint.ts";
 * import { assert } from "@std/assert";
 * import * as tf from "@tensorflow/tfjs";
 *
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await writeSafetensors(path, new Map([["bias", tf.zeros([16])]]), { format: "pt" });
 * const tensors = await readSafetensors(path);
 * assert(tensors.get("bias")!.size === 16);
 * await Deno.remove(path);
 * ```
 */
export async function writeSafetensors(
  path: string,
  tensors: Map<string, tf.Tensor>,
  metadata?: Record<string, string>,
): Promise<void> {
  await writeAtomically(path, encodeSafetensors(await toHost(tensors), metadata));
}

/** The numbers of tensors, read from their backend. */
export async function toHost(tensors: Map<string, tf.Tensor>): Promise<Map<string, HostTensor>> {
  const read = [...tensors].map(async ([name, tensor]): Promise<[string, HostTensor]> => {
    const data = await tensor.data() as Float32Array | Int32Array;
    return [name, { shape: tensor.shape, data }];
  });
  return new Map(await Promise.all(read));
}

/** Tensors with these numbers on the active backend. */
export function toTensors(host: Map<string, HostTensor>): Map<string, tf.Tensor> {
  return new Map([...host].map(([name, { shape, data }]) => {
    const dtype = data instanceof Float32Array ? "float32" : "int32";
    return [name, tf.tensor(data, shape, dtype)];
  }));
}
