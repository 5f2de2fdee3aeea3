/**
 * The flows of a training that goes on from one to the next: those that are finished, and the one that is
 * being trained.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { UserError } from "../user_error.ts";
import { VelocityNetwork, type VelocityNetworkOptions } from "./velocity_network.ts";

/** Networks of one size: flow 0, and flow k after k reflows. */
export class Flows {
  /** The one that is trained. */
  readonly current: VelocityNetwork;
  readonly #finished: VelocityNetwork[] = [];
  readonly #options: VelocityNetworkOptions;

  /** Makes flow 0 with untrained weights. */
  constructor(options: VelocityNetworkOptions) {
    this.#options = options;
    this.current = new VelocityNetwork(options);
  }

  /** Those before the one that is trained, flow 0 first. */
  get finished(): readonly VelocityNetwork[] {
    return this.#finished;
  }

  /** All, flow 0 first. */
  get all(): VelocityNetwork[] {
    return [...this.#finished, this.current];
  }

  /** Keeps the current weights as a finished flow; the next one's training begins at them. */
  finish(): void {
    const weights = this.current.stateDict();
    this.#add(weights);
    tf.dispose([...weights.values()]);
  }

  /** Copies of all weights, named `flow.{k}.net.…`; the caller disposes of them. */
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
    const network = new VelocityNetwork(this.#options);
    network.load(weights);
    this.#finished.push(network);
  }
}
