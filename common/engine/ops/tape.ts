/**
 * The gradient tape of a network that is made of the project's operations.
 *
 * TensorFlow.js records every operation by itself, with a clone of each tensor that its gradient reads
 * again: at the sizes of these networks that is as much work as the small operations themselves. Here a
 * whole network is one operation of tfjs's tape; what happens inside is recorded without copies,
 * and each tensor is freed as soon as the way back has passed it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import {
  type Attributes,
  gradientOf,
  type Inputs,
  onlyComposed,
  type Outputs,
  runOperation,
  withRecorder,
} from "./operation.ts";
import { ADD } from "./add.ts";

/** What tfjs's engine has and its types hide. */
interface Engine {
  isTapeOn(): boolean;
  state: { gradientDepth: number; activeTape: { saved: { dispose(): void }[] }[] };
  runKernelFunc(call: {
    forwardFunc: () => tf.Tensor;
    backwardsFunc: (dy: tf.Tensor) => Record<string, () => tf.Tensor>;
    inputs: Inputs;
  }): tf.Tensor;
}

/**
 * What `f` returns, as one operation: same numbers and same gradients, but less to remember.
 *
 * `f` shall use the operations of `common/engine/ops`. A plain `tf` operation in it works, too, and
 * costs time: `f` then runs a second time, recorded by tfjs itself.
 *
 * @param inputs All that `f` reads: data and weights.
 * @param f Tensors that it makes on the way are freed.
 */
export function asOneOperation<T extends tf.Tensor>(inputs: tf.Tensor[], f: () => T): T {
  const engine = tf.engine() as unknown as Engine;
  // gradients of gradients are tfjs's own business
  if (!engine.isTapeOn() || engine.state.gradientDepth > 1 || onlyComposed()) return tf.tidy(f);
  const tape = new Tape(inputs);
  try {
    const y = engine.runKernelFunc({
      forwardFunc: () => tape.record(f),
      backwardsFunc: (dy) => tape.gradients(dy),
      inputs: Object.fromEntries(inputs.map((input, i) => [i, input])),
    });
    // tfjs disposes of what its node has saved once it needs no more gradients
    engine.state.activeTape.at(-1)!.saved = [tape];
    return y as T;
  } catch (error) {
    tape.dispose();
    if (!(error instanceof UnknownTensor)) throw error;
    return tf.tidy(f);
  }
}

/** An operation reads a tensor that no operation on the tape has made. */
class UnknownTensor extends Error {}

/** One operation on the tape. */
interface Node {
  name: string;
  inputs: Inputs;
  attributes: Attributes;
  outputs: tf.Tensor[];
  /** Whether the operation gives a list. */
  isList: boolean;
  /** What its gradient reads again. */
  saved: tf.Tensor[];
}

class Tape {
  readonly #inputs: Map<tf.Tensor, string>;
  readonly #nodes: Node[] = [];
  /** Tensors that were given, or made by an operation on the tape. */
  readonly #known: Set<tf.Tensor>;
  /** How many nodes still need a tensor that was made on the way. */
  readonly #needed = new Map<tf.Tensor, number>();
  #result?: tf.Tensor;

  constructor(inputs: tf.Tensor[]) {
    this.#inputs = new Map(inputs.map((input, i) => [input, String(i)]));
    this.#known = new Set(this.#inputs.keys());
  }

  record(f: () => tf.Tensor): tf.Tensor {
    this.#result = withRecorder((...call) => this.#add(...call), f);
    if (!this.#known.has(this.#result)) throw new UnknownTensor();
    return this.#result;
  }

  #add(name: string, inputs: Inputs, attributes: Attributes, made: Outputs): void {
    const gradient = gradientOf(name);
    const outputs = [made].flat();
    for (const output of outputs) this.#known.add(output);
    const isKnown = Object.values(inputs).every((input) => this.#known.has(input));
    if (!isKnown || !gradient) throw new UnknownTensor(name);
    const saved = [
      ...gradient.inputs.map((input) => inputs[input]),
      ...outputs.filter((_, i) => gradient.outputs?.[i]),
    ].map((tensor) => this.#save(tensor));
    this.#nodes.push({ name, inputs, attributes, outputs, isList: Array.isArray(made), saved });
  }

  /** Keeps a tensor until the way back has passed; data that were given may be freed before that. */
  #save(tensor: tf.Tensor): tf.Tensor {
    if (tensor instanceof tf.Variable) return tensor;
    const saved = this.#inputs.has(tensor) ? tf.clone(tensor) : tensor;
    this.#needed.set(tf.keep(saved), (this.#needed.get(saved) ?? 0) + 1);
    return saved;
  }

  /**
   * Walks back, from ∂L/∂result to the gradients of all variables. Those of other inputs are computed
   * only when they are asked for.
   */
  gradients(dy: tf.Tensor): Record<string, () => tf.Tensor> {
    const gradients = new Gradients(dy);
    gradients.add(this.#result!, dy);
    const ofInputs: Record<string, () => tf.Tensor> = {};
    for (let node = this.#nodes.pop(); node; node = this.#nodes.pop()) {
      this.#walkBack(node, gradients, ofInputs);
    }
    for (const [input, i] of this.#inputs) {
      const sum = gradients.take(input);
      ofInputs[i] ??= sum ? () => sum : () => tf.zerosLike(input);
    }
    return ofInputs;
  }

  #walkBack(node: Node, sums: Gradients, ofInputs: Record<string, () => tf.Tensor>): void {
    const { name, inputs, attributes, outputs, isList, saved } = node;
    const dys = outputs.map((output) => sums.take(output));
    if (dys.every((dy) => dy === undefined)) return this.#release(saved);
    let isPutOff = false;
    const found = tf.tidy(() => {
      const dy = isList ? dys as tf.Tensor[] : dys[0]!;
      const of = gradientOf(name)!.of(dy, saved, attributes);
      const wanted: [tf.Tensor, tf.Tensor][] = [];
      for (const [key, input] of Object.entries(inputs)) {
        const i = this.#inputs.get(input);
        if (i === undefined || input instanceof tf.Variable) {
          wanted.push([input, of[key]()]);
        } else {
          isPutOff = true;
          const before = ofInputs[i];
          ofInputs[i] = before ? () => tf.add(before(), of[key]()) : of[key];
        }
      }
      return wanted;
    });
    for (const [input, gradient] of found) sums.add(input, gradient);
    if (isPutOff) return; // tfjs frees its tensors with all others
    for (const dy of dys) if (dy) sums.release(dy);
    this.#release(saved);
  }

  #release(saved: tf.Tensor[]): void {
    for (const tensor of saved) {
      const uses = this.#needed.get(tensor);
      if (uses === undefined) continue; // a variable
      this.#needed.set(tensor, uses - 1);
      if (uses > 1) continue;
      this.#needed.delete(tensor);
      if (tensor !== this.#result) tensor.dispose();
    }
  }

  /** Frees what the gradients would have needed. */
  dispose(): void {
    for (const tensor of this.#needed.keys()) if (tensor !== this.#result) tensor.dispose();
    this.#needed.clear();
  }
}

/** The gradients on the way back, each the sum over all that its tensor went into. */
class Gradients {
  readonly #sums = new Map<tf.Tensor, tf.Tensor>();
  /** How many sums a gradient is; one that belongs to somebody else is never freed. */
  readonly #uses: Map<tf.Tensor, number>;

  constructor(given: tf.Tensor) {
    this.#uses = new Map([[given, Infinity]]);
  }

  add(tensor: tf.Tensor, gradient: tf.Tensor): void {
    const before = this.#sums.get(tensor);
    if (before) {
      this.#set(tensor, runOperation(ADD, { a: before, b: gradient }));
      this.release(before);
      if (!this.#uses.has(gradient)) gradient.dispose();
    } else {
      this.#set(tensor, gradient);
    }
  }

  /** The gradient of a tensor; `release` it after use. */
  take(tensor: tf.Tensor): tf.Tensor | undefined {
    const gradient = this.#sums.get(tensor);
    this.#sums.delete(tensor);
    return gradient;
  }

  release(gradient: tf.Tensor): void {
    const others = this.#uses.get(gradient)! - 1;
    this.#uses.set(gradient, others);
    if (others > 0) return;
    this.#uses.delete(gradient);
    gradient.dispose();
  }

  #set(tensor: tf.Tensor, gradient: tf.Tensor): void {
    this.#sums.set(tensor, gradient);
    this.#uses.set(gradient, (this.#uses.get(gradient) ?? 0) + 1);
  }
}
