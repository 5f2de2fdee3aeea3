/**
 * What the adapter allows, asked of the device that tfjs got.
 *
 * tfjs asks the adapter for the largest bindings, buffers and workgroups that it has to give, so the
 * device's limits are the adapter's there.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { UserError } from "../../user_error.ts";
import { webgpuBackend } from "./command_queue.ts";

/** The limits that kernels are cut to. */
export interface WebgpuLimits {
  /** Bytes of one tensor that a kernel can reach. */
  maxStorageBufferBindingSize: number;
  maxStorageBuffersPerShaderStage: number;
  /** Invocations of one workgroup. */
  maxComputeInvocationsPerWorkgroup: number;
  /** Bytes of memory that the invocations of a workgroup share. */
  maxComputeWorkgroupStorageSize: number;
  /** Workgroups along x, y or z. */
  maxComputeWorkgroupsPerDimension: number;
}

/** The device's limits. */
export function deviceLimits(): WebgpuLimits {
  return webgpuBackend().device.limits;
}

/**
 * Refuses a tensor of numbers of 4 bytes that is too large for the adapter, before the device does.
 *
 * @throws {UserError} Names the tensor, its size, the limit, and what to lower.
 */
export function checkBinding(
  what: string,
  shape: number[],
  limits: Pick<WebgpuLimits, "maxStorageBufferBindingSize"> = deviceLimits(),
): void {
  const bytes = 4 * tf.util.sizeFromShape(shape);
  const limit = limits.maxStorageBufferBindingSize;
  if (bytes <= limit) return;
  const largest = Math.floor(shape[0] * limit / bytes);
  throw new UserError(
    `${what}, ${shape.join("x")}, takes ${mebibytes(bytes)}; this WebGPU adapter allows ` +
      `${mebibytes(limit)} a tensor: lower --batch to ${largest} or less`,
    { exitCode: 2 },
  );
}

function mebibytes(bytes: number): string {
  return `${+(bytes / 2 ** 20).toFixed(1)} MiB`;
}
