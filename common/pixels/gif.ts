/**
 * Moving pictures as GIF files.
 *
 * @module
 */
import gifenc from "gifenc";
import type { IndexedFilm } from "./palette.ts";

/** Encodes a film that starts again at its end, for ever. GIF counts time in hundredths of a second. */
export function writeGif(
  { width, height, palette, frames }: IndexedFilm,
): Uint8Array<ArrayBuffer> {
  const gif = gifenc.GIFEncoder();
  // bits of a place in the palette: fewer of them make the file smaller
  const colorDepth = Math.max(2, Math.ceil(Math.log2(palette.length)));
  frames.forEach(({ pixels, delay }, i) => {
    // one palette for all frames: only the first brings it
    const table = i === 0 ? { palette, repeat: 0 } : {};
    gif.writeFrame(pixels, width, height, { ...table, delay, colorDepth });
  });
  gif.finish();
  return gif.bytes();
}
