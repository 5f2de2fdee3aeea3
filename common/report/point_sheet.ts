/**
 * What a run on points in the plane shows while it trains: a small picture of its samples.
 *
 * @module
 */
import type { PointData } from "../data/points/point_data.ts";
import { type Rgba, writePng } from "../data/images/png.ts";
import { whiteSheet } from "../plot/image_sheet.ts";
import { type RunFolder, sheetName } from "../run/folder.ts";
import type { PointChain } from "./point_report.ts";

/** Seconds from one sheet to the next: each takes about a hundredth of that. */
export const POINT_SHEET_EVERY = 6;
/** Points of a sheet: a chain of few is cheap. */
const SHOWN = 500;
/** Its side, and a dot's, in pixels. */
const [SIDE, DOT] = [320, 3];
/** Half the side of the square that is seen, in times of the farthest coordinate of the data. */
const REACH = 1.25;

const GREY = [205, 208, 212];
const BLUE = [0, 114, 178];

/** What a sheet is drawn from. */
export interface SheetOfPoints {
  /** Where it is written. */
  folder: RunFolder;
  /** What is learned. */
  data: PointData;
  /** Decides all random numbers. */
  seed: number;
  /** A reverse chain of so many points. */
  reverse: (count: number) => Iterable<PointChain>;
}

/** Writes sheet-<step>.png: what the same noises lead to after so many steps of training, over data. */
export async function writePointSheet(
  { folder, data, seed, reverse }: SheetOfPoints,
  step: number,
): Promise<void> {
  const known = data.sample({ seed, stream: "sheet x0" }, 2 * SHOWN);
  let samples = new Float32Array();
  for (const { t, xt } of reverse(SHOWN)) {
    if (t === 0) samples = Float32Array.from(await xt.data<"float32">());
  }
  const reach = REACH * known.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const sheet = whiteSheet(SIDE, SIDE);
  drawDots(sheet, known, reach, GREY);
  drawDots(sheet, samples, reach, BLUE);
  await folder.write(sheetName(step), writePng(sheet));
}

/** Small squares at the points; what lies outside is left out. */
function drawDots(sheet: Rgba, points: Float32Array, reach: number, colour: number[]): void {
  const pixel = (x: number) => Math.floor((0.5 + 0.5 * x / reach) * SIDE - DOT / 2);
  for (let i = 0; i < points.length; i += 2) {
    const [left, top] = [pixel(points[i]), pixel(-points[i + 1])];
    const isInside = [left, top].every((at) => at >= 0 && at + DOT <= SIDE);
    if (!isInside) continue;
    for (let y = top; y < top + DOT; y++) {
      for (let x = left; x < left + DOT; x++) sheet.data.set(colour, 4 * (y * SIDE + x));
    }
  }
}
