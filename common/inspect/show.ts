/**
 * Looking at a tensor's content, in a paused frame of the debugger or in code.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { imageSheet, type SheetOptions } from "../plot/image_sheet.ts";
import { UserError } from "../user_error.ts";
import { drawHistogram } from "./histogram.ts";
import { drawImages, imagesIn, type Screen } from "./image.ts";
import { arePoints, drawPoints } from "./points.ts";
import { noteValues, summaryOf } from "./summary.ts";
import { backendOf, isNumbers, shapeName, type Values, valuesLater, valuesNow } from "./values.ts";

/** Files that {@linkcode peek} made in this process, and may make anew. */
const written = new Set<string>();

/**
 * Prints a tensor: its summary, and below it an image where its shape is that of images or of points in
 * the plane, a histogram otherwise.
 *
 * Images are [H, W], [H, W, C] or [B, H, W, C] in [-1, 1], with 1 or 3 channels and at least 4 pixels
 * to a side; as many of a batch are shown as fit side by side. Points are [N, 2], from 16 of them on.
 *
 * @returns Nothing; on WebGPU a promise, since the numbers arrive later. They are those of the moment of
 * the call, and are printed when they arrive; in a paused frame, after it continues.
 * @throws {UserError} It is not a tensor, or was disposed of.
 */
export function show(tensor: tf.Tensor): void | Promise<void> {
  return withValues("show", tensor, (values, backend) => {
    const lines = [summaryOf(tensor, values, backend), ...drawing(tensor, values, screen())];
    console.log(["", ...lines].join("\n")); // a progress bar may stand in the line
  });
}

/**
 * Writes a tensor of images as a PNG file: all of a batch on one sheet.
 *
 * @param tensor As for {@linkcode show}, but only images.
 * @param path The file; in runs/, which is where the scripts may write. A file that was there before
 * this process is not overwritten.
 * @returns As {@linkcode show}.
 * @throws {UserError} It is not a tensor of images, or was disposed of; the file exists or may not be written.
 */
export function peek(tensor: tf.Tensor, path: string): void | Promise<void> {
  if (typeof path !== "string") {
    throw new UserError('peek: give a file, as in peek(xt, "runs/xt.png")');
  }
  return withValues("peek", tensor, (values) => {
    const sheet = sheetOf(tensor, values);
    write(path, imageSheet(sheet));
    const { count, height, width } = sheet;
    console.log(`${path}: ${count} image${count === 1 ? "" : "s"} of ${width}x${height}`);
  });
}

function sheetOf(tensor: tf.Tensor, values: Values): SheetOptions {
  const images = imagesIn(tensor.shape);
  if (!images || !isNumbers(values)) {
    throw new UserError(
      `peek: ${shapeName(tensor)} is no image; allowed are [H,W], [H,W,C] and [B,H,W,C] with ` +
        "C = 1 or 3 and sides of 4 or more; show(x) draws a histogram of anything",
    );
  }
  const columns = Math.ceil(Math.sqrt(images.count));
  return { ...images, images: Float32Array.from(values), columns };
}

/** A tensor's values drawn as images, points or a histogram, line by line; no lines for words or a single
 * number. */
export function drawing(tensor: tf.Tensor, values: Values, screen: Screen): string[] {
  if (values.length < 2 || !isNumbers(values)) return [];
  if (arePoints(tensor.shape)) return drawPoints(values, screen);
  const images = imagesIn(tensor.shape);
  if (!images) return drawHistogram(values, screen.columns);
  const { lines, shown } = drawImages(values, images, screen);
  return shown < images.count ? [...lines, `(${shown} of ${images.count})`] : lines;
}

/**
 * Hands a tensor's values to `use`, with the name of the backend that has them: at once if they are
 * there, otherwise when they have arrived.
 */
function withValues(
  caller: string,
  tensor: tf.Tensor,
  use: (values: Values, backend: string) => void,
): void | Promise<void> {
  if (!(tensor instanceof tf.Tensor)) {
    throw new UserError(`${caller}: give a tensor, not ${Deno.inspect(tensor, { depth: 0 })}`);
  }
  if (tensor.isDisposed) {
    throw new UserError(`${caller}: ${shapeName(tensor)} was disposed of; look at it before`);
  }
  if (tensor.dtype === "complex64") {
    throw new UserError(`${caller}: complex numbers have no image; look at tf.real(x)`);
  }
  const backend = backendOf(tensor);
  const values = valuesNow(tensor);
  if (values) return use(values, backend);
  return valuesLater(tensor).then((values) => {
    noteValues(tensor, values);
    use(values, backend);
  }).catch((error) => {
    // in a paused frame nobody waits for the promise, and its failure must not end the run
    console.error(error instanceof UserError ? error.message : error);
  });
}

function screen(): Screen {
  const terminal = Deno.stdout.isTerminal();
  return { columns: terminal ? Deno.consoleSize().columns : 80, colour: terminal && !Deno.noColor };
}

function write(path: string, content: Uint8Array): void {
  try {
    Deno.writeFileSync(path, content, { createNew: !written.has(path) });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new UserError(`peek: ${path} is there already; give another name`);
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new UserError(
        `peek: ${path} may not be written; name a file in runs/, as "runs/xt.png"`,
      );
    }
    const message = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new UserError(`peek: cannot write ${path}: ${message}`, { cause: error, exitCode: 1 });
  }
  written.add(path);
}
