/**
 * Sums over what the invocations of one workgroup hold, by halving: lane i adds the sum of lane
 * i + n/2, then n is halved. The order of additions is fixed, and rounding errors grow only with
 * the logarithm of the number of lanes.
 *
 * @module
 */

const MOST_LANES = 256;
const FEWEST_LANES = 32;

/** Lanes to give to so many values: about 16 values each; a power of two that all devices allow. */
export function lanesFor(values: number): number {
  let lanes = FEWEST_LANES;
  while (lanes < MOST_LANES && lanes * 16 < values) lanes *= 2;
  return lanes;
}

/**
 * WGSL: `fn <name>(value: <type>, lane: u32) -> <type>`, which gives every lane the whole; to be called
 * by all lanes at once. `combine` joins `a` and `b`.
 */
export function acrossLanes(
  lanes: number,
  { name = "sumOfLanes", type = "f32", combine = "a + b" } = {},
): string {
  const halvings: string[] = [];
  for (let half = lanes / 2; half >= 1; half /= 2) {
    halvings.push(`  if (lane < ${half}u) {
    let a = held_${name}[lane];
    let b = held_${name}[lane + ${half}u];
    held_${name}[lane] = ${combine};
  }
  workgroupBarrier();`);
  }
  return `
var<workgroup> held_${name}: array<${type}, ${lanes}>;
fn ${name}(value: ${type}, lane: u32) -> ${type} {
  held_${name}[lane] = value;
  workgroupBarrier();
${halvings.join("\n")}
  let whole = held_${name}[0];
  workgroupBarrier();
  return whole;
}
`;
}

/** WGSL: names for values that are read one or four at a time, and the sum within one. */
export function valueType(vec4: boolean): string {
  return vec4
    ? "alias Value = vec4f;\nfn within(v: Value) -> f32 { return v.x + v.y + v.z + v.w; }\n"
    : "alias Value = f32;\nfn within(v: Value) -> f32 { return v; }\n";
}
