/**
 * The trainable numbers of a network under the names and in the layouts of its PyTorch original.
 *
 * In memory a weight has the layout that the operations want; `load` and `stateDict` convert it, so
 * that a model file written here loads into PyTorch and the other way round.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { copyOf } from "../engine/copy.ts";
import { UserError } from "../user_error.ts";

/**
 * How PyTorch keeps a weight: `convolution` [k,k,I,O] here and [O,I,k,k] there, `linear` [I,O] and
 * [O,I], `channels` [C] and [1,C,1,1]; `same` needs no turning.
 */
export type Layout = "convolution" | "linear" | "channels" | "same";

/** A variable, and where its numbers lie in a model file. */
interface Entry {
  variable: tf.Variable;
  layout: Layout;
  /** The name in the file; of a stack, the name of each row. */
  names: string[];
  isStack: boolean;
}

/** Named variables, each with its layout. */
export class Parameters {
  /** The variables by name, in the order they were added. */
  readonly variables: Map<string, tf.Variable> = new Map();
  readonly #entries: Entry[] = [];

  /**
   * Adds a variable of the given shape (as the operations want it) and returns it.
   *
   * @param options.fileName Its name in a model file. Default: the same.
   */
  add<T extends tf.Tensor>(
    name: string,
    shape: number[],
    values: Float32Array,
    { layout = "same", fileName = name }: { layout?: Layout; fileName?: string } = {},
  ): T {
    return this.#add<T>(name, shape, values, { layout, names: [fileName], isStack: false });
  }

  /**
   * Adds a variable [N, ...] that is N weights of the same shape, each with a name of its own in a model
   * file.
   *
   * @param options.fileName The name of row i.
   */
  addStack<T extends tf.Tensor>(
    name: string,
    shape: number[],
    values: Float32Array,
    { layout = "same", fileName }: { layout?: Layout; fileName: (row: number) => string },
  ): T {
    const names = Array.from({ length: shape[0] }, (_, row) => fileName(row));
    return this.#add<T>(name, shape, values, { layout, names, isStack: true });
  }

  /**
   * Sets every variable from tensors with PyTorch's names and layouts, which stay the caller's.
   *
   * @param options.keeps Which names may be missing: what they stand for keeps its numbers. Default: none.
   * @throws {UserError} A name is missing, unknown, or has another shape or type: lists them all.
   */
  load(
    tensors: Map<string, tf.Tensor>,
    { keeps = () => false }: { keeps?: (name: string) => boolean } = {},
  ): void {
    const faults = this.#faults(tensors, keeps);
    if (faults.length > 0) {
      throw new UserError(
        `the weights are not those of this network: ${faults.slice(0, 5).join("; ")}` +
          (faults.length > 5 ? `; and ${faults.length - 5} more` : ""),
        { exitCode: 2 },
      );
    }
    tf.tidy(() => {
      for (const entry of this.#entries) {
        const { variable, layout, names, isStack } = entry;
        const rows = names.map((name, row) => {
          const given = tensors.get(name);
          return given ? fromTorch(given, layout) : rowOf(entry, row);
        });
        variable.assign(copyOf(isStack ? tf.stack(rows) : rows[0]));
      }
    });
  }

  /** Copies of all variables with PyTorch's names and layouts; the caller disposes of them. */
  stateDict(): Map<string, tf.Tensor> {
    const tensors = new Map<string, tf.Tensor>();
    for (const entry of this.#entries) {
      entry.names.forEach((name, row) =>
        tensors.set(name, tf.tidy(() => copyOf(toTorch(rowOf(entry, row), entry.layout))))
      );
    }
    return tensors;
  }

  /** Frees all variables. */
  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }

  #add<T extends tf.Tensor>(
    name: string,
    shape: number[],
    values: Float32Array,
    entry: Omit<Entry, "variable">,
  ): T {
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, shape)));
    this.variables.set(name, variable);
    this.#entries.push({ ...entry, variable });
    return variable as unknown as T;
  }

  #faults(tensors: Map<string, tf.Tensor>, keeps: (name: string) => boolean): string[] {
    const faults: string[] = [];
    const known = new Set<string>();
    for (const { variable, layout, names, isStack } of this.#entries) {
      const wanted = torchShape(isStack ? variable.shape.slice(1) : variable.shape, layout);
      for (const name of names) {
        known.add(name);
        const given = tensors.get(name);
        if (!given) {
          if (!keeps(name)) faults.push(`${name} is missing`);
        } else if (String(given.shape) !== String(wanted)) {
          faults.push(`${name} is [${given.shape}] instead of [${wanted}]`);
        } else if (given.dtype !== "float32") {
          faults.push(`${name} holds whole numbers instead of floating-point ones (F32)`);
        }
      }
    }
    for (const name of tensors.keys()) {
      if (!known.has(name)) faults.push(`${name} is unknown`);
    }
    return faults;
  }
}

/** A row of a stack, or the variable itself where it is none. */
function rowOf({ variable, isStack }: Entry, row: number): tf.Tensor {
  if (!isStack) return variable;
  const rest = variable.shape.slice(1);
  return tf.reshape(tf.slice(variable, [row, ...rest.map(() => 0)], [1, ...rest]), rest);
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
