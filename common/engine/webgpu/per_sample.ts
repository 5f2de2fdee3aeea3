/**
 * One vector of channels for all pixels of a sample: adding it, and summing over the pixels.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { allocate } from "./command_queue.ts";
import { dispatch, type NamedTensors } from "./dispatch.ts";
import { acrossLanes, lanesFor } from "./reduction.ts";

/** y[b,i,j,c] = x[b,i,j,c] + v[b,c]: one invocation for each channel (or four) of each pixel. */
export const addPerSampleKernel: tf.KernelFunc = ({ inputs }) => {
  const { x, v } = inputs as NamedTensors;
  const [B, H, W, C] = x.shape;
  const vec4 = C % 4 === 0;
  const channels = vec4 ? C / 4 : C;
  const y = allocate(x.shape);
  dispatch({
    name: "add per sample",
    code: `
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.ofSample) { return; }
  let index = id.y * p.ofSample + id.x;
  y[index] = x[index] + v[id.y * p.channels + id.x % p.channels];
}`,
    inputs: { x: { tensor: x, vec4 }, v: { tensor: v, vec4 } },
    outputs: { y: { tensor: y, vec4 } },
    sizes: { channels, ofSample: H * W * channels },
    workgroups: [Math.ceil(H * W * channels / 64), B],
  });
  return y;
};

/**
 * Σ over the pixels, [B, …, C] to [B, C], or over the samples too, to [C]: one workgroup for each four channels (or one) of a sample.
 * Its lanes share the pixels, so that a sum over a whole batch (a bias's gradient) is a tree, too.
 */
export const sumPixelsKernel: tf.KernelFunc = ({ inputs, attrs }) =>
  sumOfPixels((inputs as NamedTensors).x, attrs as { perSample: boolean });

/** The same as a function. */
export function sumOfPixels(
  x: tf.TensorInfo,
  { perSample }: { perSample: boolean },
): tf.TensorInfo {
  const C = x.shape[x.shape.length - 1];
  const B = perSample ? x.shape[0] : 1;
  const P = tf.util.sizeFromShape(x.shape) / (B * C);
  const vec4 = C % 4 === 0;
  const type = vec4 ? "vec4f" : "f32";
  const channels = vec4 ? C / 4 : C;
  const lanes = lanesFor(P);
  const total = allocate(perSample ? [B, C] : [C]);
  dispatch({
    name: "sum of pixels",
    code: acrossLanes(lanes, { type }) + `
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let start = group.y * p.pixels * p.channels + group.x;
  var own = ${type}();
  for (var i = lane; i < p.pixels; i += ${lanes}u) { own += x[start + i * p.channels]; }
  let whole = sumOfLanes(own, lane);
  if (lane == 0u) { total[group.y * p.channels + group.x] = whole; }
}`,
    inputs: { x: { tensor: x, vec4 } },
    outputs: { total: { tensor: total, vec4 } },
    sizes: { pixels: P, channels },
    workgroups: [channels, B],
  });
  return total;
}
