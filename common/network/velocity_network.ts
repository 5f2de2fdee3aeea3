/**
 * The network of paper 4 on points in the plane: v_θ(x, t) for a t between 0 and 1.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { linear, matMul } from "../engine/ops/mat_mul.ts";
import { silu } from "../engine/ops/silu.ts";
import { uniform } from "../random.ts";
import type { FlowNetwork } from "./flows.ts";
import { Parameters } from "./parameters.ts";

/** The size of a {@linkcode VelocityNetwork}. */
export interface VelocityNetworkOptions {
  /** H, the width. */
  hidden: number;
  /** Decides, with the layers' names, the initial weights. Default: 0. */
  seed?: number;
}

/** Waves, a sine and a cosine each, that tell the network the time and where a point is. */
const TIME_WAVES = 4;
const PLACE_WAVES = 4;
const INPUTS = 2 + 2 * TIME_WAVES + 2 * 2 * PLACE_WAVES;

/**
 * Four layers, 26→H→H→H→2, with SiLU between them: smooth, so that the flow has a density. Beside the
 * point itself go in sin kπt and cos kπt, and sin kπx/2 and cos kπx/2, for k = 1..4, as a
 * small network alone finds fine structure slowly (Tancik et al. 2020).
 */
export class VelocityNetwork implements FlowNetwork {
  readonly dimensions = 2;
  readonly #store = new Parameters();
  readonly #layers: ((x: tf.Tensor2D) => tf.Tensor2D)[];

  /** Makes a network with untrained weights. */
  constructor({ hidden: H, seed = 0 }: VelocityNetworkOptions) {
    const widths = [INPUTS, H, H, H, 2];
    this.#layers = widths.slice(1).map((outputs, i) =>
      this.#layer(2 * i, widths[i], outputs, seed)
    );
  }

  /** All weights by name. */
  get parameters(): Map<string, tf.Variable> {
    return this.#store.variables;
  }

  /**
   * v_θ(x, t).
   *
   * @param x [B, 2].
   * @param t In 0..1: one for all points, or one for each, [B].
   * @returns [B, 2].
   */
  forward(x: tf.Tensor2D, t: number | tf.Tensor1D): tf.Tensor2D {
    return tf.tidy(() => {
      const ofTime = typeof t === "number"
        ? [inEachRow(tf.concat(timeWaves(tf.tensor1d([t])), 1) as tf.Tensor2D, x.shape[0])]
        : timeWaves(t);
      const ofPlace = waves(tf.mul(Math.PI / 2, x), PLACE_WAVES);
      let h = tf.concat([x, ...ofTime, ...ofPlace], 1) as tf.Tensor2D; // [B, 26]
      this.#layers.forEach((layer, i) => h = layer(i === 0 ? h : silu(h))); // [B, H], …, [B, 2]
      return h;
    });
  }

  /**
   * Copies of the weights with PyTorch's names and layouts: `net.{0,2,4,6}.{weight,bias}`, weights
   * [out, in]. The caller disposes of them.
   */
  stateDict(): Map<string, tf.Tensor> {
    return this.#store.stateDict();
  }

  /**
   * Takes over weights named as in {@linkcode stateDict}.
   *
   * @throws {UserError} A name is missing or unknown, or a shape is another; the message lists them.
   */
  load(tensors: Map<string, tf.Tensor>): void {
    this.#store.load(tensors);
  }

  /** Frees the weights. */
  dispose(): void {
    this.#store.dispose();
  }

  /** A layer whose weights start uniform in ±1/√inputs, as PyTorch's do. */
  #layer(index: number, inputs: number, outputs: number, seed: number) {
    const add = <T extends tf.Tensor>(name: string, shape: number[], layout: "linear" | "same") => {
      const draw = { seed, stream: `initial ${name}` };
      const values = uniform(draw, tf.util.sizeFromShape(shape))
        .map((u) => (2 * u - 1) / Math.sqrt(inputs));
      return this.#store.add<T>(name, shape, values, { layout });
    };
    const weight = add<tf.Tensor2D>(`net.${index}.weight`, [inputs, outputs], "linear");
    const bias = add<tf.Tensor1D>(`net.${index}.bias`, [outputs], "same");
    return (x: tf.Tensor2D) => linear(x, weight, bias);
  }
}

/** [1, C] as the same row B times, [B, C]; `tf.tile` takes many times as long on WASM. */
function inEachRow(row: tf.Tensor2D, B: number): tf.Tensor2D {
  return matMul(tf.ones<tf.Rank.R2>([B, 1]), row);
}

function timeWaves(times: tf.Tensor1D): tf.Tensor[] {
  return waves(tf.mul(Math.PI, tf.expandDims(times, 1)) as tf.Tensor2D, TIME_WAVES);
}

/** sin kφ and cos kφ for k = 1, 2, …: [B, C] each. */
function waves(angle: tf.Tensor2D, count: number): tf.Tensor[] {
  return Array.from({ length: count }, (_, i) => tf.mul(i + 1, angle))
    .flatMap((multiple) => [tf.sin(multiple), tf.cos(multiple)]);
}
