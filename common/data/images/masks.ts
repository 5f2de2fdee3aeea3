/**
 * Masks: which pixels of an image are missing.
 *
 * @module
 */
import { readBytes } from "../../files/reading.ts";
import { permutation } from "../../random.ts";
import { UserError } from "../../user_error.ts";

/** A mask as the user describes it, before the image's size is known. */
export type MaskShape =
  | { kind: "left" | "right" | "top" | "bottom" }
  | { kind: "box"; x: number; y: number; width: number; height: number }
  | { kind: "random"; fraction: number }
  | { kind: "file"; path: string };

/** What {@linkcode parseMask} understands, in words. */
export const MASKS: string =
  "box:x,y,w,h (whole numbers of pixels from the top left corner), left, right, " +
  "top, bottom, random:FRACTION (0 to 1), or a file.png";

/** From this value on, of 255, a pixel counts as white. */
const WHITE = 128;

/**
 * Reads the description of a mask: `left`, `right`, `top` or `bottom` for that half; `box:x,y,w,h`, x pixels
 * from the left and y from the top; `random:FRACTION` of the pixels; or the path of a PNG file, whose
 * white pixels are the missing ones.
 *
 * @returns Undefined when it is none of these.
 */
export function parseMask(text: string): MaskShape | undefined {
  if (text === "left" || text === "right" || text === "top" || text === "bottom") {
    return { kind: text };
  }
  const box = /^box:(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})$/.exec(text);
  if (box) {
    const [x, y, width, height] = box.slice(1).map(Number);
    return { kind: "box", x, y, width, height };
  }
  const random = /^random:(\d+\.?\d*|\.\d+)$/.exec(text);
  if (random && Number(random[1]) <= 1) return { kind: "random", fraction: Number(random[1]) };
  if (/\.png$/i.test(text)) return { kind: "file", path: text };
  return undefined;
}

/**
 * Which pixels of an image are missing.
 *
 * @param shape The description; `name` is its text, for error messages.
 * @param size Height and width of the image.
 * @param seed Decides which pixels `random` takes.
 * @returns [size, size], 1 where a pixel is missing and 0 where it is known.
 * @throws {UserError} A box that is not within the image, a file of another size, or a mask that hides
 * nothing or everything.
 */
export async function makeMask(
  shape: MaskShape,
  { name, size, seed }: { name: string; size: number; seed: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const missing = shape.kind === "file"
    ? await missingInFile(shape.path, size)
    : shape.kind === "random"
    ? missingAtRandom(shape.fraction, size, seed)
    : missingInBox(
      shape.kind === "box" ? checkedBox(shape, name, size) : half(shape.kind, size),
      size,
    );
  const hidden = missing.reduce((sum, pixel) => sum + pixel, 0);
  if (hidden === 0) {
    throw new UserError(
      `--mask ${name} hides none of the ${size}x${size} pixels; give a larger one`,
    );
  }
  if (hidden === missing.length) {
    throw new UserError(
      `--mask ${name} hides all of the ${size}x${size} pixels; give a smaller one, or draw whole ` +
        "images: deno task paper2 --sample-only --resume DIR",
    );
  }
  return missing;
}

/** A rectangle of pixels. */
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

function missingInBox({ x, y, width, height }: Box, size: number): Uint8Array<ArrayBuffer> {
  const missing = new Uint8Array(size * size);
  for (let row = y; row < y + height; row++) {
    missing.fill(1, row * size + x, row * size + x + width);
  }
  return missing;
}

/** Half of the image; the smaller half where the number of pixels is odd. */
function half(kind: "left" | "right" | "top" | "bottom", size: number): Box {
  const short = Math.floor(size / 2);
  const start = kind === "right" || kind === "bottom" ? size - short : 0;
  return kind === "left" || kind === "right"
    ? { x: start, y: 0, width: short, height: size }
    : { x: 0, y: start, width: size, height: short };
}

function checkedBox(box: Box, name: string, size: number): Box {
  const { x, y, width, height } = box;
  if (x + width > size || y + height > size) {
    throw new UserError(
      `--mask ${name} reaches to column ${x + width} and row ${y + height}; ` +
        `the images have ${size} of each: x + w and y + h may be at most ${size}`,
    );
  }
  return box;
}

/** That share of the pixels, rounded to a whole number of them. */
function missingAtRandom(fraction: number, size: number, seed: number): Uint8Array<ArrayBuffer> {
  const missing = new Uint8Array(size * size);
  const order = permutation({ seed, stream: "mask" }, size * size);
  for (const pixel of order.subarray(0, Math.round(fraction * size * size))) missing[pixel] = 1;
  return missing;
}

/** White pixels are missing; black ones and transparent ones are known. */
async function missingInFile(path: string, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const { readPng } = await import("./png.ts");
  const { width, height, data } = readPng(await readBytes(path), path);
  if (width !== size || height !== size) {
    throw new UserError(
      `--mask ${path} has ${width}x${height} pixels; the images have ${size}x${size}, so the mask ` +
        "must have as many",
    );
  }
  return Uint8Array.from({ length: size * size }, (_, i) => {
    const [red, green, blue, alpha] = data.subarray(4 * i, 4 * i + 4);
    return (red + green + blue) / 3 * alpha / 255 >= WHITE ? 1 : 0;
  });
}
