/**
 * The network of paper 4 on images: paper 2's UNet, which predicts the velocity in the place of the noise.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ForwardOptions, UNet, type UNetOptions } from "../../unet.ts";
import type { FlowNetwork } from "./flows.ts";

/** What the network is built from. */
export interface ImageVelocityOptions extends UNetOptions {
  /** Height and width of the images. */
  size: number;
}

/** Paper 2 counts its steps from the data on; with so many of them the UNet's waves are as there. */
const TIMESTEPS = 1000;

/** v_θ(x, t) of images, each a point with D = H·W·C coordinates. */
export class ImageVelocity implements FlowNetwork {
  readonly dimensions: number;
  readonly #unet: UNet;
  readonly #image: [H: number, W: number, C: number];

  /**
   * Makes a network with untrained weights.
   *
   * @throws {RangeError} The options do not go together; see {@linkcode UNet}.
   */
  constructor({ size, ...options }: ImageVelocityOptions) {
    this.#unet = new UNet(options);
    this.#image = [size, size, options.inChannels];
    this.dimensions = size * size * options.inChannels;
  }

  /** All weights by name. */
  get parameters(): Map<string, tf.Variable> {
    return this.#unet.parameters;
  }

  /**
   * v_θ(x, t).
   *
   * @param x [B, D].
   * @param t In 0..1, noise to data: one for all images, or one for each, [B].
   * @returns [B, D].
   */
  forward(x: tf.Tensor2D, t: number | tf.Tensor1D, options: ForwardOptions = {}): tf.Tensor2D {
    return tf.tidy(() => {
      const [B, D] = x.shape;
      const times = typeof t === "number" ? tf.fill([B], t) as tf.Tensor1D : t;
      const steps = tf.mul(TIMESTEPS, tf.sub(1, times)) as tf.Tensor1D; // paper 2's direction
      const images = tf.reshape(x, [B, ...this.#image]) as tf.Tensor4D;
      return tf.reshape(this.#unet.forward(images, steps, options), [B, D]);
    });
  }

  /** Copies of the weights with paper 2's names and layouts; the caller disposes of them. */
  stateDict(): Map<string, tf.Tensor> {
    return this.#unet.stateDict();
  }

  /**
   * Takes over weights named as in {@linkcode stateDict}.
   *
   * @throws {UserError} A name is missing or unknown, or a shape is another; the message lists them.
   */
  load(tensors: Map<string, tf.Tensor>): void {
    this.#unet.load(tensors);
  }

  /** Frees the weights. */
  dispose(): void {
    this.#unet.dispose();
  }
}
