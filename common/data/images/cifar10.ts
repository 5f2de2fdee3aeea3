/**
 * CIFAR-10 in the binary format of its own download: records of a label and 32×32 red, green and
 * blue values, one colour after the other.
 *
 * @module
 */
import { UserError } from "../../user_error.ts";
import { ByteReader } from "../../files/byte_reader.ts";
import { readFolder } from "../../files/reading.ts";
import type { Images } from "./geometry.ts";
import { readTar } from "./tar.ts";

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

/** Ten times the size of a batch of the real data set: a limit against files of another kind. */
const MOST_BYTES = 10 * 10_000 * RECORD;

/** The archive of all batches, which a folder may hold instead of them. */
const CIFAR10_ARCHIVE = "cifar-10-binary.tar.gz";

const FILES = {
  train: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`),
  test: ["test_batch.bin"],
};

interface Batch {
  name: string;
  bytes: Uint8Array;
}

/**
 * The images of one half of the data set with their labels.
 *
 * @param folder Has `data_batch_1.bin` to `data_batch_5.bin` (any of them) and `test_batch.bin`, or
 * the folder `cifar-10-batches-bin` with them, or the data set's archive.
 * @throws {UserError} None of them is there, or a file is damaged or of another kind.
 */
export async function readCifar10Folder(
  folder: string,
  split: "train" | "test",
): Promise<Images & { labels: Uint8Array<ArrayBuffer> }> {
  const batches = await readBatches(folder.replace(/(?<=.)\/+$/, ""), split);
  batches.forEach(checkBatch);
  const count = batches.reduce((sum, { bytes }) => sum + bytes.length / RECORD, 0);
  const pixels = new Uint8Array(count * 3 * PLANE);
  const labels = new Uint8Array(count);
  let n = 0;
  for (const { bytes } of batches) {
    for (let from = 0; from < bytes.length; from += RECORD, n++) {
      labels[n] = bytes[from];
      const image = pixels.subarray(n * 3 * PLANE, (n + 1) * 3 * PLANE); // [H, W, C]
      for (let p = 0; p < PLANE; p++) {
        for (let c = 0; c < 3; c++) image[3 * p + c] = bytes[from + 1 + c * PLANE + p];
      }
    }
  }
  return { count, height: SIDE, width: SIDE, channels: 3, pixels, labels };
}

async function readBatches(folder: string, split: "train" | "test"): Promise<Batch[]> {
  const entries = await readFolder(folder);
  const names = new Set(entries.map((entry) => entry.name));
  const files = FILES[split].filter((name) => names.has(name));
  if (files.length > 0) {
    return await Promise.all(files.map((name) => readBatch(`${folder}/${name}`)));
  }
  if (names.has("cifar-10-batches-bin")) {
    return await readBatches(`${folder}/cifar-10-batches-bin`, split);
  }
  const archive = `${folder}/${CIFAR10_ARCHIVE}`;
  const wanted = (name: string) => FILES[split].includes(name.split("/").at(-1)!);
  const packed = names.has(CIFAR10_ARCHIVE) ? await Array.fromAsync(readTar(archive, wanted)) : [];
  if (packed.length > 0) {
    return packed.map(({ name, bytes }) => ({ name: `${archive}: ${name}`, bytes }));
  }
  const expected = split === "train" ? "data_batch_1.bin to data_batch_5.bin" : FILES.test[0];
  throw new UserError(
    `${folder}: no images found; expected ${expected} (or ${CIFAR10_ARCHIVE})`,
  );
}

async function readBatch(name: string): Promise<Batch> {
  await using reader = await ByteReader.open(name);
  if (reader.left > MOST_BYTES) throw notABatch(name, reader.left);
  const bytes = new Uint8Array(reader.left);
  return { name, bytes: bytes.subarray(0, await reader.fill(bytes)) };
}

function checkBatch({ name, bytes }: Batch): void {
  if (bytes.length === 0 || bytes.length % RECORD !== 0) throw notABatch(name, bytes.length);
  for (let from = 0; from < bytes.length; from += RECORD) {
    if (bytes[from] > 9) {
      throw new UserError(
        `${name}: label ${bytes[from]} in record ${
          from / RECORD
        }; expected 0 to 9 (CIFAR-10, not CIFAR-100)`,
      );
    }
  }
}

function notABatch(name: string, size: number): UserError {
  return new UserError(
    `${name}: ${size} bytes; expected whole records of ${RECORD} bytes (CIFAR-10's binary version), at most ${MOST_BYTES} bytes`,
  );
}
