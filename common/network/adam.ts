/**
 * The optimizer of both papers: Adam (Kingma & Ba 2015), with the gradient's norm clipped and a
 * moving average of the weights kept on the side.
 *
 * All parameters are treated as one long vector, so that a step costs a few kernels however many
 * parameters there are.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { copyOf } from "./parameters.ts";

/** Named parameters of a model. */
type NamedVariables = Map<string, tf.Variable>;

/** The numbers of one step. */
export interface AdamStep {
  /** α. */
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Number of this step, from 1. */
  step: number;
  /** Largest norm of the whole gradient; longer ones are shortened to it. Infinity: no limit. */
  clipNorm: number;
  /** Decay of the moving average of the weights for this step. */
  emaDecay: number;
}

/** The flat vectors of an optimizer, each [P]. */
export interface FlatVectors {
  weights: tf.Variable<tf.Rank.R1>;
  gradient: tf.Variable<tf.Rank.R1>;
  m: tf.Variable<tf.Rank.R1>;
  v: tf.Variable<tf.Rank.R1>;
  ema: tf.Variable<tf.Rank.R1>;
}

/** What a backend does on flat vectors; all of it changes its target in place. */
export interface FlatOperations {
  /** Copies the parts, one behind the other, into the flat vector. */
  gather(parts: tf.Tensor[], flat: tf.Variable): void;
  /** Copies the flat vector back into the parts. */
  scatter(flat: tf.Variable, parts: tf.Variable[]): void;
  /** One Adam step on the vectors, and the moving average. */
  step(vectors: FlatVectors, numbers: AdamStep): void;
}

const implementations = new Map<string, FlatOperations>();

/** Gives a backend its own {@linkcode FlatOperations}. */
export function useFlatOperations(backendName: string, operations: FlatOperations): void {
  implementations.set(backendName, operations);
}

/** The same in plain `tf` operations: the definition, and the fallback. */
export const composedFlatOperations: FlatOperations = {
  gather: (parts, flat) =>
    tf.tidy(() => flat.assign(tf.concat(parts.map((part) => tf.reshape(part, [-1]))))),
  scatter: (flat, parts) =>
    tf.tidy(() => {
      let from = 0;
      for (const part of parts) {
        part.assign(tf.reshape(tf.slice(flat, from, part.size), part.shape));
        from += part.size;
      }
    }),
  step: ({ weights, gradient, m, v, ema }, numbers) =>
    tf.tidy(() => {
      const { learningRate, beta1, beta2, epsilon, step, clipNorm, emaDecay } = numbers;
      // g ← g·min(1, c/‖g‖)
      const norm = tf.sqrt(tf.sum(tf.square(gradient)));
      const g = tf.mul(gradient, tf.minimum(1, tf.div(clipNorm, norm)));
      // mₜ = β₁·mₜ₋₁ + (1 − β₁)·g,  vₜ = β₂·vₜ₋₁ + (1 − β₂)·g²   (Kingma & Ba 2015, Algorithm 1)
      m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
      v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)));
      // θₜ = θₜ₋₁ − α·m̂/(√v̂ + ε) with m̂ = mₜ/(1 − β₁ᵗ), v̂ = vₜ/(1 − β₂ᵗ)
      const mHat = tf.div(m, 1 - beta1 ** step);
      const vHat = tf.div(v, 1 - beta2 ** step);
      const change = tf.div(tf.mul(mHat, learningRate), tf.add(tf.sqrt(vHat), epsilon));
      weights.assign(tf.sub(weights, change));
      ema.assign(tf.add(tf.mul(ema, emaDecay), tf.mul(weights, 1 - emaDecay)));
    }),
};

/** Settings of an {@linkcode Adam}. */
export interface AdamOptions {
  /** Decay of the mean of gradients; 0.9 by default. */
  beta1?: number;
  /** Decay of the mean of squared gradients; 0.999 by default. */
  beta2?: number;
  /** Keeps the division finite; 1e-8 by default. */
  epsilon?: number;
  /** Largest norm of the whole gradient; no limit by default. */
  clipNorm?: number;
  /**
   * Decay of the moving average of the weights, 0.999 by default. Early on it is at most
   * (1 + step)/(10 + step), so that the random first weights are soon forgotten.
   */
  emaDecay?: number;
}

/** Adam on a model's parameters. Make it after the model's weights are loaded. */
export class Adam {
  readonly #parameters: NamedVariables;
  readonly #options: Required<AdamOptions>;
  readonly #vectors: FlatVectors;
  #steps = 0;

  constructor(parameters: NamedVariables, options: AdamOptions = {}) {
    this.#parameters = parameters;
    const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clipNorm: Infinity };
    this.#options = { ...defaults, emaDecay: 0.999, ...options };
    const size = this.#variables.reduce((sum, variable) => sum + variable.size, 0);
    const vector = () => tf.tidy(() => tf.variable(tf.zeros([size]), false)) as FlatVectors["m"];
    this.#vectors = {
      weights: vector(),
      gradient: vector(),
      m: vector(),
      v: vector(),
      ema: vector(),
    };
    this.#operations.gather(this.#variables, this.#vectors.weights);
    this.#operations.gather(this.#variables, this.#vectors.ema);
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Moves the parameters against the gradients, which must have one entry for each of them. */
  step(gradients: Map<string, tf.Tensor>, learningRate: number): void {
    this.#steps++;
    const { emaDecay, ...options } = this.#options;
    const parts = [...this.#parameters.keys()].map((name) => gradients.get(name)!);
    this.#operations.gather(parts, this.#vectors.gradient);
    this.#operations.step(this.#vectors, {
      ...options,
      learningRate,
      step: this.#steps,
      emaDecay: Math.min(emaDecay, (1 + this.#steps) / (10 + this.#steps)),
    });
    this.#operations.scatter(this.#vectors.weights, this.#variables);
  }

  /** Runs `use` with the averaged weights in the model, then puts the current ones back. */
  async withAverages<T>(use: () => T | Promise<T>): Promise<T> {
    this.#operations.scatter(this.#vectors.ema, this.#variables);
    try {
      return await use();
    } finally {
      this.#operations.scatter(this.#vectors.weights, this.#variables);
    }
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
      this.#operations.gather([vector], this.#vectors[name]);
    }
    this.#operations.gather(this.#variables, this.#vectors.weights);
    this.#steps = (await state.get("adam.steps")!.data())[0];
  }

  /** Frees the vectors; the model's parameters stay. */
  dispose(): void {
    tf.dispose(Object.values(this.#vectors));
  }

  get #variables(): tf.Variable[] {
    return [...this.#parameters.values()];
  }

  get #operations(): FlatOperations {
    return implementations.get(tf.getBackend()) ?? composedFlatOperations;
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
