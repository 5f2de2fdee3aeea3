/**
 * Pictures of at most 256 colours, as GIF files have them: a table of colours, and for every pixel a
 * place in the table.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import gifenc from "gifenc";
import type { Rgba } from "./png.ts";

/** Red, green and blue in 0..255. */
export type Colour = [red: number, green: number, blue: number];

/** A moving picture of the colours in its table. */
export interface IndexedFilm {
  width: number;
  height: number;
  /** At most 256. */
  palette: Colour[];
  frames: {
    /** [height, width]: places in the palette. */
    pixels: Uint8Array;
    /** How long it is shown, in milliseconds. */
    delay: number;
  }[];
}

const LARGEST = 256;
/** Pixels of each picture that a palette is chosen by, at most. */
const LOOKED_AT = 20_000;

/**
 * The table of colours for pictures: all that occur, dark ones first, if they are not more than 256,
 * and otherwise 256 that come near them. Transparency is not looked at.
 *
 * @param pictures Are gone through twice when there are too many colours: an array, or what an
 * iterator makes anew each time.
 */
export function paletteOf(pictures: Iterable<Rgba>): Colour[] {
  const found = new Set<number>();
  const some: Uint8Array[] = [];
  for (const { data } of pictures) {
    if (found.size <= LARGEST) addColours(data, found);
    some.push(everyFew(data));
  }
  if (found.size <= LARGEST) return [...found].sort((a, b) => a - b).map(colour);
  return gifenc.quantize(new Uint8Array(Buffer.concat(some)), LARGEST);
}

/** The picture's pixels as places in the palette: of the colour itself, or else of the nearest. */
export function indexed({ data }: Rgba, palette: Colour[]): Uint8Array {
  const places = new Map(palette.map(([r, g, b], place) => [code(r, g, b), place]));
  const pixels = new Uint8Array(data.length / 4);
  for (let i = 0; i < pixels.length; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    let place = places.get(code(r, g, b));
    if (place === undefined) {
      place = nearest([r, g, b], palette);
      places.set(code(r, g, b), place);
    }
    pixels[i] = place;
  }
  return pixels;
}

function addColours(data: Uint8Array, found: Set<number>): void {
  let before = -1;
  for (let at = 0; at < data.length && found.size <= LARGEST; at += 4) {
    const now = code(data[at], data[at + 1], data[at + 2]);
    if (now !== before) found.add(now);
    before = now;
  }
}

/** Evenly spaced pixels of a picture. */
function everyFew(data: Uint8Array): Uint8Array {
  const count = data.length / 4;
  const step = Math.ceil(count / LOOKED_AT);
  const some = new Uint8Array(4 * Math.ceil(count / step));
  for (let i = 0; i * step < count; i++) {
    some.set(data.subarray(4 * i * step, 4 * i * step + 4), 4 * i);
  }
  return some;
}

function nearest([r, g, b]: Colour, palette: Colour[]): number {
  let [best, least] = [0, Infinity];
  palette.forEach(([red, green, blue], place) => {
    const distance = (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2;
    if (distance < least) [best, least] = [place, distance];
  });
  return best;
}

function code(r: number, g: number, b: number): number {
  return (r << 16) | (g << 8) | b;
}

function colour(code: number): Colour {
  return [code >> 16, (code >> 8) & 255, code & 255];
}
