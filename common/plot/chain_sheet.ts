/**
 * Reverse chains as a sheet of images: a digit in each row, time along the columns.
 *
 * @module
 */
import { rasterize } from "./raster.ts";
import { drawing, image, text } from "./svg.ts";
import { enlargement, imageSheet } from "./image_sheet.ts";

/** Reverse chains, and the sizes of their images. */
export interface ChainSheetOptions {
  /** How many digits. */
  count: number;
  /** H, in pixels. */
  height: number;
  /** W, in pixels. */
  width: number;
  /** 1 is grey, 3 is red, green, blue. */
  channels: number;
  /** The t of each column. */
  t: number[];
  /** xₜ of each column, [count, height, width, channels] in [-1, 1]. */
  xt: Float32Array[];
  /** x̂₀ of each column, of the same shape. */
  x0Hat: Float32Array[];
  /** What stands before the two rows of a digit. Default: "xₜ" and "x̂₀". */
  names?: [xt: string, x0Hat: string];
}

const GAP = 3;
const MARGIN = { left: 34, top: 34, between: 8 };

/** Draws x̂₀ under xₜ for every digit and every t, with t written above the columns, as a PNG file. */
export async function chainSheet(options: ChainSheetOptions): Promise<Uint8Array> {
  const { count, height, width, t, xt, x0Hat, names = ["xₜ", "x̂₀"] } = options;
  const scale = enlargement(width) / 2; // the raster doubles it
  const cell = { width: width * scale + GAP, height: height * scale + GAP };
  const parts = t.map((t, i) =>
    text(String(t), { x: MARGIN.left + (i + 0.5) * cell.width, y: MARGIN.top - 10 })
  );
  parts.push(text("t", { x: MARGIN.left / 2, y: MARGIN.top - 10 }));
  let y = MARGIN.top;
  for (let digit = 0; digit < count; digit++) {
    for (const [label, columns] of [[names[0], xt], [names[1], x0Hat]] as const) {
      parts.push(text(label, { x: MARGIN.left / 2, y: y + cell.height / 2 + 4 }));
      parts.push(strip(options, columns, digit, { x: MARGIN.left, y, scale }));
      y += cell.height;
    }
    y += MARGIN.between;
  }
  const sheetWidth = MARGIN.left + t.length * cell.width + GAP;
  return await rasterize(drawing(sheetWidth, y, parts));
}

/** One digit at all times, as an image within the SVG. */
function strip(
  { height, width, channels }: ChainSheetOptions,
  columns: Float32Array[],
  digit: number,
  { x, y, scale }: { x: number; y: number; scale: number },
): string {
  const size = height * width * channels;
  const images = new Float32Array(columns.length * size);
  columns.forEach((column, i) =>
    images.set(column.subarray(digit * size, (digit + 1) * size), i * size)
  );
  const png = imageSheet({
    images,
    count: columns.length,
    height,
    width,
    channels,
    columns: columns.length,
    scale: 2 * scale,
    gap: 2 * GAP,
  });
  return image(png, {
    x: x - GAP,
    y: y - GAP,
    width: columns.length * (width * scale + GAP) + GAP,
    height: height * scale + 2 * GAP,
  });
}
