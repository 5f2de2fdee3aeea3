/**
 * Softmax over the last axis and its gradient: one workgroup for each row.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { allocate } from "./command_queue.ts";
import { type Dispatch, dispatch, type NamedTensors } from "./dispatch.ts";
import { acrossLanes, lanesFor, valueType } from "./reduction.ts";

/** y = e^(s·x − max) / Σ e^(s·x − max): subtracting the largest keeps every power in range. */
export const softmaxKernel: tf.KernelFunc = ({ inputs, attrs }) => {
  const { x } = inputs as NamedTensors;
  return overRows("softmax", { x }, attrs!.scale as number, {
    functions: (lanes) =>
      acrossLanes(lanes) + acrossLanes(lanes, { name: "maxOfLanes", combine: "max(a, b)" }),
    body: `
  var largest = -3.4e38;
  for (var i = lane; i < p.length; i += LANES) { largest = max(largest, highest(x[start + i] * p.scale)); }
  largest = maxOfLanes(largest, lane);

  var total = 0.0;
  for (var i = lane; i < p.length; i += LANES) {
    let power = exp(x[start + i] * p.scale - largest);
    result[start + i] = power;
    total += within(power);
  }
  let norm = 1.0 / sumOfLanes(total, lane);

  for (var i = lane; i < p.length; i += LANES) { result[start + i] *= norm; }`,
  });
};

/** ∂L/∂x = s · y·(g − Σ g·y), g = ∂L/∂y. */
export const softmaxGradientKernel: tf.KernelFunc = ({ inputs, attrs }) => {
  const { y, dy } = inputs as NamedTensors;
  return overRows("softmax gradient", { y, dy }, attrs!.scale as number, {
    functions: (lanes) => acrossLanes(lanes),
    body: `
  var total = 0.0;
  for (var i = lane; i < p.length; i += LANES) { total += within(dy[start + i] * y[start + i]); }
  total = sumOfLanes(total, lane);

  for (var i = lane; i < p.length; i += LANES) {
    result[start + i] = p.scale * y[start + i] * (dy[start + i] - total);
  }`,
  });
};

interface RowShader {
  functions: (lanes: number) => string;
  /** WGSL for the row that begins at `start`, whose `p.length` values the lanes share. */
  body: string;
}

function overRows(
  name: string,
  tensors: NamedTensors,
  scale: number,
  { functions, body }: RowShader,
): tf.TensorInfo {
  const shape = Object.values(tensors)[0].shape;
  const size = tf.util.sizeFromShape(shape);
  const length = shape[shape.length - 1];
  const vec4 = length % 4 === 0;
  const units = vec4 ? length / 4 : length;
  const lanes = lanesFor(units);
  const result = allocate(shape);
  const bind = (tensor: tf.TensorInfo) => ({ tensor, vec4 });
  dispatch({
    name,
    code: `const LANES = ${lanes}u;\n` + valueType(vec4) + highest(vec4) + functions(lanes) + `
@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.length;
${body}
}`,
    inputs: Object.fromEntries(Object.entries(tensors).map(([key, t]) => [key, bind(t)])),
    outputs: { result: bind(result) },
    sizes: { rows: size / length, length: units },
    reals: { scale },
    workgroups: rowWorkgroups(size / length),
  });
  return result;
}

function highest(vec4: boolean): string {
  const value = vec4 ? "max(max(v.x, v.y), max(v.z, v.w))" : "v";
  return `fn highest(v: Value) -> f32 { return ${value}; }\n`;
}

/** One workgroup a row, in two dimensions where there are more rows than one dimension allows. */
function rowWorkgroups(rows: number): Dispatch["workgroups"] {
  const folds = Math.ceil(rows / 65535);
  return [Math.ceil(rows / folds), folds];
}
