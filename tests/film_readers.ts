/**
 * Reads films with other code than that which writes them, for the tests.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import omggif from "omggif";
import { toByte } from "../common/plot/image_sheet.ts";
import type { Rgba } from "../common/data/images/png.ts";

/** More bytes than any film has. */
export const NO_LIMIT = 1e9;

/** All frames of a GIF as they are seen, by another library's decoder. */
export function framesOfGif(
  bytes: Uint8Array,
): { frames: Uint8Array[]; delays: number[]; loop: number } {
  const reader = new omggif.GifReader(bytes);
  const seen = new Uint8Array(4 * reader.width * reader.height);
  const numbers = Array.from({ length: reader.numFrames() }, (_, i) => i);
  const frames = numbers.map((i) => {
    reader.decodeAndBlitFrameRGBA(i, seen);
    return seen.slice();
  });
  const delays = numbers.map((i) => 10 * reader.frameInfo(i).delay);
  // 1: it stays, and the next one is drawn over it
  for (const i of numbers) assertEquals(reader.frameInfo(i).disposal, 1);
  return { frames, delays, loop: reader.loopCount() };
}

/** A chunk of a PNG file. */
export interface Chunk {
  name: string;
  content: Uint8Array;
}

/** A PNG's chunks, their checksums verified bit by bit. */
export function chunksOf(bytes: Uint8Array): Chunk[] {
  const chunks: Chunk[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 8; at < bytes.length;) {
    const length = view.getUint32(at);
    const name = new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
    let crc = 0xffffffff;
    for (const byte of bytes.subarray(at + 4, at + 8 + length)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    assertEquals(view.getUint32(at + 8 + length), ~crc >>> 0, `checksum of ${name}`);
    chunks.push({ name, content: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** The middle pixel of every enlarged pixel of the image at (left, top): [height·width] bytes. */
export function pixelsAt(
  { data, width }: Rgba,
  { left, top, scale, size }: { left: number; top: number; scale: number; size: number },
): number[] {
  return Array.from({ length: size * size }, (_, k) => {
    const x = left + (k % size) * scale + Math.floor(scale / 2);
    const y = top + Math.floor(k / size) * scale + Math.floor(scale / 2);
    return data[4 * (y * width + x)];
  });
}

/** Where the four images of 8x8 pixels lie in a chain film's frame: left their xₜ, right their x̂₀. */
function placesOfFour(film: { width: number; height: number }) {
  const scale = 18; // 300 pixels hold two of 8
  const cell = 8 * scale + 4;
  const sheet = 2 * cell + 4;
  assertEquals([film.width, film.height], [2 * sheet + 12, sheet + 28]);
  return [0, sheet + 12].map((left) =>
    [0, 1, 2, 3].map((n) => ({
      left: left + 4 + (n % 2) * cell,
      top: 28 + 4 + Math.floor(n / 2) * cell,
      scale,
      size: 8,
    }))
  );
}

/** That a chain film's frame shows these four images on both of its sides, [4, 8, 8, 1]. */
export function assertShows(frame: Rgba, images: ArrayLike<number>): void {
  for (const places of placesOfFour(frame)) {
    places.forEach((place, n) => {
      const wanted = Array.from(images).slice(64 * n, 64 * (n + 1)).map(toByte);
      pixelsAt(frame, place).forEach((byte, k) => {
        assert(Math.abs(byte - wanted[k]) <= 1, `image ${n}, pixel ${k}: ${byte}, ${wanted[k]}`);
      });
    });
  }
}
