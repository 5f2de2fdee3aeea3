/**
 * Weights for the models in tests.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** The reference files' formula for weights and inputs: the tensor with this shape and ordinal. */
export function formula(shape: number[], ordinal: number, scale = 1): tf.Tensor {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => {
    const x = i * 0.6180339887498949 + ordinal * 0.7548776662466927;
    return scale * 2 * (x - Math.floor(x) - 0.5);
  });
  return tf.tensor(values, shape);
}

/** The weights with a wave added, so that none is 0: a new network predicts 0 whatever it sees. */
export function stirred(weights: Map<string, tf.Tensor>): Map<string, tf.Tensor> {
  let ordinal = 0;
  return new Map([...weights].map(([name, weight]) => {
    const wave = tf.sin(tf.add(tf.mul(tf.range(0, weight.size), 1.7), ordinal++));
    return [name, tf.add(weight, tf.mul(0.1, tf.reshape(wave, weight.shape)))];
  }));
}
