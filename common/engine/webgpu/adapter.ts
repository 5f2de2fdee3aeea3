/**
 * The machine's WebGPU adapter, and a device of it for TensorFlow.js.
 *
 * @module
 */

/** An adapter, and what it is. */
export interface Adapter {
  gpu: GPUAdapter;
  name: string;
  /** Whether it is a program on the CPU, like llvmpipe. */
  software: boolean;
}

/** The machine's best adapter, or undefined. */
export async function findAdapter(): Promise<Adapter | undefined> {
  const gpu = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!gpu) return undefined;
  // a browser describes an adapter in few words: "nvidia", "ampere"
  const { description, vendor, architecture, device } = gpu.info;
  const name = description || [vendor, architecture, device].filter(Boolean).join(" ") ||
    "an unnamed adapter";
  return { gpu, name, software: isSoftware(gpu.info) };
}

/** Not every driver says of itself that it is software. */
export function isSoftware(
  { isFallbackAdapter, description, architecture }: GPUAdapterInfo,
): boolean {
  return isFallbackAdapter ||
    /llvmpipe|swiftshader|lavapipe/i.test(`${description} ${architecture}`);
}

/** The limits of which a training may need more than every adapter has. */
const LIMITS = [
  "maxBufferSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
] as const;

/** A device with the largest limits that the adapter has. */
export async function requestDevice({ gpu }: Adapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, gpu.limits[name]]));
  const timestamps = gpu.features.has("timestamp-query");
  const requiredFeatures: GPUFeatureName[] = timestamps ? ["timestamp-query"] : [];
  return await gpu.requestDevice({ requiredFeatures, requiredLimits });
}
