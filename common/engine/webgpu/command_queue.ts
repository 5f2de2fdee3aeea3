/**
 * TensorFlow.js's WebGPU backend from the inside: its tensors' buffers and its queue of commands. The
 * project's own work goes through that queue, too, so that it stays in order with tfjs's.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

/** What tfjs keeps private of its command queue. */
interface CommandQueue {
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  commandQueueOwnedIds: WeakSet<object>;
  dispatchCountInPass: number;
  uniformPendingDisposal: GPUBuffer[];
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The active backend; only called by kernels that are registered for "webgpu". */
export function webgpuBackend(): WebGPUBackend {
  return tf.backend() as unknown as WebGPUBackend;
}

/** tfjs's command queue; all reads and writes go through it, so that they stay in order. */
export function commandQueue(): CommandQueue {
  return webgpuBackend() as unknown as CommandQueue;
}

/** A new tensor on the device, its contents undefined until a dispatch writes them. */
export function allocate(shape: number[]): tf.TensorInfo {
  return webgpuBackend().makeTensorInfo(shape, "float32");
}

/** Frees a tensor that was needed only between two dispatches. */
export function release(tensor: tf.TensorInfo): void {
  webgpuBackend().disposeData(tensor.dataId);
}

/** The tensor's buffer, uploaded first if need be, and kept until the queue is submitted. */
export function deviceBuffer(tensor: tf.TensorInfo): GPUBuffer {
  const backend = webgpuBackend();
  backend.uploadToGPU(tensor.dataId as object);
  commandQueue().commandQueueOwnedIds.add(tensor.dataId as object);
  return backend.tensorMap.get(tensor.dataId as object).resource as GPUBuffer;
}

/** tfjs keeps what it once read of a tensor; after a change in place that is out of date. */
export function forgetHostCopy(tensor: tf.TensorInfo): void {
  webgpuBackend().tensorMap.get(tensor.dataId as object).values = null as never;
}
