/**
 * Group normalization with or without SiLU, and its gradient: one workgroup for each group of each
 * sample, which reads its numbers a few times (they stay in the cache) and writes them once.
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
  const y = allocate(x.shape);
  const moments = allocate([layout.B, layout.groups, 2]);
  dispatch({
    name: "group norm",
    code: prelude(layout) + `
${ENTRY}
  var total = 0.0;
${overValues("total += within(x[at]);")}
  let mean = sumOfLanes(total, lane) / f32(p.values);

  total = 0.0;
${overValues("let d = x[at] - mean; total += within(d * d);")}
  let scale = inverseSqrt(sumOfLanes(total, lane) / f32(p.values) + p.epsilon);

${overValues(`let xHat = (x[at] - mean) * scale; y[at] = ${silu ? "silu(xHat)" : "xHat"};`)}
  if (lane == 0u) {
    let at = 2u * (group.y * p.groups + group.x);
    moments[at] = mean;
    moments[at + 1u] = scale;
  }
}`,
    inputs: { x: { tensor: x, vec4: layout.vec4 } },
    outputs: { y: { tensor: y, vec4: layout.vec4 }, moments: { tensor: moments } },
    sizes: sizesOf(layout),
    reals: { epsilon },
    workgroups: [layout.groups, layout.B],
  });
  return [y, moments];
};

/** ∂L/∂x = (g − mean(g) − x̂·mean(g·x̂))/√(σ² + ε), the means over the group, g = ∂L/∂x̂. */
export const groupNormGradientKernel: tf.KernelFunc = ({ inputs, attrs }) => {
  const { x, moments, dy } = inputs as NamedTensors;
  const layout = layoutOf(x, attrs!.groups as number);
  const dx = allocate(x.shape);
  const gradient = attrs!.silu ? "siluGradient(xHat, dy[at])" : "dy[at]";
  dispatch({
    name: "group norm gradient",
    code: prelude(layout) + `
${ENTRY}
  let atMoments = 2u * (group.y * p.groups + group.x);
  let mean = moments[atMoments];
  let scale = moments[atMoments + 1u];

  var ofG = 0.0;
  var ofGX = 0.0;
${
      overValues(
        `let xHat = (x[at] - mean) * scale; let g = ${gradient}; ` +
          "ofG += within(g); ofGX += within(g * xHat);",
      )
    }
  let meanG = sumOfLanes(ofG, lane) / f32(p.values);
  let meanGX = sumOfLanes(ofGX, lane) / f32(p.values);

${
      overValues(
        `let xHat = (x[at] - mean) * scale; let g = ${gradient}; ` +
          "dx[at] = (g - meanG - xHat * meanGX) * scale;",
      )
    }
}`,
    inputs: {
      x: { tensor: x, vec4: layout.vec4 },
      moments: { tensor: moments },
      dy: { tensor: dy, vec4: layout.vec4 },
    },
    outputs: { dx: { tensor: dx, vec4: layout.vec4 } },
    sizes: sizesOf(layout),
    workgroups: [layout.groups, layout.B],
  });
  return dx;
};

interface Layout {
  B: number;
  groups: number;
  pixels: number;
  /** Channels of a group. */
  width: number;
  vec4: boolean;
}

function layoutOf(x: tf.TensorInfo, groups: number): Layout {
  const [B, H, W, C] = x.shape;
  const width = C / groups;
  return { B, groups, pixels: H * W, width, vec4: width % 4 === 0 };
}

/** Indices count values of one or of four numbers; `values` counts numbers. */
function sizesOf({ pixels, groups, width, vec4 }: Layout): Record<string, number> {
  const unit = vec4 ? 4 : 1;
  return {
    groups,
    values: pixels * width,
    ofGroup: pixels * width / unit,
    ofSample: pixels * groups * width / unit,
    ofPixel: groups * width / unit,
  };
}

const ENTRY = `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let start = group.y * p.ofSample + group.x * WIDTH;`;

function prelude({ width, vec4, pixels }: Layout): string {
  const unit = vec4 ? 4 : 1;
  const lanes = lanesFor(pixels * width / unit);
  return `const LANES = ${lanes}u;\nconst WIDTH = ${width / unit}u;\n` + valueType(vec4) + SILU +
    acrossLanes(lanes);
}

/** A loop in which the lanes share the values of the group, each at index `at`. */
function overValues(body: string): string {
  return `  for (var i = lane; i < p.ofGroup; i += LANES) {
    let at = start + (i / WIDTH) * p.ofPixel + i % WIDTH;
    ${body}
  }`;
}
