/**
 * The optimizer of all papers: Adam (Kingma & Ba 2015), with the gradient's norm clipped and a moving
 * average of the weights kept on the side.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { copyOf } from "../engine/copy.ts";
import { flatOperations, type FlatVectors } from "../engine/flat.ts";

/** Named parameters of a model. */
export type NamedVariables = Map<string, tf.Variable>;

/** Settings of an {@linkcode Adam}. */
export interface AdamOptions {
  /** Largest norm of the whole gradient; longer ones are shortened to it. Default: no limit. */
  clipNorm?: number;
  /**
   * Decay of the moving average of the weights. Default: 0.999. Early on it is at most
   * (1 + step)/(10 + step), so that the random first weights are soon forgotten.
   */
  emaDecay?: number;
}

/** β₁, β₂ and ε as Kingma & Ba suggest them (2015, Algorithm 1). */
const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/**
 * Adam on a model's parameters. Make it after the model's weights are loaded.
 *
 * @example One step downhill
 * ```ts
 * import { Adam, valueAndGradients } from "./adam.ts";
 * import { assert } from "@std/assert";
 * import * as tf from "@tensorflow/tfjs";
 *
 * const x = tf.variable(tf.scalar(3));
 * const parameters = new Map([["x", x as tf.Variable]]);
 * const adam = new Adam(parameters);
 *
 * const { value, gradients } = valueAndGradients(parameters, () => tf.square(x));
 * adam.step(gradients, 0.1);
 *
 * const [after] = await x.data();
 * assert(Math.abs(after - 2.9) < 1e-5); // the first step is as long as the learning rate
 * tf.dispose([value, x, ...gradients.values()]);
 * adam.dispose();
 * ```
 */
export class Adam {
  readonly #parameters: NamedVariables;
  readonly #options: Required<AdamOptions>;
  readonly #vectors: FlatVectors;
  #steps = 0;

  /** Takes the weights that the model has now; {@linkcode Adam.dispose} frees the vectors. */
  constructor(parameters: NamedVariables, options: AdamOptions = {}) {
    this.#parameters = parameters;
    this.#options = { clipNorm: Infinity, emaDecay: 0.999, ...options };
    const size = this.#variables.reduce((sum, variable) => sum + variable.size, 0);
    const vector = () => tf.tidy(() => tf.variable(tf.zeros([size]), false)) as FlatVectors["m"];
    this.#vectors = {
      weights: vector(),
      gradient: vector(),
      m: vector(),
      v: vector(),
      ema: vector(),
    };
    flatOperations().gather(this.#variables, this.#vectors.weights);
    flatOperations().gather(this.#variables, this.#vectors.ema);
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Moves the parameters against the gradients, which must have one entry for each of them. */
  step(gradients: Map<string, tf.Tensor>, learningRate: number): void {
    this.#steps++;
    const { emaDecay, clipNorm } = this.#options;
    const parts = [...this.#parameters.keys()].map((name) => gradients.get(name)!);
    flatOperations().gather(parts, this.#vectors.gradient);
    flatOperations().step(this.#vectors, {
      ...{ learningRate, beta1: BETA_1, beta2: BETA_2, epsilon: EPSILON, clipNorm },
      step: this.#steps,
      emaDecay: Math.min(emaDecay, (1 + this.#steps) / (10 + this.#steps)),
    });
    flatOperations().scatter(this.#vectors.weights, this.#variables);
  }

  /** Runs `use` with the averaged weights in the model, then puts the current ones back. */
  async withAverages<T>(use: () => T | Promise<T>): Promise<T> {
    flatOperations().scatter(this.#vectors.ema, this.#variables);
    try {
      return await use();
    } finally {
      flatOperations().scatter(this.#vectors.weights, this.#variables);
    }
  }

  /** Goes on from the averaged weights, in the model and here. */
  moveToAverages(): void {
    flatOperations().scatter(this.#vectors.ema, this.#variables);
    flatOperations().gather(this.#variables, this.#vectors.weights);
  }

  /** What a resumed run needs: copies of m, v, the averaged weights, and the step. */
  stateDict(): Map<string, tf.Tensor> {
    const { m, v, ema } = this.#vectors;
    return new Map<string, tf.Tensor>([
      ["adam.m", copyOf(m)],
      ["adam.v", copyOf(v)],
      ["adam.ema", copyOf(ema)],
      ["adam.steps", tf.tensor1d([this.#steps], "int32")],
    ]);
  }

  /**
   * Takes over a state; the weights are those now in the model.
   *
   * @throws {Error} When a vector is missing or of another length.
   */
  async load(state: Map<string, tf.Tensor>): Promise<void> {
    for (const name of ["m", "v", "ema"] as const) {
      const vector = state.get(`adam.${name}`);
      const expected = this.#vectors[name].size;
      if (vector?.size !== expected) {
        throw new Error(`adam.${name} has ${vector?.size ?? "no"} numbers; expected ${expected}`);
      }
      flatOperations().gather([vector], this.#vectors[name]);
    }
    flatOperations().gather(this.#variables, this.#vectors.weights);
    this.#steps = (await state.get("adam.steps")!.data())[0];
  }

  /** Frees the vectors; the model's parameters stay. */
  dispose(): void {
    tf.dispose(Object.values(this.#vectors));
  }

  get #variables(): tf.Variable[] {
    return [...this.#parameters.values()];
  }
}

/**
 * A loss and its gradients with respect to the parameters; the caller disposes of both.
 *
 * @param loss Computes the scalar loss from the parameters.
 */
export function valueAndGradients(
  parameters: NamedVariables,
  loss: () => tf.Scalar,
): { value: tf.Scalar; gradients: Map<string, tf.Tensor> } {
  const variables = [...parameters.values()];
  const { value, grads } = tf.variableGrads(loss, variables);
  const names = [...parameters.keys()];
  return { value, gradients: new Map(names.map((name, i) => [name, grads[variables[i].name]])) };
}

/** A network whose weights can be copied, and taken over from copies. */
export interface Network {
  /** Copies of the weights; the caller disposes of them. */
  stateDict(): Map<string, tf.Tensor>;
  /** Takes over such weights; the tensors stay the caller's. */
  load(tensors: Map<string, tf.Tensor>): void;
}

/** All that a training needs to go on from here: copies, which the caller disposes of. */
export function trainingState(network: Network, adam: Adam): Map<string, tf.Tensor> {
  return new Map([...network.stateDict(), ...adam.stateDict()]);
}

/** Brings network and optimizer to such a state; its tensors stay the caller's. */
export async function loadTrainingState(
  network: Network,
  adam: Adam,
  state: Map<string, tf.Tensor>,
): Promise<void> {
  network.load(new Map([...state].filter(([name]) => !name.startsWith("adam."))));
  await adam.load(state);
}
