/**
 * The files of the models that ship, and how they are made from a run's.
 *
 * @module
 */
import type { Contents, HostTensor } from "../files/safetensors.ts";

/** The scripts of which a model ships: that of their defaults. */
export const SHIPPED_SCRIPTS = ["paper2", "paper3"] as const;
/** One of {@linkcode SHIPPED_SCRIPTS}. */
export type ShippedScript = typeof SHIPPED_SCRIPTS[number];

/** The files of a model that ships, each in its folder. */
export const SHIPPED = { model: "model.safetensors", record: "run.json", sums: "SHA256SUMS" };

/** Where they lie, from the project's folder on. */
export function shippedFolder(script: ShippedScript): string {
  return `common/shipped/${script}`;
}

/** The entry of the model file's metadata with the SHA-256 of the file that it was made from. */
const MADE_FROM = "madeFrom";

/**
 * A model file's content in half precision.
 *
 * @param sha256 Of the file that it was read from.
 * @throws {RangeError} A weight is too large for half precision.
 */
export function inHalfPrecision({ tensors }: Contents, sha256: string): Contents {
  const halved = [...tensors].map(([name, { shape, data }]): [string, HostTensor] => {
    const half = Float16Array.from(data);
    if (!half.every(Number.isFinite)) {
      throw new RangeError(`${name} has a weight that is too large for half precision`);
    }
    return [name, { shape, data: half }];
  });
  return { tensors: new Map(halved), metadata: { [MADE_FROM]: sha256 } };
}

/** The SHA-256 of the file that a file in half precision was made from. */
export function madeFrom({ metadata }: Contents): string | undefined {
  return metadata[MADE_FROM];
}
