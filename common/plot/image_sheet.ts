/**
 * Many small images on one sheet.
 *
 * @module
 */
import { type Rgba, writePng } from "../data/images/png.ts";

/** Images as the models work with them, and how to lay them out. */
export interface SheetOptions {
  /** [count, height, width, channels] in [-1, 1]; what lies outside is clipped. */
  images: Float32Array;
  /** How many images. */
  count: number;
  /** H, in pixels. */
  height: number;
  /** W, in pixels. */
  width: number;
  /** 1 is grey, 3 is red, green, blue. */
  channels: number;
  /** Images in a row. */
  columns: number;
  /** Pixels of the sheet for a pixel of an image. Default: such that an image is 48 to 64 wide. */
  scale?: number;
  /** Pixels of the sheet between images and around them. Default: 4. */
  gap?: number;
}

/**
 * Lays images out in rows on white, each pixel enlarged to a square, as a PNG file.
 *
 * @throws {RangeError} The array does not hold `count` images.
 */
export function imageSheet(options: SheetOptions): Uint8Array<ArrayBuffer> {
  return writePng(sheetPixels(options));
}

/** {@linkcode imageSheet} as pixels. */
export function sheetPixels(options: SheetOptions): Rgba {
  const { images, count, height, width, channels, columns } = options;
  const { scale = enlargement(width), gap = 4 } = options;
  if (images.length !== count * height * width * channels || count < 1 || columns < 1) {
    throw new RangeError(
      `imageSheet: ${images.length} numbers for ${count} images of ` +
        `${height}x${width}x${channels} in ${columns} columns`,
    );
  }
  const [cellWidth, cellHeight] = [width * scale + gap, height * scale + gap];
  const sheet = whiteSheet(
    Math.min(columns, count) * cellWidth + gap,
    Math.ceil(count / columns) * cellHeight + gap,
  );
  const size = height * width * channels;
  for (let n = 0; n < count; n++) {
    const left = gap + (n % columns) * cellWidth;
    const top = gap + Math.floor(n / columns) * cellHeight;
    const image = images.subarray(n * size, (n + 1) * size);
    paint(sheet, image, { left, top, height, width, channels, scale });
  }
  return sheet;
}

/** How much to enlarge an image so that it is 48 to 64 pixels wide, if it is smaller than that. */
export function enlargement(width: number): number {
  return Math.max(1, Math.floor(64 / width));
}

/** From [-1, 1] to 0..255. */
export function toByte(value: number): number {
  return Math.round(Math.min(1, Math.max(0, (value + 1) / 2)) * 255);
}

/** White all over. */
export function whiteSheet(width: number, height: number): Rgba {
  return { width, height, data: new Uint8Array(4 * width * height).fill(255) };
}

/** Where an image goes on a sheet. */
interface Position {
  left: number;
  top: number;
  height: number;
  width: number;
  channels: number;
  scale: number;
}

function paint(sheet: Rgba, image: Float32Array, position: Position): void {
  const { left, top, height, width, channels, scale } = position;
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
      const to = 4 * ((top + y) * sheet.width + left + x);
      for (let c = 0; c < 3; c++) {
        sheet.data[to + c] = toByte(image[from + Math.min(c, channels - 1)]);
      }
    }
  }
}
