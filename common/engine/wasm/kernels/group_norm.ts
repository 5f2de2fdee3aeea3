// Group normalization of [B, P, C], optionally followed by SiLU, and its gradient.
// Unit: (sample, block of channels that holds whole groups).

import { at, float, int, loadPart, sigmoid4, storePart } from "./lanes";

// y = (x − μ)·scale, scale = 1/√(σ² + ε); then SiLU. moments [B, G, 2] keeps μ and scale.
// args: x, y, moments, B, P, C, groups, silu, epsilon, channels a unit
export function groupNorm(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), y: usize = int(args, 1), moments: usize = int(args, 2);
  const P = int(args, 4), C = int(args, 5), groups = int(args, 6), silu = int(args, 7);
  const epsilon = float(args, 8), width = int(args, 9);
  const blocks = (C + width - 1) / width, size = C / groups;
  const sums = scratch, means = at(scratch, width + 4), scales = at(means, width + 4);
  for (let unit = begin; unit < end; unit++) {
    const b = unit / blocks, first = (unit % blocks) * width, count = min(width, C - first);
    const from = at(x, b * P * C + first), to = at(y, b * P * C + first);

    memory.fill(sums, 0, <usize> (width + 4) << 2);
    for (let p = 0; p < P; p++) {
      for (let c = 0; c < count; c += 4) {
        const v = loadPart(at(from, p * C + c), count - c);
        v128.store(at(sums, c), f32x4.add(v128.load(at(sums, c)), v));
      }
    }
    averageGroups(sums, means, count, size, <f32> (P * size));

    memory.fill(sums, 0, <usize> (width + 4) << 2);
    for (let p = 0; p < P; p++) {
      for (let c = 0; c < count; c += 4) {
        const v = f32x4.sub(loadPart(at(from, p * C + c), count - c), v128.load(at(means, c)));
        v128.store(at(sums, c), f32x4.add(v128.load(at(sums, c)), f32x4.mul(v, v)));
      }
    }
    averageGroups(sums, scales, count, size, <f32> (P * size));
    for (let c = 0; c < count; c++) {
      store<f32>(at(scales, c), 1 / sqrt(load<f32>(at(scales, c)) + epsilon));
    }
    for (let c = 0; c < count; c += size) {
      const pair = at(moments, (b * groups + (first + c) / size) * 2);
      store<f32>(pair, load<f32>(at(means, c)));
      store<f32>(pair, load<f32>(at(scales, c)), 4);
    }

    for (let p = 0; p < P; p++) {
      for (let c = 0; c < count; c += 4) {
        const v = f32x4.sub(loadPart(at(from, p * C + c), count - c), v128.load(at(means, c)));
        let normal = f32x4.mul(v, v128.load(at(scales, c)));
        if (silu) normal = f32x4.mul(normal, sigmoid4(normal));
        storePart(at(to, p * C + c), normal, count - c);
      }
    }
  }
}

// dx = (g − mean(g) − x̂·mean(g·x̂))·scale with g = ∂L/∂x̂, which dx itself holds in between.
// args: x, dy, moments, dx, B, P, C, groups, silu, channels a unit
export function groupNormGradient(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), dy: usize = int(args, 1), moments: usize = int(args, 2);
  const dx: usize = int(args, 3), P = int(args, 5), C = int(args, 6), groups = int(args, 7);
  const silu = int(args, 8), width = int(args, 9);
  const blocks = (C + width - 1) / width, size = C / groups;
  const sums = scratch, sumsX = at(sums, width + 4), means = at(sumsX, width + 4);
  const scales = at(means, width + 4);
  const meanG = at(scales, width + 4), meanGX = at(meanG, width + 4);
  const one = f32x4.splat(1);
  for (let unit = begin; unit < end; unit++) {
    const b = unit / blocks, first = (unit % blocks) * width, count = min(width, C - first);
    const origin = b * P * C + first;
    for (let c = 0; c < count; c++) {
      const pair = at(moments, (b * groups + (first + c) / size) * 2);
      store<f32>(at(means, c), load<f32>(pair));
      store<f32>(at(scales, c), load<f32>(pair, 4));
    }
    memory.fill(sums, 0, <usize> (width + 4) << 2);
    memory.fill(sumsX, 0, <usize> (width + 4) << 2);
    for (let p = 0; p < P; p++) {
      for (let c = 0; c < count; c += 4) {
        const i = origin + p * C + c, n = count - c;
        const normal = f32x4.mul(
          f32x4.sub(loadPart(at(x, i), n), v128.load(at(means, c))),
          v128.load(at(scales, c)),
        );
        let g = loadPart(at(dy, i), n);
        if (silu) {
          const s = sigmoid4(normal);
          const slope = f32x4.add(one, f32x4.mul(normal, f32x4.sub(one, s)));
          g = f32x4.mul(g, f32x4.mul(s, slope));
        }
        storePart(at(dx, i), g, n);
        v128.store(at(sums, c), f32x4.add(v128.load(at(sums, c)), g));
        v128.store(at(sumsX, c), f32x4.add(v128.load(at(sumsX, c)), f32x4.mul(g, normal)));
      }
    }
    averageGroups(sums, meanG, count, size, <f32> (P * size));
    averageGroups(sumsX, meanGX, count, size, <f32> (P * size));
    for (let p = 0; p < P; p++) {
      for (let c = 0; c < count; c += 4) {
        const i = origin + p * C + c, n = count - c;
        const scale = v128.load(at(scales, c));
        const normal = f32x4.mul(f32x4.sub(loadPart(at(x, i), n), v128.load(at(means, c))), scale);
        const g = f32x4.sub(loadPart(at(dx, i), n), v128.load(at(meanG, c)));
        const value = f32x4.sub(g, f32x4.mul(normal, v128.load(at(meanGX, c))));
        storePart(at(dx, i), f32x4.mul(value, scale), n);
      }
    }
  }
}

// Every channel of a group gets the group's sum divided by n.
function averageGroups(sums: usize, averages: usize, count: i32, size: i32, n: f32): void {
  for (let group = 0; group < count; group += size) {
    let total: f32 = 0;
    for (let c = group; c < group + size; c++) total += load<f32>(at(sums, c));
    for (let c = group; c < group + size; c++) store<f32>(at(averages, c), total / n);
  }
}
