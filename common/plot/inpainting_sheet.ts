/**
 * Images, their holes, and what these were filled with, as a sheet of images.
 *
 * @module
 */
import { rasterize } from "./raster.ts";
import { drawing, image, text } from "./svg.ts";
import { imageSheet } from "./image_sheet.ts";

/** Images, what was hidden of them, and what it was filled with. */
export interface Fillings {
  /** H, in pixels. */
  height: number;
  /** W, in pixels. */
  width: number;
  /** 1 is grey, 3 is red, green, blue. */
  channels: number;
  /** [H, W], 1 where a pixel was hidden. */
  missing: Uint8Array;
  /** [N, H, W, C] in [-1, 1]. */
  originals: Float32Array;
  /** K times [N, H, W, C]: every image filled K times. */
  fillings: Float32Array[];
}

/** What is shown. */
export interface InpaintingSheet extends Fillings {
  /** The fillings' standard deviation, [N, H, W, C]. */
  deviation: Float32Array;
}

/** Between images, and between groups of columns. */
const GAP = { pixel: 3, group: 12 };
const CAPTION = 24;
const LEGEND = { height: 34, width: 120, steps: 60 };

/** The hole's tint, red, green and blue in [-1, 1], which no grey resembles. */
const TINT = [-0.25, 0.2, 0.75];

/** The largest standard deviation that numbers in [-1, 1] can have. */
const LARGEST_DEVIATION = 1;

/**
 * Draws a row for each image, as a PNG file: the original, the image with its hole, its fillings, and
 * their standard deviation as a heat map, with the colours' meaning at the bottom.
 */
export async function inpaintingSheet(sheet: InpaintingSheet): Promise<Uint8Array> {
  const { originals, fillings, deviation, channels, height, width } = sheet;
  const groups = [
    { caption: "original", columns: [coloured(originals, channels)] },
    { caption: "known", columns: [withHole(sheet)] },
    {
      caption: `${fillings.length} fillings`,
      columns: fillings.map((images) => coloured(images, channels)),
    },
    { caption: "deviation", columns: [heatMap(deviation, channels)] },
  ];
  const scale = enlargement(width);
  const count = originals.length / (height * width * channels);
  const parts: string[] = [];
  let x = GAP.group;
  for (const { caption, columns } of groups) {
    const groupWidth = columns.length * (width * scale + GAP.pixel) - GAP.pixel;
    parts.push(text(caption, { x: x + groupWidth / 2, y: CAPTION - 8 }));
    for (const images of columns) {
      const png = imageSheet({
        ...{ images, count, height, width, channels: 3, columns: 1 },
        scale: 2 * scale, // the raster doubles an image's size
        gap: 2 * GAP.pixel,
      });
      parts.push(image(png, {
        x: x - GAP.pixel,
        y: CAPTION - GAP.pixel,
        width: width * scale + 2 * GAP.pixel,
        height: count * (height * scale + GAP.pixel) + GAP.pixel,
      }));
      x += width * scale + GAP.pixel;
    }
    x += GAP.group - GAP.pixel;
  }
  const bottom = CAPTION + count * (height * scale + GAP.pixel);
  parts.push(legend(x - GAP.group, bottom + 10));
  return await rasterize(drawing(x, bottom + LEGEND.height, parts));
}

/** Units of the drawing for a pixel, a multiple of ½: an image becomes 64 to 128 wide, so that captions fit. */
function enlargement(width: number): number {
  return Math.ceil(128 / width) / 2;
}

/** What the colours of the heat map mean, ending at x = right. */
function legend(right: number, top: number): string {
  const { width, steps } = LEGEND;
  const values = Float32Array.from(
    { length: steps },
    (_, i) => LARGEST_DEVIATION * i / (steps - 1),
  );
  const bar = imageSheet({
    ...{ images: heatMap(values, 1), count: 1, height: 1, width: steps, channels: 3, columns: 1 },
    ...{ scale: 1, gap: 0 },
  });
  const left = right - width - 14;
  const y = top + 9;
  return [
    text("standard deviation of the fillings: 0", {
      ...{ x: left - 5, y, anchor: "end" },
    }),
    image(bar, { x: left, y: top, width, height: 10 }),
    text(String(LARGEST_DEVIATION), { x: right, y, anchor: "end" }),
  ].join("");
}

/** The images, of one channel or three, as [N, H, W, 3]. */
function coloured(images: Float32Array, channels: number): Float32Array {
  if (channels === 3) return images;
  return Float32Array.from({ length: 3 * images.length }, (_, i) => images[Math.floor(i / 3)]);
}

/** [N, H, W, 3], the originals with the missing pixels in a tint. */
function withHole({ originals, channels, missing }: InpaintingSheet): Float32Array {
  return coloured(originals, channels).map((value, i) =>
    missing[Math.floor(i / 3) % missing.length] ? TINT[i % 3] : value
  );
}

/** From black over red and yellow to white, [N, H, W, 3] in [-1, 1]; of several channels the mean. */
function heatMap(deviation: Float32Array, channels: number): Float32Array {
  const pixels = deviation.length / channels;
  const colours = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const values = deviation.subarray(i * channels, (i + 1) * channels);
    const share = values.reduce((sum, value) => sum + value, 0) / channels / LARGEST_DEVIATION;
    // red rises in the first third, then green, then blue
    for (let c = 0; c < 3; c++) {
      colours[3 * i + c] = 2 * Math.min(1, Math.max(0, 3 * share - c)) - 1;
    }
  }
  return colours;
}
