/**
 * The parts of a film's frames: images at a position, and captions.
 *
 * @module
 */
import { readPng, type Rgba } from "../../data/images/png.ts";
import { rasterize } from "../raster.ts";
import { drawing, text } from "../svg.ts";

/** Puts an image onto another one, inside of which it must lie. */
export function drawAt(
  onto: Rgba,
  { width, height, data }: Rgba,
  { left, top }: { left: number; top: number },
): void {
  for (let y = 0; y < height; y++) {
    const row = data.subarray(4 * y * width, 4 * (y + 1) * width);
    onto.data.set(row, 4 * ((top + y) * onto.width + left));
  }
}

/** Pixels of a caption's height. */
export const CAPTION_HEIGHT = 28;
/** In units of the drawing, which the raster doubles. */
const FONT_SIZE = 11;
/** Captions in one drawing, which must not become too high. */
const TOGETHER = 100;

/**
 * Draws words in the middle of a white strip, black, each on a strip of its own. All are drawn at
 * once, as starting the renderer takes longer than drawing.
 *
 * @param width Of the strips, in pixels: an even number.
 */
export async function captions(words: string[], width: number): Promise<Rgba[]> {
  const strips: Rgba[] = [];
  for (let first = 0; first < words.length; first += TOGETHER) {
    strips.push(...await captionsTogether(words.slice(first, first + TOGETHER), width));
  }
  return strips;
}

async function captionsTogether(words: string[], width: number): Promise<Rgba[]> {
  const height = CAPTION_HEIGHT;
  const lines = words.map((content, i) =>
    text(content, { x: width / 4, y: (i + 0.75) * height / 2, size: FONT_SIZE })
  );
  const png = await rasterize(drawing(width / 2, words.length * height / 2, lines));
  const all = readPng(png, "captions");
  return words.map((_, i) => ({
    width,
    height,
    data: all.data.subarray(4 * i * width * height, 4 * (i + 1) * width * height),
  }));
}
