/**
 * The trainable numbers of a network under the names and in the layouts of its PyTorch original.
 *
 * Inside, a weight lies as the operations want it; `load` and `stateDict` turn it round, so that a
 * model file written here loads into PyTorch and the other way round.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { UserError } from "../user_error.ts";

/**
 * How PyTorch keeps a weight: `convolution` [k,k,I,O] here and [O,I,k,k] there, `linear` [I,O] and
 * [O,I], `channels` [C] and [1,C,1,1]; `same` needs no turning.
 */
export type Layout = "convolution" | "linear" | "channels" | "same";

/** Named variables, each with its layout. */
export class Parameters {
  /** The variables by name, in the order they were added. */
  readonly variables: Map<string, tf.Variable> = new Map();
  readonly #layouts = new Map<string, Layout>();

  /** Adds a variable of the given shape (as the operations want it) and returns it. */
  add<T extends tf.Tensor>(
    name: string,
    shape: number[],
    values: Float32Array,
    layout: Layout = "same",
  ): T {
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, shape)));
    this.variables.set(name, variable);
    this.#layouts.set(name, layout);
    return variable as unknown as T;
  }

  /**
   * Sets every variable from tensors with PyTorch's names and layouts, which stay the caller's.
   *
   * @throws {UserError} A name is missing, unknown, or has another shape: lists them all.
   */
  load(tensors: Map<string, tf.Tensor>): void {
    const faults = this.#faults(tensors);
    if (faults.length > 0) {
      throw new UserError(
        `the weights are not those of this network: ${faults.slice(0, 5).join("; ")}` +
          (faults.length > 5 ? `; and ${faults.length - 5} more` : ""),
        { exitCode: 2 },
      );
    }
    tf.tidy(() => {
      for (const [name, variable] of this.variables) {
        variable.assign(copyOf(fromTorch(tensors.get(name)!, this.#layouts.get(name)!)));
      }
    });
  }

  /** Copies of all variables with PyTorch's names and layouts; the caller disposes of them. */
  stateDict(): Map<string, tf.Tensor> {
    const tensors = new Map<string, tf.Tensor>();
    for (const [name, variable] of this.variables) {
      tensors.set(name, tf.tidy(() => copyOf(toTorch(variable, this.#layouts.get(name)!))));
    }
    return tensors;
  }

  /** Frees all variables. */
  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }

  #faults(tensors: Map<string, tf.Tensor>): string[] {
    const faults: string[] = [];
    for (const [name, variable] of this.variables) {
      const wanted = torchShape(variable.shape, this.#layouts.get(name)!);
      const given = tensors.get(name);
      if (!given) faults.push(`${name} is missing`);
      else if (String(given.shape) !== String(wanted)) {
        faults.push(`${name} is [${given.shape}] instead of [${wanted}]`);
      }
    }
    for (const name of tensors.keys()) {
      if (!this.variables.has(name)) faults.push(`${name} is unknown`);
    }
    return faults;
  }
}

function torchShape(shape: number[], layout: Layout): number[] {
  if (layout === "convolution") return [shape[3], shape[2], shape[0], shape[1]];
  if (layout === "linear") return [shape[1], shape[0]];
  if (layout === "channels") return [1, shape[0], 1, 1];
  return shape;
}

function toTorch(tensor: tf.Tensor, layout: Layout): tf.Tensor {
  if (layout === "convolution") return tf.transpose(tensor, [3, 2, 0, 1]);
  if (layout === "linear") return tf.transpose(tensor, [1, 0]);
  return tf.reshape(tensor, torchShape(tensor.shape, layout));
}

function fromTorch(tensor: tf.Tensor, layout: Layout): tf.Tensor {
  if (layout === "convolution") return tf.transpose(tensor, [2, 3, 1, 0]);
  if (layout === "linear") return tf.transpose(tensor, [1, 0]);
  if (layout === "channels") return tf.reshape(tensor, [-1]);
  return tensor;
}

/**
 * A tensor with numbers of its own: the optimizer changes variables in place, and a clone would see
 * it.
 */
export function copyOf(tensor: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.add(tensor, tf.zerosLike(tensor)));
}
