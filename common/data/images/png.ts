/**
 * PNG files to pixels and back.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
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
  checkPixelData(bytes, { width, height }, name);
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

/** Samples of a pixel, by colour type: grey, colour, palette, grey and alpha, colour and alpha. */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** The seven passes of an interlaced image: first column and row, then the steps between them. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/**
 * Counts the pixel data: a decoder takes rows that are not there for black.
 *
 * @throws {UserError} They are missing, damaged, or fewer or more than the header says.
 */
function checkPixelData(
  bytes: Uint8Array,
  { width, height }: { width: number; height: number },
  name: string,
): void {
  const [depth, colour, , , interlaced] = bytes.subarray(24, 29);
  if (!(colour in SAMPLES) || ![1, 2, 4, 8, 16].includes(depth)) {
    throw broken(name, "its header names no kind of pixels");
  }
  const rowBytes = (columns: number) => 1 + Math.ceil(columns * SAMPLES[colour] * depth / 8);
  const expected = (interlaced ? PASSES : [[0, 0, 1, 1]]).reduce((sum, [x, y, dx, dy]) => {
    const [columns, rows] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)];
    return columns > 0 && rows > 0 ? sum + rows * rowBytes(columns) : sum;
  }, 0);
  let found: number;
  try {
    found = inflateSync(packedPixels(bytes), { maxOutputLength: expected + 1 }).length;
  } catch {
    throw broken(name, "its pixel data are missing, damaged or too many");
  }
  if (found !== expected) {
    throw broken(name, `${found} bytes of pixel data; its header says ${expected}`);
  }
}

/** What is in the file's IDAT chunks, one behind the other. */
function packedPixels(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === 0x49444154) parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return Buffer.concat(parts);
}

function decode(bytes: Uint8Array, name: string): { data: Uint8Array } {
  try {
    return PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch {
    throw broken(name, "what is in it cannot be decoded");
  }
}

function broken(name: string, why: string): UserError {
  return new UserError(`${name}: a broken or incomplete PNG file (${why}); save or copy it again`);
}
