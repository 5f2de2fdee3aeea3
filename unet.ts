/**
 * The network ε_θ(xₜ, t) of Ho et al. 2020, appendix B: a UNet that looks at a noisy image and says
 * which noise is in it. The weights' names are those of the PyTorch original.
 *
 * The timestep becomes a vector that every residual block adds to its pixels. The image goes down
 * through ever smaller feature maps, through the middle, and up again, where every block also sees
 * what the way down had at the same size.
 *
 * Shapes: B images, H×W pixels, C channels at full resolution.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import {
  convolution,
  dense,
  embedding,
  type LayerOptions,
  oneHot,
  projection,
} from "./common/network/layers.ts";
import { add } from "./common/engine/ops/add.ts";
import { attention } from "./common/engine/ops/attention.ts";
import { concatChannels } from "./common/engine/ops/concat.ts";
import { dropout } from "./common/engine/ops/dropout.ts";
import { groupNorm, groupNormSilu } from "./common/engine/ops/group_norm.ts";
import { addPerSample } from "./common/engine/ops/per_sample.ts";
import { silu } from "./common/engine/ops/silu.ts";
import { asOneOperation } from "./common/engine/ops/tape.ts";
import { upsample } from "./common/engine/ops/upsample.ts";
import { Parameters } from "./common/network/parameters.ts";

/** The size of a UNet. */
export interface UNetOptions {
  /** C, the channels at full resolution: even, and a multiple of `groups`. */
  channels: number;
  /** Channels of the images: 1 for grey, 3 for colour. */
  inChannels: number;
  /** Channels of each level as a multiple of C; a level has half the size of the one before. Default: [1, 2, 2, 2]. */
  channelMults?: number[];
  /** Levels whose blocks have self-attention; level 0 is the full resolution. Default: [1]. */
  attentionLevels?: number[];
  /** Whether the middle has self-attention. Default: if any level has; a network without any is convolutions alone. */
  middleAttention?: boolean;
  /** Groups of the group normalization. Default: 32. */
  groups?: number;
  /** Probability with which a number in a residual block is dropped while training. Default: 0.1. */
  dropout?: number;
  /** Kinds of images that the network can be told apart by a label. Default: none, it knows of no labels. */
  classes?: number;
  /** Decides the initial weights and the dropout masks. Default: 0. */
  seed?: number;
}

/** Options of a forward pass. */
export interface ForwardOptions {
  /** Whether numbers are dropped. Default: false, so sampling never drops any. */
  training?: boolean;
  /** Training step, which decides with the seed what is dropped. Default: 0. */
  step?: number;
  /**
   * c, the class of each image, [B], in 0..classes−1; `classes` itself stands for no label. Default: none
   * has one.
   */
  labels?: ArrayLike<number>;
}

/**
 * ε_θ: predicts the noise ε that is in xₜ.
 *
 * @example A small network, which at first predicts 0
 * ```ts
 * import { UNet } from "./unet.ts";
 * import * as tf from "@tensorflow/tfjs";
 *
 * const network = new UNet({ channels: 8, inChannels: 1, channelMults: [1, 2], groups: 4 });
 * const xt = tf.randomNormal<tf.Rank.R4>([2, 8, 8, 1], 0, 1, "float32", 0);
 *
 * const epsTheta = network.forward(xt, tf.tensor1d([1, 1000])); // [2, 8, 8, 1]
 *
 * tf.dispose([xt, epsTheta]);
 * network.dispose();
 * ```
 */
export class UNet {
  /** All weights by name, in the order of the architecture. */
  readonly parameters: Map<string, tf.Variable>;
  readonly #store = new Parameters();
  readonly #options: Required<UNetOptions>;
  readonly #linear1: (x: tf.Tensor2D) => tf.Tensor2D;
  readonly #linear2: (x: tf.Tensor2D) => tf.Tensor2D;
  readonly #labelEmb?: (labels: tf.Tensor2D) => tf.Tensor2D;
  readonly #conv1: (x: tf.Tensor4D) => tf.Tensor4D;
  readonly #down: Level[];
  readonly #middle: Block[];
  readonly #up: Level[];
  readonly #finalConv: (x: tf.Tensor4D) => tf.Tensor4D;

  /**
   * Makes the weights; `dispose` frees them.
   *
   * @throws {RangeError} C is below 4, odd, or not a multiple of the groups.
   */
  constructor(options: UNetOptions) {
    this.#options = {
      channelMults: [1, 2, 2, 2],
      attentionLevels: [1],
      middleAttention: options.attentionLevels?.length !== 0,
      groups: 32,
      dropout: 0.1,
      classes: 0,
      seed: 0,
      ...options,
    };
    this.parameters = this.#store.variables;
    const { channels: C, inChannels, channelMults, groups, classes } = this.#options;
    if (!(C >= 4) || C % 2 !== 0 || C % groups !== 0) {
      throw new RangeError(`UNet: ${C} channels; allowed are even multiples of ${groups} from 4`);
    }
    const build = { ...this.#options, parameters: this.#store };
    const widths = channelMults.map((mult) => mult * C); // channels of each level
    const skips = [C]; // channels of the feature maps that the way down leaves for the way up
    const widest = widths[widths.length - 1];

    this.#linear1 = dense("linear1", C, 4 * C, build);
    this.#linear2 = dense("linear2", 4 * C, 4 * C, build);
    // one row more for "no label"
    if (classes > 0) this.#labelEmb = embedding("label_emb", classes + 1, 4 * C, build);
    this.#conv1 = convolution("conv1", inChannels, C, build);
    this.#down = wayDown(widths, skips, build);
    this.#middle = [
      residualBlock("middle.0", widest, widest, build),
      ...this.#options.middleAttention ? [attentionBlock("middle.1", widest, build)] : [],
      residualBlock("middle.2", widest, widest, build),
    ];
    this.#up = wayUp(widths, skips, build);
    this.#finalConv = convolution("final_conv", widths[0], inChannels, { ...build, scale: 0 });
  }

  /** Kinds of images that it can be told by a label, 0 for none; as a label it stands for none. */
  get classes(): number {
    return this.#options.classes;
  }

  /**
   * ε_θ(xₜ, t), or ε_θ(xₜ, t, c) with labels.
   *
   * @param x xₜ, [B, H, W, inChannels]; H and W divide by 2 for each level after the first.
   * @param t 1-based timesteps, [B].
   * @returns The predicted noise, [B, H, W, inChannels].
   * @throws {RangeError} x has a size or a number of channels that the network does not take, or there is
   * not a label that it knows for each image.
   */
  forward(x: tf.Tensor4D, t: tf.Tensor1D, options: ForwardOptions = {}): tf.Tensor4D {
    this.#checkInput(x);
    return tf.tidy(() => {
      const sinusoids = timestepEmbedding(t, this.#options.channels); // [B, C]
      const labels = this.#chosen(x.shape[0], options); // [B, classes + 1]
      const given = labels ? [x, sinusoids, labels] : [x, sinusoids];
      // for speed alone: all that follows is one operation to the gradient tape
      return asOneOperation(
        [...given, ...this.parameters.values()],
        () => this.#epsTheta(x, { sinusoids, labels }, options),
      );
    });
  }

  #epsTheta(
    x: tf.Tensor4D,
    { sinusoids, labels }: { sinusoids: tf.Tensor2D; labels?: tf.Tensor2D },
    options: ForwardOptions,
  ): tf.Tensor4D {
    let emb = this.#linear2(silu(this.#linear1(sinusoids))); // [B, 4C]
    // the label's vector comes to that of the timestep: every block is told of both in the same way
    if (labels) emb = add(emb, this.#labelEmb!(labels)); // [B, 4C]
    const context = { emb: silu(emb), drop: this.#dropping(options) };

    let h = this.#conv1(x); // [B, H, W, C]
    const skips = [h];
    for (const { blocks, resize } of this.#down) {
      for (const block of blocks) {
        h = block(h, context); // [B, H/2ˡ, W/2ˡ, C·multₗ] at level l
        skips.push(h);
      }
      if (resize) {
        h = resize(h); // half the height and width
        skips.push(h);
      }
    }

    for (const block of this.#middle) h = block(h, context);

    for (const { blocks, resize } of this.#up) {
      for (const block of blocks) {
        h = concatChannels(h, skips.pop()!); // [B, H/2ˡ, W/2ˡ, C·multₗ + those of the skip]
        h = block(h, context); // [B, H/2ˡ, W/2ˡ, C·multₗ]
      }
      if (resize) h = resize(h); // twice the height and width
    }

    return this.#finalConv(groupNormSilu(h, this.#options.groups)); // [B, H, W, inChannels]
  }

  /**
   * Loads weights with the original's names and layouts; the tensors stay the caller's.
   *
   * @throws {UserError} Names are missing, unknown or of another shape; the message lists them.
   */
  load(tensors: Map<string, tf.Tensor>): void {
    this.#store.load(tensors);
  }

  /** Copies of all weights with the original's names and layouts; the caller disposes of them. */
  stateDict(): Map<string, tf.Tensor> {
    return this.#store.stateDict();
  }

  /** Frees the weights. */
  dispose(): void {
    this.#store.dispose();
  }

  /** c as a row of zeros with a 1 for each image; undefined where the network knows of no labels. */
  #chosen(B: number, { labels }: ForwardOptions): tf.Tensor2D | undefined {
    const { classes } = this.#options;
    labels ??= new Array(B).fill(classes);
    const isKnown = (label: number) => Number.isInteger(label) && label >= 0 && label <= classes;
    if (labels.length !== B || !Array.from(labels).every(isKnown)) {
      throw new RangeError(
        `UNet: labels ${labels} for ${B} images; allowed are 0 to ${classes}, ${classes} for none`,
      );
    }
    return classes > 0 ? oneHot(labels, classes + 1) : undefined;
  }

  #dropping({ training = false, step = 0 }: ForwardOptions): Context["drop"] {
    const { dropout: rate, seed } = this.#options;
    if (!training) return (h) => h;
    return (h, name) => dropout(h, rate, { seed, stream: `dropout ${name}`, step });
  }

  #checkInput(x: tf.Tensor4D): void {
    const { inChannels, channelMults } = this.#options;
    const [, H, W, channels] = x.shape;
    const divisor = 2 ** (channelMults.length - 1);
    if (channels !== inChannels || H % divisor !== 0 || W % divisor !== 0) {
      throw new RangeError(
        `UNet: images of ${H}x${W}x${channels}; this network takes ${inChannels} channels and ` +
          `sizes that divide by ${divisor}`,
      );
    }
  }
}

/** What a block gets besides the feature map. */
interface Context {
  /** SiLU of the timestep's embedding, [B, 4C]. */
  emb: tf.Tensor2D;
  /** Dropout, with a mask of its own for each name. */
  drop: (h: tf.Tensor4D, name: string) => tf.Tensor4D;
}

/** One step on a feature map that keeps its height and width. */
type Block = (h: tf.Tensor4D, context: Context) => tf.Tensor4D;

/** The blocks of one resolution, and the way to the next resolution where there is one. */
interface Level {
  blocks: Block[];
  resize?: (h: tf.Tensor4D) => tf.Tensor4D;
}

/** What all blocks are built with. */
type Build = LayerOptions & Required<UNetOptions>;

/** Two blocks a level, then a convolution of stride 2; adds to `skips` the channels of each step's output. */
function wayDown(widths: number[], skips: number[], build: Build): Level[] {
  const name = counter("down");
  return widths.map((width, level) => {
    const blocks: Block[] = [];
    for (let i = 0; i < 2; i++) {
      blocks.push(levelBlock(name, level, skips[skips.length - 1], width, build));
      skips.push(width);
    }
    if (level === widths.length - 1) return { blocks };
    skips.push(width);
    return { blocks, resize: convolution(`${name()}.conv`, width, width, { ...build, stride: 2 }) };
  });
}

/** Three blocks a level, one for each feature map in `skips`; then twice the size, smoothed. */
function wayUp(widths: number[], skips: number[], build: Build): Level[] {
  const name = counter("up");
  let c = widths[widths.length - 1];
  return widths.map((width, level) => ({ width, level })).reverse().map(({ width, level }) => {
    const blocks: Block[] = [];
    for (let i = 0; i < 3; i++) {
      blocks.push(levelBlock(name, level, c + skips.pop()!, width, build));
      c = width;
    }
    if (level === 0) return { blocks };
    const smooth = convolution(`${name()}.conv`, width, width, build);
    return { blocks, resize: (h: tf.Tensor4D) => smooth(upsample(h)) };
  });
}

/** A residual block, with attention after it at the levels that have it. */
function levelBlock(name: () => string, level: number, I: number, O: number, build: Build): Block {
  const residual = residualBlock(name(), I, O, build);
  if (!build.attentionLevels.includes(level)) return residual;
  const attend = attentionBlock(name(), O, build);
  return (h, context) => attend(residual(h, context), context);
}

/** From I to O channels by two convolutions; the timestep comes in between them. */
function residualBlock(name: string, I: number, O: number, build: Build): Block {
  const { channels: C, groups } = build;
  const conv1 = convolution(`${name}.conv1`, I, O, build);
  const timestep = dense(`${name}.dense`, 4 * C, O, build);
  const conv2 = convolution(`${name}.conv2`, O, O, { ...build, scale: 0 });
  const shortcut = I === O ? undefined : projection(`${name}.nin`, I, O, build);
  return (x, { emb, drop }) => {
    let h = conv1(groupNormSilu(x, groups)); // [B, H, W, O]
    h = addPerSample(h, timestep(emb));
    h = conv2(drop(groupNormSilu(h, groups), name));
    return add(shortcut ? shortcut(x) : x, h);
  };
}

/** Lets every pixel look at every other one of its image. */
function attentionBlock(name: string, C: number, build: Build): Block {
  const Q = projection(`${name}.Q`, C, C, build);
  const K = projection(`${name}.K`, C, C, build);
  const V = projection(`${name}.V`, C, C, build);
  const last = projection(`${name}.nin`, C, C, { ...build, scale: 0 });
  return (x) => {
    const h = groupNorm(x, build.groups); // [B, H, W, C]
    const seen = attention(Q(h), K(h), V(h)); // [B, H, W, C]
    return add(x, last(seen));
  };
}

/**
 * The timestep as C sines and cosines of falling frequency (Vaswani et al. 2017, section 3.5).
 *
 * @param t Timesteps, [B].
 * @param C Even.
 * @returns [B, C]: sin(t·ωᵢ), then cos(t·ωᵢ), with ωᵢ = 10000^(−i/(C/2 − 1)).
 */
export function timestepEmbedding(t: tf.Tensor1D, C: number): tf.Tensor2D {
  return tf.tidy(() => {
    const half = C / 2;
    const omega = Float32Array.from({ length: half }, (_, i) => 10000 ** (-i / (half - 1)));
    const angles = tf.mul(tf.reshape(t, [-1, 1]), tf.tensor(omega, [1, half])); // [B, C/2]
    return tf.concat([tf.sin(angles), tf.cos(angles)], 1) as tf.Tensor2D;
  });
}

/** `down.0`, `down.1`, ...: the names of the blocks on the way. */
function counter(way: string): () => string {
  let i = 0;
  return () => `${way}.${i++}`;
}
