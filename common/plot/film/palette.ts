/**
 * Images of at most 256 colours, as GIF files have them: a table of colours, and for every pixel a
 * place in the table.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import gifenc from "gifenc";
import type { Rgba } from "../../data/images/png.ts";

/** Red, green and blue in 0..255. */
export type Colour = [red: number, green: number, blue: number];

/** A moving image of the colours in its table. */
export interface IndexedFilm {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** At most 256. */
  palette: Colour[];
  /** In the order in which they are shown. */
  frames: {
    /** [height, width]: indices into the palette. */
    pixels: Uint8Array;
    /** How long it is shown, in milliseconds. */
    delay: number;
  }[];
}

/** At most so many pixels of each image decide the palette. */
const LOOKED_AT = 20_000;
/** Counting colours stops here, above the number of greys: images in colour may have millions. */
const ENOUGH = 256;

/**
 * The table of colours for images: all that occur if they are few enough; otherwise, of grey
 * images, greys at equal distances from black to white, and of others black, white and colours that
 * come near theirs.
 * Transparency is ignored.
 *
 * @param most How many colours the table may have: 4 to 256.
 */
export function paletteOf(images: Iterable<Rgba>, most: number): Colour[] {
  const found = new Set<number>();
  const some: Uint8Array[] = [];
  for (const { data } of images) {
    addColours(data, found);
    some.push(everyFew(data));
  }
  const colours = [...found].map(colour);
  if (colours.length <= most) return colours;
  if (colours.every(([r, g, b]) => r === g && g === b)) return greys(most);
  // 4 bits a channel tell apart enough of them; with more it takes half a minute
  const near = gifenc.quantize(new Uint8Array(Buffer.concat(some)), most - 2, { format: "rgb444" });
  return [[0, 0, 0], [255, 255, 255], ...near];
}

function greys(count: number): Colour[] {
  return Array.from({ length: count }, (_, i) => {
    const value = Math.round(255 * i / (count - 1));
    return [value, value, value];
  });
}

/** The image's pixels as indices into the palette: of the colour itself, or else of the nearest. */
export function indexed({ data }: Rgba, palette: Colour[]): Uint8Array {
  const indices = new Map(palette.map(([r, g, b], index) => [code(r, g, b), index]));
  const pixels = new Uint8Array(data.length / 4);
  for (let i = 0; i < pixels.length; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    let index = indices.get(code(r, g, b));
    if (index === undefined) {
      index = nearest(r, g, b, palette);
      indices.set(code(r, g, b), index);
    }
    pixels[i] = index;
  }
  return pixels;
}

function addColours(data: Uint8Array, found: Set<number>): void {
  let before = -1;
  for (let at = 0; at < data.length && found.size <= ENOUGH; at += 4) {
    const now = code(data[at], data[at + 1], data[at + 2]);
    if (now !== before) found.add(now);
    before = now;
  }
}

/** Evenly spaced pixels of an image. */
function everyFew(data: Uint8Array): Uint8Array {
  const count = data.length / 4;
  const step = Math.ceil(count / LOOKED_AT);
  const some = new Uint8Array(4 * Math.ceil(count / step));
  for (let i = 0; i * step < count; i++) {
    some.set(data.subarray(4 * i * step, 4 * i * step + 4), 4 * i);
  }
  return some;
}

/** Called hundreds of thousands of times for images in colour: a plain loop is ten times faster. */
function nearest(r: number, g: number, b: number, palette: Colour[]): number {
  let [best, least] = [0, Infinity];
  for (let index = 0; index < palette.length; index++) {
    const colour = palette[index];
    const distance = (colour[0] - r) ** 2 + (colour[1] - g) ** 2 + (colour[2] - b) ** 2;
    if (distance < least) {
      best = index;
      least = distance;
    }
  }
  return best;
}

function code(r: number, g: number, b: number): number {
  return (r << 16) | (g << 8) | b;
}

function colour(code: number): Colour {
  return [code >> 16, (code >> 8) & 255, code & 255];
}
