/**
 * Images out of reverse chains, as plain numbers: for files, figures and measurements.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { evenly } from "../plot/evenly.ts";
import { leftFiniteNumbers } from "./finite.ts";
import { Progress } from "../run/progress.ts";
import { type ChainPoint, endOfChain, type ImageShape } from "../reverse_process.ts";

/** How many images are drawn at once. */
const TOGETHER = 64;

/** Points of a chain between two waits for the GPU, so that the bar does not run ahead of it. */
const WAIT_EVERY = 10;

/**
 * Draws images in batches, under a progress bar.
 *
 * @param shape Of all images together.
 * @param chain Starts the chain of batch `index`, the images' shape being that of the batch and
 * `first` the number of its first image.
 * @param length Steps of such a chain.
 * @param label The label of the progress bar.
 * @returns [B, H, W, C], the ends of the chains.
 * @throws {UserError} They are no finite numbers.
 */
export async function drawImages(
  [count, H, W, C]: ImageShape,
  chain: (shape: ImageShape, index: number, first: number) => Iterable<ChainPoint>,
  length: number,
  label = "sampling",
): Promise<Float32Array<ArrayBuffer>> {
  const progress = new Progress({ label, total: batchesOf(count) * length });
  const images = await drawUnwatched(
    [count, H, W, C],
    chain,
    (index, step) => progress.update(index * length + step),
  );
  progress.finish();
  return images;
}

/** How many batches so many images are drawn in. */
export function batchesOf(count: number): number {
  return Math.ceil(count / TOGETHER);
}

/**
 * The same without a bar of its own.
 *
 * @param onStep Called with the batch and the step of its chain, both from 0, before every step and at
 * the end.
 */
export async function drawUnwatched(
  [count, H, W, C]: ImageShape,
  chain: (shape: ImageShape, index: number, first: number) => Iterable<ChainPoint>,
  onStep: (index: number, step: number) => void,
): Promise<Float32Array<ArrayBuffer>> {
  const images = new Float32Array(count * H * W * C);
  for (let index = 0; index < batchesOf(count); index++) {
    const B = Math.min(TOGETHER, count - index * TOGETHER);
    let step = 0;
    const x0 = await endOfChain(chain([B, H, W, C], index, index * TOGETHER), async (point) => {
      if (step % WAIT_EVERY === 0 || point.t === 0) await finiteNumbers(point.xt, point.t);
      onStep(index, step++);
    });
    images.set(await numbersOf(x0), index * TOGETHER * H * W * C);
    x0.dispose();
  }
  return images;
}

/** Some points of a chain, as numbers. */
export interface ChainRecord {
  /** From T down to 0. */
  t: number[];
  /** xₜ at each of them, [B, H, W, C]. */
  xt: Float32Array[];
  /** The image expected there, [B, H, W, C]. */
  x0Hat: Float32Array[];
}

/**
 * Walks a chain and keeps some of its points, evenly spaced, the first and the last among them.
 *
 * @param length Steps of the chain.
 * @param columns How many points to keep; at least 2.
 * @throws {UserError} The images are no finite numbers.
 */
export async function recordChain(
  chain: Iterable<ChainPoint>,
  length: number,
  columns: number,
): Promise<ChainRecord> {
  const wanted = new Set(evenly(length + 1, columns));
  const record: ChainRecord = { t: [], xt: [], x0Hat: [] };
  let at = 0;
  for (const { t, xt, x0Hat } of chain) {
    if (!wanted.has(at++)) continue;
    record.t.push(t);
    record.xt.push(await finiteNumbers(xt, t));
    record.x0Hat.push(await finiteNumbers(x0Hat, t));
  }
  return record;
}

async function numbersOf(tensor: tf.Tensor): Promise<Float32Array> {
  return await tensor.data<"float32">();
}

/** @throws {UserError} They are no finite numbers. */
async function finiteNumbers(images: tf.Tensor, t: number): Promise<Float32Array> {
  const numbers = await numbersOf(images);
  if (!numbers.every(Number.isFinite)) throw leftFiniteNumbers("images", t);
  return numbers;
}
