/**
 * Reading a tensor's numbers in order to show them: without a new tensor, and without a change in what
 * the run computes.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

/** A tensor's numbers; booleans are 0 and 1. */
export type Numbers = Float32Array | Int32Array | Uint8Array;
/** What a tensor holds: numbers or words. */
export type Values = Numbers | string[];

/** Whether it is not a tensor of words. */
export function isNumbers(values: Values): values is Numbers {
  return !Array.isArray(values);
}

const DTYPES = { float32: "f32", int32: "i32", bool: "bool", complex64: "c64", string: "str" };

/** Type and shape: `f32[64,32,32,1]`. */
export function shapeName({ dtype, shape }: tf.Tensor): string {
  return `${DTYPES[dtype]}[${shape}]`;
}

/** The name of the backend that holds the tensor's values; it need not be the active one. */
export function backendOf(tensor: tf.Tensor): string {
  const { registry } = tf.engine();
  const holder = holderOf(tensor);
  return Object.keys(registry).find((name) => registry[name] === holder) ?? "no backend";
}

/**
 * The tensor's values if they can be had without waiting: always on WASM and on the CPU; on WebGPU
 * only as long as tfjs keeps them in the host's memory as well.
 */
export function valuesNow(tensor: tf.Tensor): Values | undefined {
  const onGpu = holderOf(tensor) === tf.engine().registry["webgpu"];
  if (onGpu && tensor.dtype !== "string" && !deviceData(tensor).values) return undefined;
  return tensor.dataSync() as Values;
}

/**
 * The values of a tensor on WebGPU. They are copied at the moment of the call, so the tensor may be
 * disposed of or overwritten while one waits.
 *
 * Not by way of `tensor.data()`: that fails when the tensor is gone before the values arrive, and tfjs
 * would keep them for the tensor's own although it may have changed meanwhile.
 */
export async function valuesLater(tensor: tf.Tensor): Promise<Values> {
  const { backend, resource } = deviceData(tensor);
  const bytes = await backend.getBufferData(resource as GPUBuffer);
  return tf.util.convertBackendValuesAndArrayBuffer(bytes, tensor.dtype) as Values;
}

function holderOf(tensor: tf.Tensor) {
  return tf.engine().state.tensorInfo.get(tensor.dataId)?.backend;
}

/** What the WebGPU backend knows of a tensor. */
function deviceData(tensor: tf.Tensor) {
  const backend = holderOf(tensor) as unknown as WebGPUBackend;
  const { values, resource } = backend.tensorMap.get(tensor.dataId);
  return { backend, values, resource };
}
