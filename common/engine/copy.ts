/**
 * Copies of tensors that later changes do not reach.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/**
 * A tensor with numbers of its own, which the caller disposes of: the optimizer changes variables in
 * place, and a clone would change with them.
 */
export function copyOf(tensor: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.add(tensor, tf.zerosLike(tensor)));
}
