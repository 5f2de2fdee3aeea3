/**
 * The optimizer's work on all parameters of a model at once: they lie in one long vector, so that a step
 * costs a few kernels however many parameters there are. Each backend may have its own.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** The numbers of one step. */
export interface AdamStep {
  /** α. */
  learningRate: number;
  /** Decay of the mean of gradients. */
  beta1: number;
  /** Decay of the mean of squared gradients. */
  beta2: number;
  /** Keeps the division finite. */
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
  /** The weights θ. */
  weights: tf.Variable<tf.Rank.R1>;
  /** Their gradient, as long as it is needed. */
  gradient: tf.Variable<tf.Rank.R1>;
  /** The running mean of the gradients. */
  m: tf.Variable<tf.Rank.R1>;
  /** The running mean of the squared gradients. */
  v: tf.Variable<tf.Rank.R1>;
  /** The moving average of the weights. */
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

/** The active backend's operations. */
export function flatOperations(): FlatOperations {
  return implementations.get(tf.getBackend()) ?? composedFlatOperations;
}

/** The operations in plain `tf`: the definition, and the fallback. */
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
