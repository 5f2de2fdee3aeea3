/**
 * Rows of images with words beside them.
 *
 * @module
 */
import { rasterize } from "./raster.ts";
import { drawing, image, text } from "./svg.ts";
import { enlargement, imageSheet } from "./image_sheet.ts";

/** What stands in the rows. */
export interface LabelledRows {
  /** H, in pixels. */
  height: number;
  /** W, in pixels. */
  width: number;
  /** 1 is grey, 3 is red, green, blue. */
  channels: number;
  /** Images in a row. */
  columns: number;
  /** Room for the words, in SVG units. Default: 165. */
  labelWidth?: number;
  /** From top to bottom. */
  rows: {
    /** One line or more. */
    label: string[];
    /** [columns, height, width, channels] in [-1, 1]. */
    images: Float32Array;
  }[];
}

const GAP = 3;
const LINE = 14;
const LABEL_WIDTH = 165;

/** Draws the rows as a PNG file, the images enlarged to squares. */
export async function labelledRows(options: LabelledRows): Promise<Uint8Array> {
  const { height, width, channels, columns, rows, labelWidth = LABEL_WIDTH } = options;
  const scale = enlargement(width) / 2; // the raster doubles it
  const strip = { width: columns * (width * scale + GAP) + GAP, height: height * scale + 2 * GAP };
  const parts = rows.map(({ label, images }, i) => {
    const top = i * (strip.height + GAP);
    const sheet = { images, count: columns, height, width, channels, columns };
    const png = imageSheet({ ...sheet, scale: 2 * scale, gap: 2 * GAP });
    const middle = top + strip.height / 2 - (label.length - 1) * LINE / 2 + 4;
    const lines = label.map((line, k) =>
      text(line, {
        x: GAP + 3,
        y: middle + k * LINE,
        anchor: "start",
        fill: k === 0 ? "#222" : "#666",
      })
    );
    return lines.join("") + image(png, { x: labelWidth, y: top, ...strip });
  });
  const size = [labelWidth + strip.width, rows.length * (strip.height + GAP)] as const;
  return await rasterize(drawing(...size, parts));
}
