/**
 * Long sums cut into parts: a product with few outputs and a large depth would leave a device idle. So
 * its depth is cut into parts that run side by side; their results are added in a fixed order.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { allocate, release } from "./command_queue.ts";
import { dispatch } from "./dispatch.ts";
import { FLAT_INDEX, flatWorkgroups } from "./flat_index.ts";
import { tileSize, type Tiling } from "./tiled_product.ts";

/** Tiles that keep a device busy: a few for each core, or thousands for a GPU's. */
const WANTED_TILES: Record<Tiling, number> = { registers: 256, shared: 1024 };

/** How the steps of a product are divided into parts. */
export interface Parts {
  parts: number;
  stepsPerPart: number;
}

/** As many parts as keep the device busy. */
export function shareSteps(
  steps: number,
  { rows, columns, count }: { rows: number; columns: number; count: number },
  tiling: Tiling,
): Parts {
  const tiles = count * Math.ceil(rows / tileSize(rows, tiling)) *
    Math.ceil(columns / tileSize(columns, tiling));
  const wanted = Math.min(steps, Math.ceil(WANTED_TILES[tiling] / tiles));
  const stepsPerPart = Math.ceil(steps / wanted);
  return { parts: Math.ceil(steps / stepsPerPart), stepsPerPart };
}

/** Σ over the first axis of `partial`, which is freed; the sum's shape is given. */
export function sumOfParts(partial: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  if (partial.shape[0] === 1) return { ...partial, shape };
  const size = tf.util.sizeFromShape(shape);
  const vec4 = size % 4 === 0;
  const count = vec4 ? size / 4 : size;
  const sum = allocate(shape);
  dispatch({
    name: "sum of parts",
    code: `${FLAT_INDEX}
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups);
  if (index >= p.count) { return; }
  var total = partial[index];
  for (var part = 1u; part < p.parts; part++) { total += partial[part * p.count + index]; }
  sum[index] = total;
}`,
    inputs: { partial: { tensor: partial, vec4 } },
    outputs: { sum: { tensor: sum, vec4 } },
    sizes: { count, parts: partial.shape[0] },
    workgroups: flatWorkgroups(count),
  });
  release(partial);
  return sum;
}
