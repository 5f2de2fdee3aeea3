/**
 * Moving images, and the files they are kept in.
 *
 * @module
 */
import { writeApng } from "./apng.ts";
import { writeGif } from "./gif.ts";
import { whiteSheet } from "../image_sheet.ts";
import { indexed, paletteOf } from "./palette.ts";
import { type Rgba, writePng } from "../../data/images/png.ts";
import { drawAt } from "./canvas.ts";

/** Frames of one size that follow each other, again and again. */
export interface Film {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** How long each frame is shown, in milliseconds. */
  delays: number[];
  /** Draws frame i, from 0. Frames are drawn when they are needed: all together they would be large. */
  draw(i: number): Rgba;
}

/** The files a film can be kept in. */
export const FORMATS = ["gif", "apng", "strip"] as const;
/** One of {@linkcode FORMATS}. */
export type Format = typeof FORMATS[number];

/** How a file's name ends. A strip must not take the name of a figure. */
export const ENDINGS: Record<Format, string> = {
  gif: ".gif",
  apng: ".apng",
  strip: "_strip.png",
};

/** Frames in a row of a strip, and pixels between them. */
const ACROSS = 4;
const GAP = 36;
/** Colours of a film, as many as fit into its file; a GIF needs one more for transparency. */
const COLOURS = [255, 127, 63, 31, 15];

/** A film's file. */
export interface Encoded {
  /** The file's content. */
  bytes: Uint8Array<ArrayBuffer>;
  /** How many colours it is drawn with; undefined for a strip, which has them all. */
  colours?: number;
}

/**
 * Encodes a film: as a GIF or an animated PNG, which loop for ever, or as a PNG with all frames in rows
 * of four.
 *
 * @param mostBytes How large the file should be at most. While it is larger, a GIF or an animated PNG
 * gets half as many colours, down to 15: nothing else makes noise smaller.
 */
export function encodeFilm(film: Film, format: Format, mostBytes: number): Encoded {
  if (format === "strip") return { bytes: writePng(strip(film)) };
  const { width, height, delays } = film;
  let encoded: Encoded | undefined;
  for (const most of COLOURS) {
    const palette = paletteOf(framesOf(film), most);
    const frames = delays.map((delay, i) => ({ pixels: indexed(film.draw(i), palette), delay }));
    const bytes = (format === "gif" ? writeGif : writeApng)({ width, height, palette, frames });
    encoded = { bytes, colours: palette.length };
    if (bytes.length <= mostBytes) break;
  }
  return encoded!;
}

/** Two films of the same height and the same delays as one, beside each other. */
export function sideBySide(left: Film, right: Film): Film {
  return {
    width: left.width + right.width,
    height: left.height,
    delays: left.delays,
    draw(i) {
      const frame = whiteSheet(left.width + right.width, left.height);
      drawAt(frame, left.draw(i), { left: 0, top: 0 });
      drawAt(frame, right.draw(i), { left: left.width, top: 0 });
      return frame;
    },
  };
}

function* framesOf({ delays, draw }: Film): Generator<Rgba> {
  for (let i = 0; i < delays.length; i++) yield draw(i);
}

function strip(film: Film): Rgba {
  const { width, height, delays } = film;
  const columns = Math.min(ACROSS, delays.length);
  const rows = Math.ceil(delays.length / columns);
  const cell = { width: width + GAP, height: height + GAP };
  const sheet = whiteSheet(columns * cell.width - GAP, rows * cell.height - GAP);
  let i = 0;
  for (const frame of framesOf(film)) {
    drawAt(sheet, frame, {
      left: (i % columns) * cell.width,
      top: Math.floor(i / columns) * cell.height,
    });
    i++;
  }
  return sheet;
}
