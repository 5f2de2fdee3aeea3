/**
 * A small convolutional network that tells digits apart. It is not part of any paper: it is the ruler
 * that samples are measured with. Trained on real digits, it says which digit a sample is taken for
 * and how surely, and its last hidden layer gives the features whose statistics are compared.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { convolution, dense } from "./layers.ts";
import { silu } from "../engine/ops/silu.ts";
import { Parameters } from "./parameters.ts";

/** The digits. */
export const CLASSES = 10;

/** D, the number of features of an image. */
export const FEATURES = 64;

/** Images that pass through the network at once while measuring. */
const CHUNK = 250;

/** What the classifier says about N images. */
export interface Classification {
  /** The most probable class of each, [N]. */
  label: Int32Array<ArrayBuffer>;
  /** The probability it is given, [N]. */
  confidence: Float32Array<ArrayBuffer>;
  /** The last hidden layer, [N, FEATURES]. */
  features: Float32Array<ArrayBuffer>;
}

/** The network with its weights. Its images have one size, the one it was made for. */
export class DigitClassifier {
  readonly #parameters = new Parameters();
  readonly #shape: [number, number, number];
  readonly #hidden: (x: tf.Tensor4D) => tf.Tensor2D;
  readonly #output: (features: tf.Tensor2D) => tf.Tensor2D;

  /** An untrained network for images of this size; the seed decides its initial weights. */
  constructor(options: { height: number; width: number; channels: number; seed: number }) {
    const { height, width, channels, seed } = options;
    const weights = { parameters: this.#parameters, seed };
    // from 24 pixels on, the first convolution halves the image: strokes are wide enough
    const stride = Math.min(height, width) >= 24 ? 2 : 1;
    const rest = (side: number) => Math.ceil(side / (4 * stride));
    const flat = rest(height) * rest(width) * 64;
    const conv1 = convolution("conv1", channels, 16, { ...weights, stride });
    const conv2 = convolution("conv2", 16, 32, { ...weights, stride: 2 });
    const conv3 = convolution("conv3", 32, 64, { ...weights, stride: 2 });
    const hidden = dense("hidden", flat, FEATURES, weights);
    this.#shape = [height, width, channels];
    this.#hidden = (x) => {
      const h1 = silu(conv1(x)); // [N, H/s, W/s, 16]
      const h2 = silu(conv2(h1)); // [N, H/2s, W/2s, 32]
      const h3 = silu(conv3(h2)); // [N, H/4s, W/4s, 64]
      return silu(hidden(tf.reshape(h3, [x.shape[0], flat]))); // [N, FEATURES]
    };
    this.#output = dense("output", FEATURES, CLASSES, weights);
  }

  /** The trainable weights. */
  get parameters(): Map<string, tf.Variable> {
    return this.#parameters.variables;
  }

  /**
   * The unnormalized log probabilities of the classes.
   *
   * @param x [N, H, W, C] in [-1, 1].
   * @returns [N, 10].
   */
  logits(x: tf.Tensor4D): tf.Tensor2D {
    return this.#output(this.#hidden(x));
  }

  /**
   * What the images are taken for.
   *
   * @param images [N, H, W, C] in [-1, 1], in the size the classifier was made for.
   * @throws {RangeError} The numbers do not make whole images.
   */
  async classify(images: Float32Array): Promise<Classification> {
    const size = this.#shape.reduce((product, side) => product * side, 1);
    const count = images.length / size;
    if (!Number.isInteger(count)) {
      throw new RangeError(
        `classify: ${images.length} numbers; expected a multiple of ${this.#shape.join("·")}`,
      );
    }
    const result: Classification = {
      label: new Int32Array(count),
      confidence: new Float32Array(count),
      features: new Float32Array(count * FEATURES),
    };
    for (let from = 0; from < count; from += CHUNK) {
      const chunk = images.subarray(from * size, (from + CHUNK) * size);
      const { features, probabilities } = await this.#measure(chunk, chunk.length / size);
      result.features.set(features, from * FEATURES);
      for (let k = 0; k < chunk.length / size; k++) {
        const p = probabilities.subarray(k * CLASSES, (k + 1) * CLASSES);
        const best = p.reduce((best, value, label) => value > p[best] ? label : best, 0);
        result.label[from + k] = best;
        result.confidence[from + k] = p[best];
      }
    }
    return result;
  }

  /** Frees the weights. */
  dispose(): void {
    this.#parameters.dispose();
  }

  async #measure(images: Float32Array, count: number): Promise<Record<string, Float32Array>> {
    const [hidden, softmax] = tf.tidy(() => {
      const features = this.#hidden(tf.tensor(images, [count, ...this.#shape]));
      return [features, tf.softmax(this.#output(features))];
    });
    const features = await hidden.data<"float32">();
    const probabilities = await softmax.data<"float32">();
    tf.dispose([hidden, softmax]);
    return { features, probabilities };
  }
}
