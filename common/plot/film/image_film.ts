/**
 * Films of images: the reverse chain of a sheet of them, and the way from one image to another.
 *
 * @module
 */
import { concatenated } from "../../files/safetensors.ts";
import type { ChainSheetOptions } from "../chain_sheet.ts";
import { sheetPixels, whiteSheet } from "../image_sheet.ts";
import type { Rgba } from "../../data/images/png.ts";
import { CAPTION_HEIGHT, captions, drawAt } from "./canvas.ts";
import type { Film } from "./film.ts";

/** How long frames are shown, in milliseconds. */
const DELAY = { moving: 80, last: 2000, turning: 800 };
/** Width of a sheet in pixels at most, unless its images are larger. */
const SHEET_WIDTH = 300;
/** Pixels of a caption with t or λ. */
const TIME_WIDTH = 120;
/** Pixels between images and between sheets. */
const GAP = { image: 4, sheet: 12 };

/**
 * Reverse chains of several images at once: xₜ on the left, x̂₀ on the right, t between them. The last
 * frame stands still for 2 s.
 */
export async function chainFilm(chain: ChainSheetOptions): Promise<Film> {
  const { count, height, width, channels, t, xt, x0Hat, names: headings = ["xₜ", "x̂₀"] } = chain;
  const columns = Math.ceil(Math.sqrt(count));
  const scale = enlargement(columns * width);
  const layout = { count, height, width, channels, columns, scale, gap: GAP.image };
  const drawSheet = (images: Float32Array) => sheetPixels({ ...layout, images });
  const sheet = drawSheet(xt[0]);
  const size = { width: 2 * sheet.width + GAP.sheet, height: CAPTION_HEIGHT + sheet.height };
  const right = sheet.width + GAP.sheet;
  const [left, ...names] = await captions(headings, even(sheet.width));
  const times = await captions(t.map((t) => `t = ${t}`), TIME_WIDTH);
  const background = whiteSheet(size.width, size.height);
  drawAt(background, left, { left: 0, top: 0 });
  drawAt(background, names[0], { left: right, top: 0 });
  return {
    ...size,
    delays: t.map((_, i) => i === t.length - 1 ? DELAY.last : DELAY.moving),
    draw(i) {
      const frame = copyOf(background);
      drawAt(frame, times[i], { left: (size.width - times[i].width) / 2, top: 0 });
      drawAt(frame, drawSheet(xt[i]), { left: 0, top: CAPTION_HEIGHT });
      drawAt(frame, drawSheet(x0Hat[i]), { left: right, top: CAPTION_HEIGHT });
      return frame;
    },
  };
}

/** Images on the way from one to another, for several pairs. */
export interface Interpolations {
  /** H, in pixels. */
  height: number;
  /** W, in pixels. */
  width: number;
  /** 1 is grey, 3 is red, green, blue. */
  channels: number;
  /** From 0 to 1: where on the way the images are. */
  lambda: number[];
  /** At each λ the image of every pair, [pairs, height, width, channels] in [-1, 1]. */
  images: Float32Array[];
}

/**
 * Each pair's images at both ends, and between them the one on the way, which goes to the other end and
 * back. λ stands above it.
 */
export async function interpolationFilm(way: Interpolations): Promise<Film> {
  const { height, width, channels, lambda, images } = way;
  const length = height * width * channels;
  const pairs = images[0].length / length;
  const [start, end] = [images[0], images.at(-1)!];
  const groups = pairs > 3 ? 2 : 1; // side by side
  const rows = Math.ceil(pairs / groups);
  const scale = enlargement(4 * width);
  const layout = { height, width, channels, columns: 3, scale, gap: GAP.image };
  const drawGroup = (now: Float32Array, group: number) => {
    const parts: Float32Array[] = [];
    for (let pair = group * rows; pair < Math.min(pairs, (group + 1) * rows); pair++) {
      const part = (of: Float32Array) => of.subarray(pair * length, (pair + 1) * length);
      parts.push(part(start), part(now), part(end));
    }
    return sheetPixels({ ...layout, count: parts.length, images: concatenated(parts) });
  };
  const group = drawGroup(start, 0);
  const size = {
    width: groups * (group.width + GAP.sheet) - GAP.sheet,
    height: CAPTION_HEIGHT + group.height,
  };
  const words = await captions(lambda.map((lambda) => `λ = ${lambda.toFixed(2)}`), TIME_WIDTH);
  // there and back, with a pause at both ends
  const there = lambda.map((_, i) => i);
  const path = [...there, ...there.slice(1, -1).reverse()];
  return {
    ...size,
    delays: path.map((i) => i === 0 || i === lambda.length - 1 ? DELAY.turning : DELAY.moving),
    draw(frameNumber) {
      const i = path[frameNumber];
      const frame = whiteSheet(size.width, size.height);
      for (let g = 0; g < groups; g++) {
        const left = g * (group.width + GAP.sheet);
        drawAt(frame, words[i], {
          left: left + Math.floor((group.width - TIME_WIDTH) / 2),
          top: 0,
        });
        drawAt(frame, drawGroup(images[i], g), { left, top: CAPTION_HEIGHT });
      }
      return frame;
    },
  };
}

/** A sheet of images that changes, and what stands above it. */
export interface SheetSequence {
  /** How many images a sheet has. */
  count: number;
  /** H, in pixels. */
  height: number;
  /** W, in pixels. */
  width: number;
  /** 1 is grey, 3 is red, green, blue. */
  channels: number;
  /** For each frame its caption and its images, [count, height, width, channels] in [-1, 1]. */
  frames: { caption: string; images: Float32Array }[];
  /** Whether each frame stands still for a while. Default: only the last one does. */
  slowly?: boolean;
}

/** One sheet after the other, each with its caption. */
export async function sheetFilm(sequence: SheetSequence): Promise<Film> {
  const { frames, slowly = false, ...shape } = sequence;
  const columns = Math.ceil(Math.sqrt(shape.count));
  const layout = { ...shape, columns, scale: enlargement(columns * shape.width), gap: GAP.image };
  const drawSheet = (images: Float32Array) => sheetPixels({ ...layout, images });
  const sheet = drawSheet(frames[0].images);
  const words = await captions(frames.map(({ caption }) => caption), TIME_WIDTH);
  const width = Math.max(sheet.width, TIME_WIDTH);
  return {
    width,
    height: CAPTION_HEIGHT + sheet.height,
    delays: frames.map((_, i) =>
      slowly ? DELAY.turning : i === frames.length - 1 ? DELAY.last : DELAY.moving
    ),
    draw(i) {
      const frame = whiteSheet(width, CAPTION_HEIGHT + sheet.height);
      drawAt(frame, words[i], { left: Math.floor((width - TIME_WIDTH) / 2), top: 0 });
      drawAt(frame, drawSheet(frames[i].images), { left: 0, top: CAPTION_HEIGHT });
      return frame;
    },
  };
}

/** How many pixels wide a pixel of the images becomes in a frame. */
function enlargement(width: number): number {
  return Math.max(1, Math.floor(SHEET_WIDTH / width));
}

/** The largest even number that is not above it. */
function even(width: number): number {
  return width - width % 2;
}

function copyOf({ width, height, data }: Rgba): Rgba {
  return { width, height, data: data.slice() };
}
