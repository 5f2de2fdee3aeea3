/**
 * The network of paper 1: a head that all timesteps share, and a tail for each of them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { linear } from "../engine/ops/mat_mul.ts";
import { relu } from "../engine/ops/relu.ts";
import { reshape } from "../engine/ops/reshape.ts";
import { asOneOperation } from "../engine/ops/tape.ts";
import { uniform } from "../random.ts";
import { Parameters } from "./parameters.ts";

/** Options of a {@linkcode HeadAndTails}. */
export interface HeadAndTailsOptions {
  /** N, how many tails there are; with 1, all points go through it. */
  tails: number;
  /** H, the width. */
  hidden: number;
  /** Whether the last layer starts at 0. Default: false. */
  zeroOutput?: boolean;
  /** Decides, with the layers' names, the initial weights. */
  seed: number;
}

/**
 * A head 2→H→H and N tails H→H→4, with ReLU between the layers. The tails are stacked, [N, ...], so that
 * all of them are one batched product.
 */
export class HeadAndTails {
  readonly #store = new Parameters();
  readonly #tails: number;
  readonly #hidden: number;

  /** Makes a network with untrained weights. */
  constructor({ tails: N, hidden: H, zeroOutput = false, seed }: HeadAndTailsOptions) {
    this.#tails = N;
    this.#hidden = H;
    const head = (layer: string, shape: number[], fanIn: number) =>
      this.#store.add(`head.${layer}`, shape, initial(`head.${layer}`, shape, fanIn, seed), {
        layout: shape.length === 2 ? "linear" : "same",
        fileName: `network_head.${layer}`,
      });
    const tail = (layer: string, shape: number[], fanIn: number) =>
      this.#store.addStack(`tail.${layer}`, shape, initial(`tail.${layer}`, shape, fanIn, seed), {
        layout: shape.length === 3 ? "linear" : "same",
        fileName: (row) => `network_tail.${row}.${layer}`,
      });
    head("0.weight", [2, H], 2);
    head("0.bias", [H], 2);
    head("2.weight", [H, H], H);
    head("2.bias", [H], H);
    tail("0.weight", [N, H, H], H);
    tail("0.bias", [N, H], H);
    tail("2.weight", [N, H, 4], zeroOutput ? Infinity : H);
    tail("2.bias", [N, 4], zeroOutput ? Infinity : H);
  }

  /** All weights by name; tails as stacks. */
  get parameters(): Map<string, tf.Variable> {
    return this.#store.variables;
  }

  /**
   * Sends points through the head and their tails.
   *
   * @param x [n, B, 2]: row i holds the points of one tail.
   * @param tails The tail of each row, [n], from 0.
   * @returns [n, B, 4].
   */
  output(x: tf.Tensor3D, tails: number[]): tf.Tensor3D {
    const [n, B] = x.shape;
    const rows = this.#tails === 1 ? 1 : n; // all points through the one tail
    const layers = ["0.weight", "0.bias", "2.weight", "2.bias"];
    const head = layers.map((layer) => this.parameters.get(`head.${layer}`)!);
    const tail = layers.map((layer) => this.#rows(`tail.${layer}`, tails));
    // for speed alone: all that follows is one operation to the gradient tape
    return asOneOperation([x, ...head, ...tail], () => {
      const points = reshape<tf.Tensor2D>(x, [n * B, 2]);
      const h = relu(twoLayers(points, head)); // [n·B, H]
      const own = reshape<tf.Tensor3D>(h, [rows, n * B / rows, this.#hidden]); // [n, B, H]
      return reshape<tf.Tensor3D>(twoLayers(own, tail), [n, B, 4]);
    });
  }

  /**
   * Copies of the weights with the original's names and PyTorch's layouts: `network_head.{0,2}` and, for
   * each tail i, `network_tail.{i}.{0,2}`, weights [out, in]. The caller disposes of them.
   */
  stateDict(): Map<string, tf.Tensor> {
    return this.#store.stateDict();
  }

  /**
   * Takes over weights named as in {@linkcode stateDict}. Tails that the file lacks keep their weights.
   *
   * @throws {UserError} Names are missing, unknown or of another shape; the message lists them.
   */
  load(tensors: Map<string, tf.Tensor>): void {
    const tailOf = (name: string) => /^network_tail\.\d+\./.exec(name)?.[0];
    const given = new Set([...tensors.keys()].map(tailOf));
    this.#store.load(tensors, {
      keeps: (name) => tailOf(name) !== undefined && !given.has(tailOf(name)),
    });
  }

  /** Frees the weights. */
  dispose(): void {
    this.#store.dispose();
  }

  /** The rows of a stack that belong to these tails. */
  #rows(name: string, tails: number[]): tf.Tensor {
    const stack = this.parameters.get(name)!;
    const isWhole = tails.length === this.#tails && tails.every((tail, i) => tail === i);
    if (isWhole || this.#tails === 1) return stack;
    const rest = stack.shape.slice(1);
    const row = (tail: number) => tf.slice(stack, [tail, ...rest.map(() => 0)], [1, ...rest]);
    return tails.length === 1 ? row(tails[0]) : tf.concat(tails.map(row));
  }
}

/** Two linear layers with a ReLU in between. */
function twoLayers<T extends tf.Tensor>(x: T, [w0, bias0, w2, bias2]: tf.Tensor[]): T {
  return linear(relu(linear(x, w0, bias0)), w2, bias2);
}

/** Uniform in ±1/√fanIn, PyTorch's start; a fan-in of Infinity gives zeros. */
function initial(name: string, shape: number[], fanIn: number, seed: number): Float32Array {
  const limit = 1 / Math.sqrt(fanIn);
  const draw = { seed, stream: `initial ${name}` };
  return uniform(draw, tf.util.sizeFromShape(shape)).map((u) => limit * (2 * u - 1));
}
