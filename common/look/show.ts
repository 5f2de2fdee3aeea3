/**
 * Looking at a tensor's content, in a paused frame of the debugger or in code.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { imageSheet } from "../pixels/image_sheet.ts";
import { UserError } from "../user_error.ts";
import { drawHistogram } from "./histogram.ts";
import { drawPictures, picturesIn, type Screen } from "./picture.ts";
import { noteValues, summary } from "./summary.ts";
import { type Values, valuesLater, valuesNow } from "./values.ts";

/** Files that {@linkcode peek} made in this process, and may make anew. */
const written = new Set<string>();

/**
 * Prints a tensor: its summary, and below it a picture where its shape is that of images, a histogram
 * otherwise.
 *
 * Images are [H, W], [H, W, C] or [B, H, W, C] in [-1, 1], with 1 or 3 channels and 4 pixels or more
 * to a side; of a batch, as many are shown as fit side by side.
 *
 * @returns Nothing; on WebGPU a promise, since there the numbers have to be waited for: they are those
 * of the moment of the call, and are printed when they arrive. In a paused frame that is after it goes on.
 * @throws {UserError} It is not a tensor, or was disposed of.
 */
export function show(tensor: tf.Tensor): void | Promise<void> {
  return withValues("show", tensor, (values) => {
    console.log(["", ...lookOf(tensor, values, screen())].join("\n"));
  });
}

/**
 * Writes a tensor of images as a PNG file: all of a batch on one sheet.
 *
 * @param tensor As for {@linkcode show}, but only images.
 * @param path The file; in runs/, which is where the scripts may write. A file that was there before
 * this process is not overwritten.
 * @returns As {@linkcode show}.
 * @throws {UserError} It is no tensor of images, or was disposed of; the file exists or may not be written.
 */
export function peek(tensor: tf.Tensor, path: string): void | Promise<void> {
  if (typeof path !== "string") {
    throw new UserError('peek: give a file, as in peek(xt, "runs/xt.png")');
  }
  return withValues("peek", tensor, (values) => {
    const pictures = picturesIn(tensor.shape);
    if (!pictures || typeof values[0] !== "number") {
      throw new UserError(
        `peek: ${
          name(tensor)
        } is no picture; allowed are [H,W], [H,W,C] and [B,H,W,C] with C = 1 or 3; ` +
          "show(x) draws a histogram of anything",
      );
    }
    const { count, height, width } = pictures;
    const columns = Math.ceil(Math.sqrt(count));
    write(
      path,
      imageSheet({ ...pictures, images: Float32Array.from(values as Float32Array), columns }),
    );
    console.log(`${path}: ${count} picture${count === 1 ? "" : "s"} of ${width}x${height}`);
  });
}

/** The lines that {@linkcode show} prints. */
export function lookOf(tensor: tf.Tensor, values: Values, screen: Screen): string[] {
  const title = summary(tensor);
  if (values.length < 2 || typeof values[0] === "string") return [title];
  const numbers = values as Exclude<Values, string[]>;
  const pictures = picturesIn(tensor.shape);
  if (!pictures) return [title, ...drawHistogram(numbers, screen.columns)];
  const { lines, shown } = drawPictures(numbers, pictures, screen);
  const rest = shown < pictures.count ? [`(${shown} of ${pictures.count})`] : [];
  return [title, ...lines, ...rest];
}

/** Hands the tensor's values to `use`, at once if they are there, otherwise when they have arrived. */
function withValues(
  caller: string,
  tensor: tf.Tensor,
  use: (values: Values) => void,
): void | Promise<void> {
  if (!(tensor instanceof tf.Tensor)) {
    throw new UserError(`${caller}: give a tensor, not ${Deno.inspect(tensor, { depth: 0 })}`);
  }
  if (tensor.isDisposed) throw new UserError(`${caller}: ${summary(tensor)}; clone it to keep it`);
  if (tensor.size === 0 || tensor.dtype === "complex64") return use([]);
  const values = valuesNow(tensor);
  if (values) return use(values);
  return valuesLater(tensor).then((values) => {
    noteValues(tensor, values);
    use(values);
  }).catch((error) => {
    // nobody waits for it in a paused frame, and looking must not end the run
    console.error(error instanceof UserError ? error.message : error);
  });
}

function screen(): Screen {
  const terminal = Deno.stdout.isTerminal();
  return { columns: terminal ? Deno.consoleSize().columns : 80, colour: terminal && !Deno.noColor };
}

function name(tensor: tf.Tensor): string {
  return summary(tensor).split(" ")[0];
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
