/**
 * The optimizer on the device: all parameters as one flat vector, gathered and scattered by copies
 * (no dispatch), and a whole Adam step in three dispatches, with nothing read back.
 *
 * Targets change in place, so a step allocates nothing; a target whose memory another tensor shares
 * (a clone that someone took as a copy) gets memory of its own first.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { AdamStep, FlatVectors } from "../flat.ts";
import {
  allocate,
  commandQueue,
  deviceBuffer,
  forgetHostCopy,
  release,
  webgpuBackend,
} from "./command_queue.ts";
import { dispatch } from "./dispatch.ts";
import { FLAT_INDEX, flatWorkgroups } from "./flat_index.ts";
import { acrossLanes, valueType } from "./reduction.ts";

/** The largest number that every device knows; it means "no limit". */
const LARGEST = 3.4e38;
/** Workgroups that sum the squares of the gradient side by side, and the lanes of each. */
const NORM_GROUPS = 64;
const NORM_LANES = 256;

/**
 * Copies the parts, one behind the other, into the flat vector.
 *
 * @param parts Any shapes, of as many numbers together as `flat` has.
 * @param flat [P], changed in place.
 */
export function gatherFlat(parts: tf.Tensor[], flat: tf.Variable): void {
  const total = parts.reduce((sum, part) => sum + part.size, 0);
  if (total !== flat.size) {
    throw new Error(`gatherFlat: parts of ${total} numbers for a vector of ${flat.size}`);
  }
  const sources = parts.map((part) => part.size === 0 ? undefined : deviceBuffer(part));
  const target = ownBuffer(flat, false);
  let from = 0;
  parts.forEach((part, i) => {
    if (sources[i]) copy(sources[i], 0, target, 4 * from, 4 * part.size);
    from += part.size;
  });
}

/**
 * Copies the flat vector back into the parts.
 *
 * @param flat [P].
 * @param parts Variables of as many numbers together, each changed in place.
 */
export function scatterFlat(flat: tf.Tensor, parts: tf.Variable[]): void {
  const total = parts.reduce((sum, part) => sum + part.size, 0);
  if (total !== flat.size) {
    throw new Error(`scatterFlat: a vector of ${flat.size} for parts of ${total} numbers`);
  }
  const source = deviceBuffer(flat);
  let from = 0;
  for (const part of parts) {
    if (part.size > 0) copy(source, 4 * from, ownBuffer(part, false), 0, 4 * part.size);
    from += part.size;
  }
}

/**
 * One step of Adam (Kingma & Ba 2015, Algorithm 1) on flat vectors, all but the gradient changed in
 * place: g ← g·min(1, c/‖g‖); m ← β₁·m + (1−β₁)·g; v ← β₂·v + (1−β₂)·g²;
 * θ ← θ − α·m̂/(√v̂ + ε); and the moving average e ← d·e + (1−d)·θ.
 */
export function adamStep(vectors: FlatVectors, numbers: AdamStep): void {
  const { weights, gradient, m, v, ema } = vectors;
  const { learningRate, beta1, beta2, epsilon, step, clipNorm, emaDecay } = numbers;
  const squaredNorm = Number.isFinite(clipNorm) ? squaredNormOf(gradient) : allocate([1]);
  const limited = Number.isFinite(clipNorm) ? "p.clipNorm / sqrt(squaredNorm[0])" : "1.0";
  for (const vector of [weights, m, v, ema]) ownBuffer(vector, true);
  const vec4 = weights.size % 4 === 0;
  const count = vec4 ? weights.size / 4 : weights.size;
  const bind = (tensor: tf.Tensor) => ({ tensor, vec4 });
  dispatch({
    name: "adam",
    code: valueType(vec4) + `${FLAT_INDEX}
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flatIndex(id, groups);
  if (i >= p.count) { return; }
  let g = gradient[i] * min(1.0, ${limited});
  m[i] = p.beta1 * m[i] + p.rest1 * g;
  v[i] = p.beta2 * v[i] + p.rest2 * g * g;
  let mHat = m[i] * p.unbias1;
  let vHat = v[i] * p.unbias2;
  weights[i] -= p.learningRate * mHat / (sqrt(vHat) + p.epsilon);
  ema[i] = p.emaDecay * ema[i] + p.emaRest * weights[i];
}`,
    inputs: { gradient: bind(gradient), squaredNorm: { tensor: squaredNorm } },
    outputs: { weights: bind(weights), m: bind(m), v: bind(v), ema: bind(ema) },
    sizes: { count },
    reals: {
      clipNorm: Math.min(clipNorm, LARGEST),
      ...{ beta1, rest1: 1 - beta1, unbias1: 1 / (1 - beta1 ** step) },
      ...{ beta2, rest2: 1 - beta2, unbias2: 1 / (1 - beta2 ** step) },
      ...{ learningRate, epsilon, emaDecay, emaRest: 1 - emaDecay },
    },
    workgroups: flatWorkgroups(count),
  });
  release(squaredNorm);
}

/** ‖g‖²: sums of many workgroups, then the sum of those; always in the same order. */
function squaredNormOf(gradient: tf.Tensor): tf.TensorInfo {
  const groups = Math.min(NORM_GROUPS, Math.ceil(gradient.size / NORM_LANES));
  const partial = allocate([groups]);
  sumTo(partial, gradient, "x[i] * x[i]");
  const squaredNorm = allocate([1]);
  sumTo(squaredNorm, partial, "x[i]");
  release(partial);
  return squaredNorm;
}

/** Each number of `sums` becomes the sum of every n-th `term` of x. */
function sumTo(sums: tf.TensorInfo, x: tf.TensorInfo, term: string): void {
  const groups = sums.shape[0];
  dispatch({
    name: "sum",
    code: acrossLanes(NORM_LANES) + `
@compute @workgroup_size(${NORM_LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var own = 0.0;
  for (var i = group.x * ${NORM_LANES}u + lane; i < p.size; i += ${groups * NORM_LANES}u) {
    own += ${term};
  }
  let whole = sumOfLanes(own, lane);
  if (lane == 0u) { sums[group.x] = whole; }
}`,
    inputs: { x: { tensor: x } },
    outputs: { sums: { tensor: sums } },
    sizes: { size: tf.util.sizeFromShape(x.shape) },
    workgroups: [groups],
  });
}

/** The variable's buffer, shared with no other tensor, so that it may be changed. */
function ownBuffer(variable: tf.Variable, keepContents: boolean): GPUBuffer {
  if (webgpuBackend().refCount(variable.dataId as object) > 1) {
    const own = tf.engine().makeTensorFromTensorInfo(allocate(variable.shape));
    if (keepContents) copy(deviceBuffer(variable), 0, deviceBuffer(own), 0, 4 * variable.size);
    variable.assign(own);
    own.dispose();
  }
  const buffer = deviceBuffer(variable);
  forgetHostCopy(variable);
  return buffer;
}

/** Records a copy behind all dispatches so far. */
function copy(
  from: GPUBuffer,
  fromByte: number,
  to: GPUBuffer,
  toByte: number,
  bytes: number,
): void {
  const queue = commandQueue();
  queue.ensureCommandEncoderReady();
  queue.endComputePassEncoder();
  queue.commandEncoder!.copyBufferToBuffer(from, fromByte, to, toByte, bytes);
}
