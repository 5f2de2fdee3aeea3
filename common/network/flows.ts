/**
 * The flows of a training that goes on from one to the next: those that are finished, and the one that is
 * being trained.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { UserError } from "../user_error.ts";

/** A network that predicts a velocity, v_θ(x, t), of points with D coordinates. */
export interface FlowNetwork {
  /** D: 2 in the plane, one for each pixel of an image. */
  readonly dimensions: number;
  /** All weights by name. */
  readonly parameters: Map<string, tf.Variable>;
  /**
   * v_θ(x, t).
   *
   * @param x [B, D].
   * @param t In 0..1: one for all points, or one for each, [B].
   * @param options.training Whether numbers are dropped, where the network has dropout.
   * @param options.step Decides with the seed which.
   * @returns [B, D].
   */
  forward(
    x: tf.Tensor2D,
    t: number | tf.Tensor1D,
    options?: { training?: boolean; step?: number },
  ): tf.Tensor2D;
  /** Copies of the weights; the caller disposes of them. */
  stateDict(): Map<string, tf.Tensor>;
  /** Takes over such weights. */
  load(tensors: Map<string, tf.Tensor>): void;
  /** Frees the weights. */
  dispose(): void;
}

/** Networks of one size: flow 0, and flow k after k reflows. */
export class Flows {
  /** The one that is trained. */
  readonly current: FlowNetwork;
  readonly #finished: FlowNetwork[] = [];
  readonly #make: () => FlowNetwork;

  /**
   * Makes flow 0 with untrained weights.
   *
   * @param make Makes a network; all that it makes are alike.
   */
  constructor(make: () => FlowNetwork) {
    this.#make = make;
    this.current = make();
  }

  /** Those before the one that is trained, flow 0 first. */
  get finished(): readonly FlowNetwork[] {
    return this.#finished;
  }

  /** All, flow 0 first. */
  get all(): FlowNetwork[] {
    return [...this.#finished, this.current];
  }

  /** Keeps the current weights as a finished flow; the next one's training begins at them. */
  finish(): void {
    const weights = this.current.stateDict();
    this.#add(weights);
    tf.dispose([...weights.values()]);
  }

  /** Copies of all weights, named `flow.{k}.…`; the caller disposes of them. */
  stateDict(): Map<string, tf.Tensor> {
    return new Map(
      this.all.flatMap((network, k) =>
        [...network.stateDict()].map(([name, tensor]) => [`flow.${k}.${name}`, tensor] as const)
      ),
    );
  }

  /**
   * Takes over weights named as in {@linkcode stateDict}, as many flows as there are.
   *
   * @throws {UserError} A name is missing or unknown, or a shape is another; the message lists them.
   */
  load(tensors: Map<string, tf.Tensor>): void {
    const byFlow: Map<string, tf.Tensor>[] = [];
    for (const [name, tensor] of tensors) {
      const [, k, rest] = /^flow\.(\d{1,3})\.(.*)$/.exec(name) ?? [];
      if (!k) throw new UserError(`the weights are not those of flows: ${name} is unknown`);
      (byFlow[Number(k)] ??= new Map()).set(rest, tensor);
    }
    const flows = Array.from(byFlow, (weights) => weights ?? new Map<string, tf.Tensor>());
    this.current.load(flows.pop() ?? new Map());
    for (const network of this.#finished.splice(0)) network.dispose();
    for (const weights of flows) this.#add(weights);
  }

  /** Frees all weights. */
  dispose(): void {
    for (const network of this.all) network.dispose();
  }

  #add(weights: Map<string, tf.Tensor>): void {
    const network = this.#make();
    network.load(weights);
    this.#finished.push(network);
  }
}
