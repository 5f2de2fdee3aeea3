/**
 * Doubling height and width, and the gradient of it: one invocation for each number (or four) of
 * the smaller image, which writes to, or gathers from, the four pixels of the larger one.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { allocate } from "./command_queue.ts";
import { dispatch, type NamedTensors } from "./dispatch.ts";
import { FLAT_INDEX, flatWorkgroups } from "./flat_index.ts";

/** y[b,i,j,c] = x[b, ⌊i/2⌋, ⌊j/2⌋, c]. */
export const upsampleKernel: tf.KernelFunc = ({ inputs }) => {
  const { x } = inputs as NamedTensors;
  const [B, H, W, C] = x.shape;
  const y = allocate([B, 2 * H, 2 * W, C]);
  run(
    "upsample",
    { small: x, large: y },
    "large",
    `
  let value = small[index];
  large[first] = value;
  large[first + p.channels] = value;
  large[second] = value;
  large[second + p.channels] = value;`,
  );
  return y;
};

/** ∂L/∂x[b,i,j,c]: the sum over the pixel's four copies. */
export const upsampleGradientKernel: tf.KernelFunc = ({ inputs }) => {
  const { dy } = inputs as NamedTensors;
  const [B, H, W, C] = dy.shape;
  const dx = allocate([B, H / 2, W / 2, C]);
  run(
    "upsample gradient",
    { small: dx, large: dy },
    "small",
    `
  small[index] = (large[first] + large[first + p.channels]) +
    (large[second] + large[second + p.channels]);`,
  );
  return dx;
};

/** Runs `body` for each value of the small image; its copies begin at `first` and `second`. */
function run(
  name: string,
  { small, large }: { small: tf.TensorInfo; large: tf.TensorInfo },
  written: "small" | "large",
  body: string,
): void {
  const [B, H, W, C] = small.shape;
  const vec4 = C % 4 === 0;
  const channels = vec4 ? C / 4 : C;
  const count = B * H * W * channels;
  const [ofSmall, ofLarge] = [{ tensor: small, vec4 }, { tensor: large, vec4 }];
  dispatch({
    name,
    code: `${FLAT_INDEX}
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups);
  if (index >= p.count) { return; }
  let ofRow = p.width * p.channels;
  let pixel = index % ofRow / p.channels;
  let first = (index / ofRow) * ofRow * 4u + pixel * 2u * p.channels + index % p.channels;
  let second = first + 2u * ofRow;
${body}
}`,
    inputs: written === "large" ? { small: ofSmall } : { large: ofLarge },
    outputs: written === "large" ? { large: ofLarge } : { small: ofSmall },
    sizes: { count, width: W, channels },
    workgroups: flatWorkgroups(count),
  });
}
