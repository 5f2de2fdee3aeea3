/**
 * Running the project's own WGSL on TensorFlow.js's WebGPU backend: in its command queue, on its tensors.
 *
 * tfjs's `runWebGPUProgram` gives a kernel one output and wraps it in a page of generated code. Here
 * the shader is the whole shader, it may write several tensors, also in place, and it is compiled
 * once for each distinct text: what differs from call to call goes into the uniforms `p`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { commandQueue, deviceBuffer, forgetHostCopy, webgpuBackend } from "./command_queue.ts";
import { checkBinding } from "./limits.ts";

/** One compute shader and what it is bound to. */
export interface Dispatch {
  /** Shown in the device's error messages. */
  name: string;
  /** WGSL with an entry point `main`; the bindings and the uniforms `p` are declared around it. */
  code: string;
  /** Tensors to read, by the name that the code calls them. */
  inputs: Record<string, Binding>;
  /** Tensors to write, or to change in place. */
  outputs: Record<string, Binding>;
  /** Whole numbers, `p.name` of type u32. */
  sizes?: Record<string, number>;
  /** Real numbers, `p.name` of type f32. */
  reals?: Record<string, number>;
  /** How many workgroups in x, y, z. */
  workgroups: [number, number?, number?];
}

/** Tensors by name, as kernels get them. */
export type NamedTensors = Record<string, tf.TensorInfo>;

/** A tensor, and whether the shader sees it as `array<f32>` or as `array<vec4f>`. */
export interface Binding {
  tensor: tf.TensorInfo;
  vec4?: boolean;
}

interface Compiled {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

/** By device, code and declarations. */
const compiled = new WeakMap<GPUDevice, Map<string, Map<string, Compiled>>>();

/** Records the dispatch; tfjs submits the queue every few dispatches and before a read. */
export function dispatch(call: Dispatch): void {
  const bindings = [...Object.values(call.inputs), ...Object.values(call.outputs)];
  const outputs = Object.values(call.outputs);
  for (const { tensor } of bindings) checkBinding(`a tensor of the ${call.name}`, tensor.shape);
  const resources = bindings.map(({ tensor }) => ({ buffer: deviceBuffer(tensor) }));
  for (const { tensor } of outputs) forgetHostCopy(tensor);
  const uniforms = uniformBuffer(call);
  if (uniforms) resources.push({ buffer: uniforms });
  const { device } = webgpuBackend();
  const { pipeline, layout } = compile(device, call);
  const entries = resources.map((resource, binding) => ({ binding, resource }));

  const queue = commandQueue();
  queue.ensureCommandEncoderReady();
  queue.computePassEncoder ??= queue.commandEncoder!.beginComputePass();
  queue.computePassEncoder.setPipeline(pipeline);
  queue.computePassEncoder.setBindGroup(0, device.createBindGroup({ layout, entries }));
  queue.computePassEncoder.dispatchWorkgroups(...call.workgroups);
  if (++queue.dispatchCountInPass >= tf.env().getNumber("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE")) {
    queue.endComputePassEncoder();
    queue.submitQueue();
  }
}

/** Uniforms last until the queue is submitted, then tfjs uses their buffer again. */
function uniformBuffer({ sizes = {}, reals = {} }: Dispatch): GPUBuffer | undefined {
  const whole = Object.values(sizes);
  const real = Object.values(reals);
  if (whole.length + real.length === 0) return undefined;
  const bytes = new ArrayBuffer(Math.ceil((whole.length + real.length) / 4) * 16);
  new Uint32Array(bytes).set(whole);
  new Float32Array(bytes).set(real, whole.length);
  const { bufferManager, device } = webgpuBackend();
  const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM;
  const buffer = bufferManager.acquireBuffer(bytes.byteLength, usage) as GPUBuffer;
  device.queue.writeBuffer(buffer, 0, bytes);
  commandQueue().uniformPendingDisposal.push(buffer);
  return buffer;
}

function compile(device: GPUDevice, call: Dispatch): Compiled {
  const ofDevice = entryOf(compiled, device, () => new Map<string, Map<string, Compiled>>());
  const ofCode = entryOf(ofDevice, call.code, () => new Map<string, Compiled>());
  return entryOf(ofCode, declarations(call), () => {
    const layout = device.createBindGroupLayout({ entries: layoutEntries(call) });
    const code = declarations(call) + call.code;
    const pipeline = device.createComputePipeline({
      label: call.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: {
        module: device.createShaderModule({ label: call.name, code }),
        entryPoint: "main",
      },
    });
    return { pipeline, layout };
  });
}

/** The entry; it is made if it is missing. */
function entryOf<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}

function declarations({ inputs, outputs, sizes = {}, reals = {} }: Dispatch): string {
  const lines = [
    ...Object.entries(inputs).map(([name, b]) => `var<storage, read> ${name}: ${arrayOf(b)};`),
    ...Object.entries(outputs).map(([name, b]) =>
      `var<storage, read_write> ${name}: ${arrayOf(b)};`
    ),
  ];
  const fields = [
    ...Object.keys(sizes).map((name) => `${name}: u32`),
    ...Object.keys(reals).map((name) => `${name}: f32`),
  ];
  if (fields.length > 0) lines.push("var<uniform> p: Parameters;");
  const struct = fields.length > 0 ? `struct Parameters { ${fields.join(", ")} }\n` : "";
  return struct + lines.map((line, i) => `@group(0) @binding(${i}) ${line}\n`).join("");
}

function arrayOf({ vec4 }: Binding): string {
  return vec4 ? "array<vec4f>" : "array<f32>";
}

function layoutEntries(
  { inputs, outputs, sizes, reals }: Dispatch,
): GPUBindGroupLayoutEntry[] {
  const types: GPUBufferBindingType[] = [
    ...Object.keys(inputs).map(() => "read-only-storage" as const),
    ...Object.keys(outputs).map(() => "storage" as const),
  ];
  if (sizes || reals) types.push("uniform");
  return types.map((type, binding) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type },
  }));
}
