/**
 * A folder of one's own images as a data set: PNG files of any size.
 *
 * @module
 */
import { readBytes, readFolder } from "../../files/reading.ts";
import { readPng } from "./png.ts";
import { UserError } from "../../user_error.ts";
import { areaAverage, type Images } from "./geometry.ts";

/** What the labels of images are, besides the images. */
export interface Labelled {
  /** The class of each image, [N]. */
  labels: Uint8Array<ArrayBuffer>;
  /** The name of each class; those of the data set where it says none itself. */
  classes?: string[];
}

/** A label is one byte. */
const MOST_CLASSES = 255;

/**
 * The PNG files of a folder of folders: each folder is a class with its name, the images in it are read as
 * by {@linkcode readPngFolder}. Folders whose names begin with a dot are left out.
 *
 * @throws {UserError} There are fewer than two folders, or more than 255; or one has no PNG file, or a
 * broken one.
 */
export async function readPngFolders(folder: string, size: number): Promise<Images & Labelled> {
  const classes = (await readFolder(folder))
    .filter(({ name, isDirectory }) => isDirectory && !name.startsWith("."))
    .map(({ name }) => name)
    .sort();
  if (classes.length < 2 || classes.length > MOST_CLASSES) {
    const found = classes.length === 1 ? "1 folder" : `${classes.length} folders`;
    throw new UserError(
      `${folder}: ${found} in it; expected 2 to ${MOST_CLASSES}, one with PNG files for each class`,
    );
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries()) {
    const images = await readSquares(`${folder.replace(/(?<=.)\/+$/, "")}/${name}`, size);
    parts.push(images);
    labels.push(...new Array(images.length / (size * size * 3)).fill(label));
  }
  const pixels = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    pixels.set(part, at);
    at += part.length;
  }
  return { ...greyIfGrey(pixels, size), labels: Uint8Array.from(labels), classes };
}

/**
 * The PNG files of a folder (not of the folders in it) by name, each cropped to the square in its
 * middle, laid on white where it is transparent, and scaled to size×size by area averaging.
 *
 * @returns One channel when all of the images are grey, otherwise three.
 * @throws {UserError} There is no PNG file, or one is broken or may not be read.
 */
export async function readPngFolder(
  folder: string,
  size: number,
): Promise<Images> {
  return greyIfGrey(await readSquares(folder, size), size);
}

/** All PNG files of a folder, [N, size, size, 3]. */
async function readSquares(folder: string, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const entries = await readFolder(folder);
  const names = entries
    .filter((entry) => !entry.isDirectory && /\.png$/i.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) {
    throw new UserError(
      `${folder}: no PNG files found; expected at least one .png in the folder`,
    );
  }
  const pixels = new Uint8Array(names.length * size * size * 3);
  for (const [n, name] of names.entries()) {
    const path = `${folder.replace(/(?<=.)\/+$/, "")}/${name}`;
    pixels.set(await readSquare(path, size), n * size * size * 3);
  }
  return pixels;
}

/**
 * One PNG file, brought to size×size in the same way.
 *
 * @throws {UserError} It is missing, broken, or may not be read.
 */
export async function readPngImage(path: string, size: number): Promise<Images> {
  return greyIfGrey(await readSquare(path, size), size);
}

async function readSquare(path: string, size: number): Promise<Uint8Array<ArrayBuffer>> {
  return areaAverage(cropSquare(readPng(await readBytes(path), path)), size);
}

/** The images with one channel when all of them are grey, otherwise with three. */
function greyIfGrey(pixels: Uint8Array<ArrayBuffer>, size: number): Images {
  const images = { count: pixels.length / (size * size * 3), height: size, width: size };
  return isGrey(pixels)
    ? { ...images, channels: 1, pixels: pixels.filter((_, i) => i % 3 === 0) }
    : { ...images, channels: 3, pixels };
}

/** The middle square of an RGBA image, laid on white: v·a + 255·(1 − a). */
function cropSquare(
  { width, height, data }: { width: number; height: number; data: Uint8Array },
): Images {
  const side = Math.min(width, height);
  const left = Math.floor((width - side) / 2);
  const top = Math.floor((height - side) / 2);
  const pixels = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = 4 * ((top + y) * width + left + x);
      const to = 3 * (y * side + x);
      const alpha = data[from + 3];
      for (let c = 0; c < 3; c++) {
        pixels[to + c] = Math.round(
          (data[from + c] * alpha + 255 * (255 - alpha)) / 255,
        );
      }
    }
  }
  return { count: 1, height: side, width: side, channels: 3, pixels };
}

function isGrey(pixels: Uint8Array): boolean {
  for (let i = 0; i < pixels.length; i += 3) {
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) {
      return false;
    }
  }
  return true;
}
