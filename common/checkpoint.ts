/**
 * Model files: safetensors with the PyTorch original's names and layouts.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import {
  decodeSafetensors,
  encodeSealed,
  type HostTensor,
  isIntact,
  isReal,
} from "./files/safetensors.ts";
import { readBytes } from "./files/reading.ts";
import { writeAtomically } from "./files/writing.ts";
import { UserError } from "./user_error.ts";

/**
 * Reads a model file; {@linkcode writeSafetensors} has an example.
 *
 * @param options.notice Is told, in one line, when the file has no checksum. Default: stderr.
 * @returns The tensors by name; the caller disposes of them.
 * @throws {UserError} The file is missing, may not be read, is not sound, or does not fit its checksum.
 */
export async function readSafetensors(
  path: string,
  { notice = (line) => console.error(`note: ${line}`) }: { notice?: (line: string) => void } = {},
): Promise<Map<string, tf.Tensor>> {
  const contents = decodeSafetensors(await readBytes(path), path);
  const intact = await isIntact(contents);
  if (intact === false) {
    throw new UserError(`${path} is damaged: its checksum does not fit its content`);
  }
  if (intact === undefined) {
    notice(
      `${path} has no checksum, as a file from another program; its numbers are taken as they are`,
    );
  }
  return toTensors(contents.tensors);
}

/**
 * Writes a model file: whole or not at all, with a checksum in its metadata.
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
  await writeAtomically(path, await encodeSealed(await toHost(tensors), metadata));
}

/** The numbers of tensors, read from their backend. */
export async function toHost(tensors: Map<string, tf.Tensor>): Promise<Map<string, HostTensor>> {
  const read = [...tensors].map(async ([name, tensor]): Promise<[string, HostTensor]> => {
    const data = await tensor.data() as Float32Array | Int32Array;
    return [name, { shape: tensor.shape, data }];
  });
  return new Map(await Promise.all(read));
}

/** Tensors with these numbers on the active backend; half precision becomes single. */
export function toTensors(host: Map<string, HostTensor>): Map<string, tf.Tensor> {
  return new Map([...host].map(([name, { shape, data }]) => {
    if (!isReal(data)) return [name, tf.tensor(data, shape, "int32")];
    return [name, tf.tensor(Float32Array.from(data), shape, "float32")];
  }));
}
