/**
 * GPUs that nobody has at hand: a software adapter that passes for hardware, and faults around it.
 *
 * @module
 */

/** What is wrong with the GPU. */
export type Fault =
  | "none"
  /** There is an adapter, but it gives no device. */
  | "no device"
  /** A compiler of shaders that gets the products a little wrong. */
  | "wrong numbers"
  /** These happen once the run's first checkpoint is there. */
  | "lost"
  | "refused command"
  | "no memory";

/** The name that the adapter goes by. */
export const NAME = "Stand-in GPU";

/**
 * From now on the machine's adapter is hardware, as far as one can see.
 *
 * @param folder The run's folder.
 */
export function useStandInGpu(fault: Fault = "none", folder = "runs/run"): void {
  const requestAdapter = navigator.gpu.requestAdapter.bind(navigator.gpu);
  const standIn = async (options?: GPURequestAdapterOptions) => {
    const adapter = (await requestAdapter(options))!;
    const info = { description: NAME, vendor: "", device: "", isFallbackAdapter: false };
    return {
      info,
      features: adapter.features,
      limits: adapter.limits,
      requestDevice: async (descriptor: GPUDeviceDescriptor) => {
        if (fault === "no device") throw new DOMException("the driver crashed\nsomewhere");
        const device = await adapter.requestDevice(descriptor);
        if (fault === "wrong numbers") spoilProducts(device);
        else if (fault !== "none") failLater(device, fault, folder);
        return device;
      },
    } as unknown as GPUAdapter;
  };
  navigator.gpu.requestAdapter = standIn;
}

function spoilProducts(device: GPUDevice): void {
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    createShaderModule({
      ...descriptor,
      code: descriptor.label === "matrix product"
        ? descriptor.code.replace("= value", "= 1.02 * value")
        : descriptor.code,
    });
}

function failLater(
  device: GPUDevice,
  fault: "lost" | "refused command" | "no memory",
  folder: string,
): void {
  const { queue } = device;
  const submit = queue.submit.bind(queue);
  let failed = false;
  queue.submit = (commands) => {
    submit(commands);
    if (failed || !exists(`${folder}/state.safetensors`)) return undefined;
    failed = true;
    if (fault === "lost") device.destroy();
    else if (fault === "refused command") device.createBuffer({ size: 16, usage: 0xffff });
    else {
      const error = new GPUOutOfMemoryError("Not enough memory left");
      device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
    }
    return undefined;
  };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
