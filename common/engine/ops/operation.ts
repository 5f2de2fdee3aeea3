/**
 * How the project adds an operation of its own to TensorFlow.js.
 *
 * An operation is a kernel (one function for each backend) and a gradient. Every operation comes
 * with a `composed` kernel written in plain `tf` operations: it says what is computed and runs on any
 * backend, and the tests compare the fast kernels of `common/engine/wasm` and `common/engine/webgpu`
 * with it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Settings of one call that are not tensors: strides, group counts, shapes. */
export type Attributes = Record<string, number | boolean | string | number[]>;

/** The tensors of one call by name. */
export type Inputs = Record<string, tf.Tensor>;

/** What one call gives. */
export type Outputs = tf.Tensor | tf.Tensor[];

/** Gradients with respect to an operation's inputs. */
export interface Gradient {
  /** Names of the inputs that the gradient reads again. */
  inputs: string[];
  /** Which outputs the gradient reads again. */
  outputs?: boolean[];
  /**
   * Lazily computed gradient of each input, given those of the outputs and what was saved. It may be
   * ∂L/∂output itself.
   */
  of: (
    dy: tf.Tensor | tf.Tensor[],
    saved: tf.Tensor[],
    attributes: Attributes,
  ) => Record<string, () => tf.Tensor>;
}

/** An operation as {@linkcode defineOperation} takes it. */
export interface Operation {
  /** The kernel's name in tfjs's registry. */
  name: string;
  /** The operation in plain `tf` operations: the definition. */
  composed: (inputs: Inputs, attributes: Attributes) => Outputs;
  /** Left out for operations that only serve a gradient. */
  gradient?: Gradient;
}

/** Takes notice of an operation: its name, inputs, attributes and outputs. */
export type Recorder = (
  name: string,
  inputs: Inputs,
  attributes: Attributes,
  outputs: Outputs,
) => void;

const BACKENDS = ["cpu", "wasm", "webgpu"];
const composedKernels = new Map<string, Operation["composed"]>();
const gradients = new Map<string, Gradient>();

/** Registers an operation: its composed kernel on every backend, and its gradient. */
export function defineOperation({ name, composed, gradient }: Operation): void {
  composedKernels.set(name, composed);
  for (const backendName of BACKENDS) replaceKernel(name, backendName, composedKernel(composed));
  if (!gradient) return;
  gradients.set(name, gradient);
  tf.registerGradient({
    kernelName: name,
    inputsToSave: gradient.inputs,
    outputsToSave: gradient.outputs,
    gradFunc: (dy, saved, attributes) => {
      const given = [dy].flat();
      // tfjs frees each gradient by itself: what goes through unchanged must be a tensor of its own
      const own = (g: tf.Tensor) => given.includes(g) ? tf.clone(g) : g;
      const ofInputs = Object.entries(gradient.of(dy, saved, attributes as Attributes));
      return Object.fromEntries(ofInputs.map(([input, of]) => [input, () => own(of())]));
    },
  });
}

/**
 * Gradients that one kernel gives together: computed at once, and again where one is asked for after it
 * was freed, as that of data may be.
 *
 * @param inputs The inputs that they belong to, in the kernel's order.
 */
export function together(
  inputs: string[],
  compute: () => tf.Tensor[],
): Record<string, () => tf.Tensor> {
  let gradients = compute();
  const gradient = (i: number) => {
    if (gradients[i].isDisposed) gradients = compute();
    return gradients[i];
  };
  return Object.fromEntries(inputs.map((input, i) => [input, () => gradient(i)]));
}

/** The gradient of an operation, if it has one. */
export function gradientOf(name: string): Gradient | undefined {
  return gradients.get(name);
}

/** Replaces a backend's kernel, composed or not, by another one. */
export function replaceKernel(
  kernelName: string,
  backendName: string,
  kernelFunc: tf.KernelFunc,
): void {
  if (tf.getKernel(kernelName, backendName)) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ kernelName, backendName, kernelFunc });
}

let composedOnly = false;

/**
 * Runs `f` with every operation in its composed form, differentiated by tfjs itself: what the same
 * model costs on TensorFlow.js as it is shipped. The benchmark's point of comparison.
 */
export async function withComposedOperations<T>(f: () => T | Promise<T>): Promise<T> {
  composedOnly = true;
  try {
    return await f();
  } finally {
    composedOnly = false;
  }
}

/** Whether {@linkcode withComposedOperations} is running: tfjs's own kernels are then left alone. */
export function onlyComposed(): boolean {
  return composedOnly;
}

let recorder: Recorder | undefined;

/** Runs `f` while `record` takes notice of every operation of the project. */
export function withRecorder<T>(record: Recorder | undefined, f: () => T): T {
  const before = recorder;
  recorder = record;
  try {
    return f();
  } finally {
    recorder = before;
  }
}

/** Runs an operation's kernel on the active backend; the gradient tape records it. */
export function runOperation<T extends Outputs>(
  name: string,
  inputs: Inputs,
  attributes: Attributes = {},
): T {
  if (composedOnly) return composedKernels.get(name)!(inputs, attributes) as T;
  if (!recorder) return tf.engine().runKernel(name, inputs, attributes) as T;
  // what a kernel is made of is its own business
  const outputs = withRecorder(undefined, () => tf.engine().runKernel(name, inputs, attributes));
  recorder(name, inputs, attributes, outputs);
  return outputs as T;
}

/** Runs the composed form whatever the backend: the reference of the tests and the benchmark. */
export function runComposed<T extends Outputs>(
  name: string,
  inputs: Inputs,
  attributes: Attributes = {},
): T {
  const composed = composedKernels.get(name);
  if (!composed) throw new Error(`there is no operation named ${name}`);
  return tf.tidy(() => composed(inputs, attributes)) as T;
}

function composedKernel(composed: Operation["composed"]): tf.KernelFunc {
  return ({ inputs, attrs }) =>
    tf.tidy(() => composed(inputs as unknown as Inputs, attrs as Attributes)) as tf.TensorInfo;
}
