/**
 * How much memory a run takes, from the shapes of what it computes: known before anything is made.
 *
 * The counts are those of the networks; the factors behind them, how many tensors of a kind there are at
 * once in a training step, are measured (tests/memory_test.ts holds them to the truth).
 *
 * @module
 */
import { UserError } from "../user_error.ts";

/** Bytes of a number. */
const NUMBER = 4;
/** Vectors as long as the weights: the weights, their gradient and Adam's vectors, and copies of them. */
const VECTORS = 12;
/** What WASM can have in all: 32-bit addresses. Some is left for everything else. */
const WASM_BYTES = 0.95 * 2 ** 32;

/** The UNet of a run, see {@linkcode UNetOptions}, and its images. */
export interface UNetShape {
  /** Height and width of the images. */
  size: number;
  /** C, the channels at full resolution. */
  channels: number;
  /** Channels of the images. */
  inChannels: number;
  /** Channels of each level as a multiple of C. */
  channelMults: number[];
  /** Levels with self-attention. */
  attentionLevels: number[];
  /** Kinds of images that it can be told by a label. Default: none. */
  classes?: number;
}

/** Weights of a UNet, and numbers of its feature maps for one image. */
export function unetNumbers(shape: UNetShape): { weights: number; features: number } {
  const { size, channels: C, inChannels, channelMults, attentionLevels, classes = 0 } = shape;
  let [weights, features] = [0, 0];
  const add = (shape: { weights: number; features: number }) => {
    weights += shape.weights;
    features += shape.features;
  };
  const widths = channelMults.map((mult) => mult * C);
  const pixels = (level: number) => (size / 2 ** level) ** 2;
  const block = (I: number, O: number, level: number) => {
    add(residualNumbers(I, O, C, pixels(level)));
    if (attentionLevels.includes(level)) add(attentionNumbers(O, pixels(level)));
  };
  const convolution = (I: number, O: number, level: number) =>
    add({ weights: 9 * I * O + O, features: O * pixels(level) });

  add({ weights: 4 * C * C + 4 * C + 16 * C * C + 4 * C, features: 8 * C }); // the timestep's layers
  if (classes > 0) add({ weights: (classes + 1) * 4 * C, features: 4 * C });
  convolution(inChannels, C, 0);
  const skips = [C];
  widths.forEach((width, level) => {
    for (let i = 0; i < 2; i++) {
      block(skips.at(-1)!, width, level);
      skips.push(width);
    }
    if (level === widths.length - 1) return;
    convolution(width, width, level + 1);
    skips.push(width);
  });
  const last = widths.length - 1;
  add(residualNumbers(widths[last], widths[last], C, pixels(last)));
  if (attentionLevels.length > 0) add(attentionNumbers(widths[last], pixels(last)));
  add(residualNumbers(widths[last], widths[last], C, pixels(last)));
  let c = widths[last];
  for (let level = last; level >= 0; level--) {
    for (let i = 0; i < 3; i++) {
      const skip = skips.pop()!;
      features += (c + skip) * pixels(level); // both together
      block(c + skip, widths[level], level);
      c = widths[level];
    }
    if (level === 0) continue;
    features += c * pixels(level - 1); // twice the size
    convolution(c, c, level - 1);
  }
  features += c * pixels(0);
  convolution(c, inChannels, 0);
  return { weights, features };
}

/** From I to O channels; the timestep comes as 4C numbers. */
function residualNumbers(I: number, O: number, C: number, pixels: number) {
  const shortcut = I === O ? 0 : I * O + O;
  return {
    weights: 9 * I * O + O + 4 * C * O + O + 9 * O * O + O + shortcut,
    // normalized, convolved, with the timestep, normalized, convolved, the sum; the shortcut
    features: pixels * (I + 5 * O + (shortcut ? O : 0)),
  };
}

function attentionNumbers(C: number, pixels: number) {
  return { weights: 4 * (C * C + C), features: 7 * C * pixels + 2 * pixels ** 2 };
}

/** Feature maps and their gradients that a training step has at once; and those of drawing images. */
const UNET_FACTOR = { training: 1.1, drawing: 1.05 };
/** Images that are drawn at once. */
const DRAWN = 64;

/** Bytes that training a UNet with so many images a step takes, and drawing images with it. */
export function unetBytes(shape: UNetShape, batch: number): number {
  const { weights, features } = unetNumbers(shape);
  const { training, drawing } = UNET_FACTOR;
  const drawn = shape.classes ? 2 * DRAWN : DRAWN; // guidance asks with and without labels at once
  return NUMBER * (VECTORS * weights + features * Math.max(training * batch, drawing * drawn));
}

/** The model of paper 1, and what a training step looks at. */
export interface PointShape {
  /** H, the width. */
  hidden: number;
  /** T. */
  timesteps: number;
  /** A tail for each t, or one for all. */
  tails: "each" | "shared";
  /** The t of a step. */
  times: "all" | "one";
}

/** Numbers of the hidden layers, each as many as H, for a point: in training, and without gradients. */
const POINT_LAYERS = { training: 19, measuring: 7 };
/** Points for each t that the bound is measured with at the end. */
const MEASURED = 2000;

/** Bytes that training the model of paper 1 with so many points for each t takes, and measuring it. */
export function pointBytes(
  { hidden: H, timesteps: T, ...shape }: PointShape,
  batch: number,
): number {
  const tails = shape.tails === "each" ? T : 1;
  const weights = 3 * H + H * H + H + tails * (H * H + 5 * H + 4);
  const rows = shape.times === "all" ? T : 1;
  const { training, measuring } = POINT_LAYERS;
  const points = Math.max(training * rows * batch, measuring * T * MEASURED);
  return NUMBER * (VECTORS * weights + H * points);
}

/** A setting that decides how much memory is needed. */
export interface MemorySetting {
  /** The flag, without its dashes. */
  name: string;
  /** What it is. */
  value: number;
  /** Allowed are multiples of this. Default: 1. */
  multipleOf?: number;
  /** Bytes in all with another value. */
  bytes: (value: number) => number;
}

/**
 * Refuses what a backend has no memory for.
 *
 * @param settings The first whose smaller value helps is named.
 * @throws {UserError} More is needed than there is: the largest value that fits.
 */
export function refuseTooLarge(
  settings: MemorySetting[],
  backend: { name: string },
  limit: number = WASM_BYTES,
): void {
  if (backend.name !== "wasm") return; // what a GPU has, it does not say
  const [{ name, value, bytes }] = settings;
  const needed = bytes(value);
  if (needed <= limit) return;
  const need = `--${name} ${value} needs about ${inGigabytes(needed)} of memory, and WASM has ` +
    `${inGigabytes(limit)}`;
  for (const setting of settings) {
    const fitting = largestFitting(setting, limit);
    if (fitting === 0) continue;
    const isFirst = setting.name === name;
    const what = isFirst
      ? `the largest that fits is ${fitting}`
      : `no value fits; the largest --${setting.name} that fits with it is ${fitting}`;
    throw new UserError(`${need}; ${what}`);
  }
  throw new UserError(
    `${need}; no smaller ${settings.map(({ name }) => `--${name}`).join(", ")} alone is enough`,
  );
}

/** The largest smaller value that fits, 0 for none. */
function largestFitting({ value, multipleOf = 1, bytes }: MemorySetting, limit: number): number {
  let [fits, tooLarge] = [0, Math.ceil(value / multipleOf)];
  while (tooLarge - fits > 1) {
    const middle = Math.floor((fits + tooLarge) / 2);
    if (bytes(middle * multipleOf) <= limit) fits = middle;
    else tooLarge = middle;
  }
  return fits * multipleOf;
}

function inGigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(2)} GB`.replace(
    /^(\d+\.?\d*)e\+(\d+)/,
    (_, m, e) => `${m}·10^${e}`,
  );
}

/** Points that a finished flow is measured with at once, and layers of its network at a time. */
const [FLOW_POINTS, FLOW_LAYERS] = [5000, 12];

/** Bytes that a run of flows takes: layers of width `hidden` for every point, and the weights. */
export function flowBytes({ batch, hidden }: { batch: number; hidden: number }): number {
  const weights = 2 * hidden ** 2 + 31 * hidden + 2;
  return NUMBER * (VECTORS * weights + FLOW_LAYERS * hidden * Math.max(batch, FLOW_POINTS));
}
