/**
 * Starting the WebGPU backend with the project's kernels.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { useFlatOperations } from "../flat.ts";
import { type Adapter, findAdapter, requestDevice } from "./adapter.ts";
import { DeviceFault, deviceFault, watchDevice } from "./faults.ts";
import { adamStep, gatherFlat, scatterFlat } from "./flat.ts";
import { registerWebgpuKernels } from "./register.ts";

let started = false;

/**
 * Makes WebGPU tfjs's active backend.
 *
 * @param adapter Which one. Default: the machine's.
 * @throws {DeviceFault} There is no adapter, or it gives no device.
 */
export async function startWebgpu(adapter?: Adapter): Promise<void> {
  if (!started || deviceFault()) await makeBackend(adapter ?? await findAdapter());
  if (!await tf.setBackend("webgpu")) throw new DeviceFault("TensorFlow.js cannot use the GPU");
  registerWebgpuKernels();
  useFlatOperations("webgpu", { gather: gatherFlat, scatter: scatterFlat, step: adamStep });
}

/** A backend on a device of one's own: tfjs would keep to itself why it gets none, and what it does. */
async function makeBackend(adapter: Adapter | undefined): Promise<void> {
  if (!adapter) throw new DeviceFault("this machine has no WebGPU adapter");
  const device = await requestDevice(adapter).catch(({ message }) => {
    throw new DeviceFault(`the GPU gives no device (${String(message).split("\n")[0]})`);
  });
  // imported only now: tfjs would otherwise take it for the default of programs that never ask
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  if (tf.engine().registryFactory.webgpu) tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => new WebGPUBackend(device, adapter.gpu.info));
  watchDevice(device);
  started = true;
}
