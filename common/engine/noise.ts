/**
 * Gaussian noise as tensors.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Draw, normal } from "../random.ts";

/**
 * ε ~ N(0, I).
 *
 * @param draw Which random numbers: the same draw gives the same noise, and a draw of fewer images
 * the first of more.
 * @param shape Any; [B, H, W, C] for images.
 */
export function gaussianNoise<R extends tf.Rank>(draw: Draw, shape: tf.ShapeMap[R]): tf.Tensor<R> {
  return tf.tensor(normal(draw, tf.util.sizeFromShape(shape)), shape);
}
