/**
 * Group normalization with or without SiLU, and its gradient: one workgroup for each block of
 * channels of a sample, which reads its numbers a few times (they stay in the cache) and writes
 * them once.
 *
 * A block is one group; where groups are narrower than four channels it is four channels, so that
 * they are read together, each with the sums of its own group.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { allocate } from "./command_queue.ts";
import { dispatch, type NamedTensors } from "./dispatch.ts";
import { acrossLanes, lanesFor, valueType } from "./reduction.ts";
import { SILU } from "./silu.ts";

/** x̂ = (x − μ)/√(σ² + ε), y = x̂ or SiLU(x̂); also gives the moments μ and 1/√(σ² + ε), [B, G, 2]. */
export const groupNormKernel: tf.KernelFunc = ({ inputs, attrs }) => {
  const { x } = inputs as NamedTensors;
  const { silu, epsilon } = attrs as { silu: boolean; epsilon: number };
  const layout = layoutOf(x, attrs!.groups as number);
  const { B, groups, blocks, vec4 } = layout;
  const y = allocate(x.shape);
  const moments = allocate([B, groups, 2]);
  dispatch({
    name: "group norm",
    code: prelude(layout) + `
${ENTRY}
  var total = Value();
${overValues("total += x[at];")}
  let mean = ofGroup(sumOfLanes(total, lane)) / f32(p.values);

  total = Value();
${overValues("let d = x[at] - mean; total += d * d;")}
  let variance = ofGroup(sumOfLanes(total, lane)) / f32(p.values);
  let scale = inverseSqrt(variance + Value(p.epsilon));

${overValues(`let xHat = (x[at] - mean) * scale; y[at] = ${silu ? "silu(xHat)" : "xHat"};`)}
  if (lane == 0u) {
${
      groupOfEach(layout).map((group, i) => `
    moments[2u * (firstGroup + ${group}u)] = mean${component(layout, i)};
    moments[2u * (firstGroup + ${group}u) + 1u] = scale${component(layout, i)};`).join("")
    }
  }
}`,
    inputs: { x: { tensor: x, vec4 } },
    outputs: { y: { tensor: y, vec4 }, moments: { tensor: moments } },
    sizes: sizesOf(layout),
    reals: { epsilon },
    workgroups: [blocks, B],
  });
  return [y, moments];
};

/** ∂L/∂x = (g − mean(g) − x̂·mean(g·x̂))/√(σ² + ε), the means over the group, g = ∂L/∂x̂. */
export const groupNormGradientKernel: tf.KernelFunc = ({ inputs, attrs }) => {
  const { x, moments, dy } = inputs as NamedTensors;
  const layout = layoutOf(x, attrs!.groups as number);
  const { B, blocks, vec4 } = layout;
  const dx = allocate(x.shape);
  const xHatAndG = "let xHat = (x[at] - mean) * scale; let g = " +
    (attrs!.silu ? "siluGradient(xHat, dy[at]);" : "dy[at];");
  const moment = (which: number) =>
    groupOfEach(layout).map((g) => `moments[2u * (firstGroup + ${g}u) + ${which}u]`).join(", ");
  dispatch({
    name: "group norm gradient",
    code: prelude(layout) + `
${ENTRY}
  let mean = Value(${moment(0)});
  let scale = Value(${moment(1)});

  var totalG = Value();
  var totalGX = Value();
${overValues(`${xHatAndG} totalG += g; totalGX += g * xHat;`)}
  let meanG = ofGroup(sumOfLanes(totalG, lane)) / f32(p.values);
  let meanGX = ofGroup(sumOfLanes(totalGX, lane)) / f32(p.values);

${overValues(`${xHatAndG} dx[at] = (g - meanG - xHat * meanGX) * scale;`)}
}`,
    inputs: { x: { tensor: x, vec4 }, moments: { tensor: moments }, dy: { tensor: dy, vec4 } },
    outputs: { dx: { tensor: dx, vec4 } },
    sizes: sizesOf(layout),
    workgroups: [blocks, B],
  });
  return dx;
};

interface Layout {
  B: number;
  pixels: number;
  groups: number;
  /** Channels of a group. */
  width: number;
  /** Blocks of a sample, and the groups of a block. */
  blocks: number;
  groupsOfBlock: number;
  /** Four channels are one `Value`. */
  vec4: boolean;
}

function layoutOf(x: tf.TensorInfo, groups: number): Layout {
  const [B, H, W, C] = x.shape;
  const width = C / groups;
  const narrow = 4 % width === 0 && C % 4 === 0;
  const groupsOfBlock = narrow ? 4 / width : 1;
  const blocks = groups / groupsOfBlock;
  return {
    B,
    pixels: H * W,
    groups,
    width,
    blocks,
    groupsOfBlock,
    vec4: narrow || width % 4 === 0,
  };
}

/** Values of a pixel, a block at a time. */
function valuesOfBlock({ width, groupsOfBlock, vec4 }: Layout): number {
  return width * groupsOfBlock / (vec4 ? 4 : 1);
}

function sizesOf(layout: Layout): Record<string, number> {
  const { pixels, width, groups, blocks } = layout;
  return { groups, blocks, pixels, values: pixels * width };
}

/** The group, within the block, of each component of a `Value`; once if they all have the same. */
function groupOfEach({ width, groupsOfBlock }: Layout): number[] {
  return groupsOfBlock === 1 ? [0] : [0, 1, 2, 3].map((i) => Math.floor(i / width));
}

function component({ vec4 }: Layout, i: number): string {
  return vec4 ? `[${i}]` : "";
}

const ENTRY = `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let ofPixel = p.blocks * WIDTH;
  let start = group.y * p.pixels * ofPixel + group.x * WIDTH;
  let firstGroup = group.y * p.groups + group.x * GROUPS;`;

function prelude(layout: Layout): string {
  const { width, vec4, pixels, groupsOfBlock } = layout;
  const lanes = lanesFor(pixels * valuesOfBlock(layout));
  const sums = vec4 && width === 2
    ? "vec4f(v.xx + v.yy, v.zz + v.ww)"
    : vec4 && width >= 4
    ? "Value(within(v))"
    : "v";
  return `
const LANES = ${lanes}u;
const WIDTH = ${valuesOfBlock(layout)}u; // of a block, in values
const GROUPS = ${groupsOfBlock}u; // of a block
${valueType(vec4)}${SILU}${acrossLanes(lanes, { type: "Value" })}
// the sum over its group for each component
fn ofGroup(v: Value) -> Value { return ${sums}; }
`;
}

/** A loop in which the lanes share the values of the block, each at index `at`. */
function overValues(body: string): string {
  return `  for (var i = lane; i < p.pixels * WIDTH; i += LANES) {
    let at = start + (i / WIDTH) * ofPixel + i % WIDTH;
    ${body}
  }`;
}
