/**
 * Moving images as GIF files.
 *
 * @module
 */
import gifenc from "gifenc";
import type { IndexedFilm } from "./palette.ts";

/**
 * Encodes a film that starts again at its end, for ever. GIF counts time in hundredths of a second.
 *
 * @throws {RangeError} The palette has more than 255 colours: one is kept for the pixels that
 * do not change.
 */
export function writeGif(
  { width, height, palette, frames }: IndexedFilm,
): Uint8Array<ArrayBuffer> {
  if (palette.length > 255) {
    throw new RangeError(`writeGif: ${palette.length} colours; allowed are 1 to 255`);
  }
  const unchanged = palette.length;
  const gif = gifenc.GIFEncoder();
  // bits of an index into the palette: fewer of them make the file smaller
  const colorDepth = Math.max(2, Math.ceil(Math.log2(palette.length + 1)));
  const same = {
    colorDepth,
    transparent: true,
    transparentIndex: unchanged,
    dispose: 1, // a frame stays, and the next one is drawn over it
  };
  frames.forEach(({ pixels, delay }, i) => {
    if (i === 0) { // one palette for all frames: only the first brings it
      const table = [...palette, [0, 0, 0]];
      gif.writeFrame(pixels, width, height, { ...same, delay, palette: table, repeat: 0 });
    } else {
      const { pixels: before } = frames[i - 1];
      const changes = pixels.map((index, k) => index === before[k] ? unchanged : index);
      gif.writeFrame(changes, width, height, { ...same, delay });
    }
  });
  gif.finish();
  return gif.bytes();
}
