/**
 * Starting the WebGPU backend with the project's kernels.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { useFlatOperations } from "../flat.ts";
import { adamStep, gatherFlat, scatterFlat } from "./flat.ts";
import { registerWebgpuKernels } from "./register.ts";

/** Makes WebGPU tfjs's active backend; there must be an adapter. */
export async function startWebgpu(): Promise<void> {
  // imported only now: otherwise tfjs would make it the default backend of every program
  await import("@tensorflow/tfjs-backend-webgpu");
  await tf.setBackend("webgpu");
  registerWebgpuKernels();
  useFlatOperations("webgpu", { gather: gatherFlat, scatter: scatterFlat, step: adamStep });
}
