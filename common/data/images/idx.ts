/**
 * MNIST and the data sets that follow its format: IDX files, a big-endian header (magic number, then
 * the size of each axis) and one byte for each value.
 *
 * @module
 */
import { UserError } from "../../user_error.ts";
import { ByteReader } from "../../files/byte_reader.ts";
import { readFolder } from "../../files/reading.ts";
import type { Images } from "./geometry.ts";

const SIDE = 28;

/** Far more than any data set of this format has, 0.8 GB: a limit against damaged headers. */
const MOST_IMAGES = 1_000_000;

/** Magic numbers: two zero bytes, 0x08 for unsigned bytes, the number of axes. */
const MAGIC = { images: 0x00000803, labels: 0x00000801 };

/**
 * The images of one half of a data set and, if the folder has them, their labels.
 *
 * The files are `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` (`t10k-...` for the test set);
 * the second dash may be a dot, and `.gz` may follow.
 *
 * @param folder Where the files are.
 * @throws {UserError} A file is missing, damaged or of another kind, or there are not as many labels as images.
 */
export async function readIdxFolder(
  folder: string,
  split: "train" | "test",
): Promise<Images & { labels?: Uint8Array<ArrayBuffer> }> {
  const prefix = split === "train" ? "train" : "t10k";
  const imagePath = await findFile(folder, `${prefix}-images`, "idx3-ubyte");
  if (!imagePath) {
    throw new UserError(
      `${folder}: no images found; expected a file ${prefix}-images-idx3-ubyte or ${prefix}-images-idx3-ubyte.gz`,
    );
  }
  const images = await readIdxImages(imagePath);
  const labelPath = await findFile(folder, `${prefix}-labels`, "idx1-ubyte");
  if (!labelPath) return images;
  const labels = await readIdxLabels(labelPath);
  if (labels.length !== images.count) {
    throw new UserError(
      `${labelPath}: ${labels.length} labels; expected ${images.count}, as many as images in ${imagePath}`,
    );
  }
  return { ...images, labels };
}

/** Reads an IDX file of 28×28 images. */
async function readIdxImages(path: string): Promise<Images> {
  await using reader = await ByteReader.open(path);
  const [count, height, width] = await readHeader(reader, "images");
  if (height !== SIDE || width !== SIDE) {
    throw new UserError(`${path}: images of ${height}x${width}; expected ${SIDE}x${SIDE}`);
  }
  const pixels = await readBody(reader, count, SIDE * SIDE);
  return { count, height, width, channels: 1, pixels };
}

/** Reads an IDX file of labels 0 to 9. */
async function readIdxLabels(path: string): Promise<Uint8Array<ArrayBuffer>> {
  await using reader = await ByteReader.open(path);
  const [count] = await readHeader(reader, "labels");
  const labels = await readBody(reader, count, 1);
  const wrong = labels.findIndex((label) => label > 9);
  if (wrong >= 0) {
    throw new UserError(`${path}: label ${labels[wrong]} for image ${wrong}; expected 0 to 9`);
  }
  return labels;
}

/** The sizes of the axes, the number of images first. */
async function readHeader(reader: ByteReader, kind: keyof typeof MAGIC): Promise<number[]> {
  const axes = MAGIC[kind] & 0xff;
  const header = new Uint8Array(4 + 4 * axes);
  const filled = await reader.fill(header);
  const view = new DataView(header.buffer);
  if (filled >= 4 && view.getUint32(0) !== MAGIC[kind]) {
    throw new UserError(
      `${reader.name}: magic number ${hex(view.getUint32(0))}; expected ${hex(MAGIC[kind])}, ` +
        `an IDX file of ${kind}`,
    );
  }
  if (filled < header.length) {
    throw new UserError(
      `${reader.name}: ${filled} bytes; expected an IDX header of ${header.length}`,
    );
  }
  return Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
}

/** The values after the header: exactly count·size bytes. */
async function readBody(
  reader: ByteReader,
  count: number,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (count === 0 || count > MOST_IMAGES) {
    throw new UserError(
      `${reader.name}: the header announces ${count} images; expected 1 to ${MOST_IMAGES}`,
    );
  }
  const expected = count * size;
  const truncated = (found: string) =>
    new UserError(
      `${reader.name}: truncated: ${found} bytes after the header; expected ${expected} for ${count} images`,
    );
  if (expected > reader.left) throw truncated(`at most ${reader.left}`);
  const body = new Uint8Array(expected);
  const filled = await reader.fill(body);
  if (filled < expected) throw truncated(`${filled}`);
  if (!await reader.atEnd()) {
    throw new UserError(
      `${reader.name}: longer than its header says; expected ${expected} bytes for ${count} images`,
    );
  }
  return body;
}

/** The first of a file's usual names that exists in the folder. */
async function findFile(folder: string, stem: string, ending: string): Promise<string | undefined> {
  const names = await readFolder(folder);
  const found = new Set(names.map((entry) => entry.name));
  for (const separator of ["-", "."]) {
    for (const packing of ["", ".gz"]) {
      const name = `${stem}${separator}${ending}${packing}`;
      if (found.has(name)) return `${folder.replace(/\/+$/, "")}/${name}`;
    }
  }
  return undefined;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
