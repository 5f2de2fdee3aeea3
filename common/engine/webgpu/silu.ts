/**
 * SiLU(x) = x·σ(x) and its gradient, one invocation for each number or for each four.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { allocate } from "./command_queue.ts";
import { dispatch, type NamedTensors } from "./dispatch.ts";
import { FLAT_INDEX, flatWorkgroups } from "./flat_index.ts";
import { valueType } from "./reduction.ts";

/** WGSL on a `Value`; e⁻ˣ is kept finite, since devices need not support infinity. */
export const SILU = `
fn sigma(x: Value) -> Value { return 1.0 / (1.0 + exp(min(-x, Value(80.0)))); }
fn silu(x: Value) -> Value { return x * sigma(x); }
// ∂L/∂x = ∂L/∂y · σ(x)·(1 + x·(1 − σ(x)))
fn siluGradient(x: Value, dy: Value) -> Value {
  let s = sigma(x);
  return dy * s * (1.0 + x * (1.0 - s));
}
`;

export const siluKernel: tf.KernelFunc = ({ inputs }) =>
  pointwise("silu", inputs as NamedTensors, "silu(x[index])");

export const siluGradientKernel: tf.KernelFunc = ({ inputs }) =>
  pointwise("silu gradient", inputs as NamedTensors, "siluGradient(x[index], dy[index])");

function pointwise(name: string, tensors: NamedTensors, value: string): tf.TensorInfo {
  const shape = tensors.x.shape;
  const size = tf.util.sizeFromShape(shape);
  const vec4 = size % 4 === 0;
  const count = vec4 ? size / 4 : size;
  const y = allocate(shape);
  dispatch({
    name,
    code: valueType(vec4) + SILU + `${FLAT_INDEX}
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups);
  if (index < p.count) { y[index] = ${value}; }
}`,
    inputs: Object.fromEntries(
      Object.entries(tensors).map(([key, tensor]) => [key, { tensor, vec4 }]),
    ),
    outputs: { y: { tensor: y, vec4 } },
    sizes: { count },
    workgroups: flatWorkgroups(count),
  });
  return y;
}
