/**
 * What goes wrong on a GPU while it computes. WebGPU tells of it late and on the side: the command itself
 * seems to succeed, and its result is undefined.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";

/** The device failed; nothing that was read from it since can be trusted. */
export class DeviceFault extends Error {
  override name = "DeviceFault";
}

/** How late a device may say that it has failed. */
const LATE_MS = 100;

/** The first fault of each device. */
const faults = new WeakMap<GPUDevice, DeviceFault>();
let current: { device: GPUDevice; failure: Promise<never> } | undefined;

/** Listens to a device from now on; it is the one that computes. */
export function watchDevice(device: GPUDevice): void {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // whoever waits for it hears of it; without anybody it is no error
  const note = (message: string) => {
    if (faults.has(device)) return; // what follows is a consequence
    const fault = new DeviceFault(message);
    faults.set(device, fault);
    reject(fault);
  };
  device.lost.then(({ reason, message }) => note(`the GPU was lost (${reason}: ${message})`));
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault?.();
    note(inWords((event as GPUUncapturedErrorEvent).error));
  });
  current = { device, failure: promise };
}

/** The fault of the device that was watched last, or undefined. */
export function deviceFault(): DeviceFault | undefined {
  return current && faults.get(current.device);
}

/** @throws {DeviceFault} WebGPU is the active backend, and its device has failed. */
export function throwDeviceFault(): void {
  const fault = tf.getBackend() === "webgpu" ? deviceFault() : undefined;
  if (fault) throw fault;
}

/**
 * Waits for work on the active backend; with WebGPU no longer than its device lives.
 *
 * @throws {DeviceFault} The device has failed. Other errors of the work are consequences then.
 */
export async function whileDeviceLives<T>(work: Promise<T>): Promise<T> {
  if (tf.getBackend() !== "webgpu" || !current) return await work;
  try {
    return await Promise.race([work, current.failure]);
  } catch (error) {
    await new Promise((resume) => setTimeout(resume, LATE_MS));
    throw deviceFault() ?? error;
  }
}

function inWords(error: GPUError): string {
  const [line] = error.message.trim().split("\n");
  if (error instanceof GPUOutOfMemoryError) return `the GPU has no memory left (${line})`;
  if (error instanceof GPUValidationError) return `the GPU refused a command (${line})`;
  return `the GPU failed (${line})`;
}
