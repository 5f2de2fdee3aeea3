/**
 * Moving images as animated PNG files: a PNG file with more frames behind its first, which viewers
 * that know nothing of it show as an image. (PNG Specification, Third Edition, W3C 2025.)
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import type { IndexedFilm } from "./palette.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** The colour type whose pixels are indices into a palette. */
const INDEXED = 3;

/** Encodes a film that starts again at its end, for ever. */
export function writeApng(
  { width, height, palette, frames }: IndexedFilm,
): Uint8Array<ArrayBuffer> {
  const header = [...uint32(width), ...uint32(height), 8, INDEXED, 0, 0, 0];
  const chunks = [
    chunk("IHDR", header),
    chunk("acTL", [...uint32(frames.length), ...uint32(0)]), // 0: plays for ever
    chunk("PLTE", palette.flat()),
  ];
  let sequence = 0; // counts the chunks fcTL and fdAT together
  frames.forEach(({ pixels, delay }, i) => {
    chunks.push(chunk("fcTL", [
      ...uint32(sequence++),
      ...uint32(width),
      ...uint32(height),
      ...uint32(0), // its position: left
      ...uint32(0), // and top
      ...uint16(Math.round(delay)),
      ...uint16(1000), // the delay is in thousandths of a second
      0, // it stays until the next one
      0, // which replaces it
    ]));
    const content = deflateSync(scanlines(pixels, width));
    chunks.push(
      i === 0
        ? chunk("IDAT", content)
        : chunk("fdAT", Buffer.concat([new Uint8Array(uint32(sequence++)), content])),
    );
  });
  chunks.push(chunk("IEND", []));
  return new Uint8Array(Buffer.concat([new Uint8Array(SIGNATURE), ...chunks]));
}

/** Each row of pixels behind a byte that names its filter: 0, none, is best with a palette. */
function scanlines(pixels: Uint8Array, width: number): Uint8Array {
  const height = pixels.length / width;
  const lines = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) {
    lines.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  return lines;
}

/** The length of the content, the chunk's name, the content, and a checksum of the last two. */
function chunk(name: string, content: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + content.length);
  bytes.set(uint32(content.length));
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(content, 8);
  bytes.set(uint32(crc32(bytes.subarray(4, 8 + content.length))), 8 + content.length);
  return bytes;
}

/** Four bytes, the highest first. */
function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function uint16(value: number): number[] {
  return [value >>> 8, value & 255];
}
