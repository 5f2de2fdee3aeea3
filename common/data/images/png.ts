/**
 * PNG files to pixels and back.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { PNG } from "pngjs";
import { UserError } from "../../user_error.ts";

/** Rows of pixels from the top, four bytes each: red, green, blue, alpha. */
export interface Rgba {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** [height, width, 4] in 0..255. */
  data: Uint8Array;
}

/** A broken header can claim an image of many gigabytes: what is larger than this is not decoded. */
const LARGEST_SIDE = 8192;

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Decodes a PNG file.
 *
 * @param name What to call the file in an error: its path.
 * @throws {UserError} It is not a PNG file, broken, cut off, or wider or higher than 8,192 pixels.
 */
export function readPng(bytes: Uint8Array, name: string): Rgba {
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) {
    const found = bytes.length === 0 ? "it is empty" : "it does not start like one";
    throw new UserError(`${name}: not a PNG file (${found})`);
  }
  const [width, height] = claimedSize(bytes, name);
  if (width === 0 || height === 0 || width > LARGEST_SIDE || height > LARGEST_SIDE) {
    throw new UserError(
      `${name}: its header says ${width}x${height} pixels; ` +
        `allowed are 1x1 to ${LARGEST_SIDE}x${LARGEST_SIDE}: save it smaller`,
    );
  }
  const { data } = decode(bytes, name);
  // every row has to be there: 4 bytes a pixel
  if (data.length !== 4 * width * height) throw broken(name, "pixels are missing");
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

/** Encodes pixels as a PNG file. */
export function writePng({ width, height, data }: Rgba): Uint8Array<ArrayBuffer> {
  const png = new PNG({ width, height });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.length);
  return new Uint8Array(PNG.sync.write(png));
}

/** Width and height in the header chunk, which has to come first. */
function claimedSize(bytes: Uint8Array, name: string): [number, number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headerFirst = bytes.length >= 33 && view.getUint32(12) === 0x49484452; // "IHDR"
  if (!headerFirst) throw broken(name, "its header is incomplete");
  return [view.getUint32(16), view.getUint32(20)];
}

function decode(bytes: Uint8Array, name: string): { data: Uint8Array } {
  try {
    return PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    throw broken(name, error instanceof Error ? error.message.split("\n")[0] : String(error));
  }
}

function broken(name: string, why: string): UserError {
  return new UserError(`${name}: a broken or incomplete PNG file (${why}); save or copy it again`);
}
