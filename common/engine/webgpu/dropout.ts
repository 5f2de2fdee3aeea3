/**
 * Dropout with the mask of common/random.ts's Threefry-2x32-20, one invocation for each number.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { DropoutAttributes } from "../ops/dropout.ts";
import { allocate } from "./command_queue.ts";
import { dispatch } from "./dispatch.ts";
import { FLAT_INDEX, flatWorkgroups } from "./flat_index.ts";

/** Two numbers share a counter: each invocation encrypts it and takes its own word. */
const THREEFRY = `
fn rounds(state: vec2u, r: vec4u) -> vec2u {
  var s = state;
  for (var i = 0u; i < 4u; i++) {
    s.x += s.y;
    s.y = ((s.y << r[i]) | (s.y >> (32u - r[i]))) ^ s.x;
  }
  return s;
}
fn threefry(key: vec2u, counter: vec2u) -> vec2u {
  let keys = array<u32, 3>(key.x, key.y, key.x ^ key.y ^ 0x1bd11bdau);
  var s = counter + key;
  for (var group = 1u; group <= 5u; group++) {
    s = rounds(s, select(vec4u(17, 29, 16, 24), vec4u(13, 15, 26, 6), group % 2u == 1u));
    s += vec2u(keys[group % 3u], keys[(group + 1u) % 3u] + group);
  }
  return s;
}
`;

export const dropoutKernel: tf.KernelFunc = ({ inputs, attrs }) => {
  const { threshold, scale, key0, key1, step } = attrs as unknown as DropoutAttributes;
  const x = inputs.x as tf.TensorInfo;
  const y = allocate(x.shape);
  const count = tf.util.sizeFromShape(x.shape);
  dispatch({
    name: "dropout",
    code: `${THREEFRY}${FLAT_INDEX}
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups);
  if (index >= p.count) { return; }
  let words = threefry(vec2u(p.key0, p.key1), vec2u(index / 2u, p.step));
  let bits = select(words.x, words.y, index % 2u == 1u);
  y[index] = select(x[index] * p.scale, 0.0, (bits >> 8u) < p.threshold);
}`,
    inputs: { x: { tensor: x } },
    outputs: { y: { tensor: y } },
    sizes: { count, threshold, key0, key1, step },
    reals: { scale },
    workgroups: flatWorkgroups(count),
  });
  return y;
};
