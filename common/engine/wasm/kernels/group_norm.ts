// Group normalization of [B, P, C], optionally followed by SiLU, and its gradient.
// Unit: (sample, block of channels that holds whole groups).

import { at, float, int, loadPart, prepareExp, sigmoid4, storePair } from "./lanes";

// y = (x − μ)·scale, scale = 1/√(σ² + ε); then SiLU. moments [B, G, 2] keeps μ and scale.
// args: x, y, moments, B, P, C, groups, silu, epsilon, channels a unit
export function groupNorm(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), y: usize = int(args, 1), moments: usize = int(args, 2);
  const P = int(args, 4), C = int(args, 5), groups = int(args, 6), silu = int(args, 7);
  const epsilon = float(args, 8), width = int(args, 9);
  const blocks = (C + width - 1) / width, size = C / groups;
  const table = scratch, sums = prepareExp(table), means = at(sums, width + 8), scales = at(means, width + 8);
  for (let unit = begin; unit < end; unit++) {
    const b = unit / blocks, first = (unit % blocks) * width, count = min(width, C - first);
    const from = at(x, b * P * C + first), to = at(y, b * P * C + first);

    for (let c = 0; c < count; c += 8) sumColumns(at(from, c), P, C, count - c, at(sums, c));
    averageGroups(sums, means, count, size, <f32> (P * size));

    for (let c = 0; c < count; c += 8) {
      sumSquares(at(from, c), P, C, count - c, at(means, c), at(sums, c));
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

    for (let c = 0; c < count; c += 8) {
      normalize(at(from, c), at(to, c), P, C, count - c, at(means, c), at(scales, c), silu, table);
    }
  }
}

// Eight columns are worked through together, two vectors of four; the last may be fewer.

// sums[c] = Σ x[p, c].
function sumColumns(x: usize, P: i32, C: i32, count: i32, sums: usize): void {
  let s0 = f32x4.splat(0), s1 = s0;
  const step = <usize> C << 2, end = x + <usize> P * step;
  if (count >= 8) {
    for (; x < end; x += step) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
    }
  } else {
    for (; x < end; x += step) {
      s0 = f32x4.add(s0, loadPart(x, count));
      s1 = f32x4.add(s1, loadPart(x + 16, count - 4));
    }
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
}

// sums[c] = Σ (x[p, c] − μ[c])².
function sumSquares(x: usize, P: i32, C: i32, count: i32, means: usize, sums: usize): void {
  let s0 = f32x4.splat(0), s1 = s0;
  const m0 = v128.load(means), m1 = v128.load(means, 16);
  const step = <usize> C << 2, end = x + <usize> P * step;
  if (count >= 8) {
    for (; x < end; x += step) {
      const v0 = f32x4.sub(v128.load(x), m0), v1 = f32x4.sub(v128.load(x, 16), m1);
      s0 = f32x4.relaxed_madd(v0, v0, s0);
      s1 = f32x4.relaxed_madd(v1, v1, s1);
    }
  } else {
    for (; x < end; x += step) {
      const v0 = f32x4.sub(loadPart(x, count), m0), v1 = f32x4.sub(loadPart(x + 16, count - 4), m1);
      s0 = f32x4.relaxed_madd(v0, v0, s0);
      s1 = f32x4.relaxed_madd(v1, v1, s1);
    }
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
}

// y = (x − μ)·scale, then SiLU.
function normalize(
  x: usize, y: usize, P: i32, C: i32, count: i32, means: usize, scales: usize, silu: i32,
  table: usize,
): void {
  const m0 = v128.load(means), m1 = v128.load(means, 16);
  const r0 = v128.load(scales), r1 = v128.load(scales, 16);
  const step = <usize> C << 2, end = x + <usize> P * step, whole = count >= 8;
  for (; x < end; x += step, y += step) {
    let v0 = f32x4.mul(f32x4.sub(whole ? v128.load(x) : loadPart(x, count), m0), r0);
    let v1 = f32x4.mul(f32x4.sub(whole ? v128.load(x, 16) : loadPart(x + 16, count - 4), m1), r1);
    if (silu) {
      v0 = f32x4.mul(v0, sigmoid4(v0, table));
      v1 = f32x4.mul(v1, sigmoid4(v1, table));
    }
    storePair(y, v0, v1, count);
  }
}

// dx = (g − mean(g) − x̂·mean(g·x̂))·scale with g = ∂L/∂x̂, which dx itself holds in between.
// args: x, dy, moments, dx, B, P, C, groups, silu, channels a unit
export function groupNormGradient(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), dy: usize = int(args, 1), moments: usize = int(args, 2);
  const dx: usize = int(args, 3), P = int(args, 5), C = int(args, 6), groups = int(args, 7);
  const silu = int(args, 8), width = int(args, 9);
  const blocks = (C + width - 1) / width, size = C / groups;
  const table = scratch, sums = prepareExp(table), sumsX = at(sums, width + 8), means = at(sumsX, width + 8);
  const scales = at(means, width + 8);
  const meanG = at(scales, width + 8), meanGX = at(meanG, width + 8);
  for (let unit = begin; unit < end; unit++) {
    const b = unit / blocks, first = (unit % blocks) * width, count = min(width, C - first);
    const origin = b * P * C + first;
    for (let c = 0; c < count; c++) {
      const pair = at(moments, (b * groups + (first + c) / size) * 2);
      store<f32>(at(means, c), load<f32>(pair));
      store<f32>(at(scales, c), load<f32>(pair, 4));
    }
    for (let c = 0; c < count; c += 8) {
      const i = origin + c;
      gradientOfNormal(at(x, i), at(dy, i), at(dx, i), P, C, count - c, at(means, c), at(scales, c),
        silu, at(sums, c), at(sumsX, c), table);
    }
    averageGroups(sums, meanG, count, size, <f32> (P * size));
    averageGroups(sumsX, meanGX, count, size, <f32> (P * size));
    for (let c = 0; c < count; c += 8) {
      const i = origin + c;
      gradientOfInput(at(x, i), at(dx, i), P, C, count - c, at(means, c), at(scales, c), at(meanG, c),
        at(meanGX, c));
    }
  }
}

// g = ∂L/∂x̂ into dx, Σ g and Σ g·x̂ of each column.
function gradientOfNormal(
  x: usize, dy: usize, dx: usize, P: i32, C: i32, count: i32, means: usize, scales: usize, silu: i32,
  sums: usize, sumsX: usize, table: usize,
): void {
  const m0 = v128.load(means), m1 = v128.load(means, 16);
  const r0 = v128.load(scales), r1 = v128.load(scales, 16);
  let s0 = f32x4.splat(0), s1 = s0, t0 = s0, t1 = s0;
  const step = <usize> C << 2, end = x + <usize> P * step, whole = count >= 8;
  for (; x < end; x += step, dy += step, dx += step) {
    const n0 = f32x4.mul(f32x4.sub(whole ? v128.load(x) : loadPart(x, count), m0), r0);
    const n1 = f32x4.mul(f32x4.sub(whole ? v128.load(x, 16) : loadPart(x + 16, count - 4), m1), r1);
    let g0 = whole ? v128.load(dy) : loadPart(dy, count);
    let g1 = whole ? v128.load(dy, 16) : loadPart(dy + 16, count - 4);
    if (silu) {
      g0 = f32x4.mul(g0, slopeOfSilu(n0, table));
      g1 = f32x4.mul(g1, slopeOfSilu(n1, table));
    }
    s0 = f32x4.add(s0, g0);
    s1 = f32x4.add(s1, g1);
    t0 = f32x4.relaxed_madd(g0, n0, t0);
    t1 = f32x4.relaxed_madd(g1, n1, t1);
    storePair(dx, g0, g1, count);
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sumsX, t0);
  v128.store(sumsX, t1, 16);
}

// dx = (g − mean(g) − x̂·mean(g·x̂))·scale, with g in dx.
function gradientOfInput(
  x: usize, dx: usize, P: i32, C: i32, count: i32, means: usize, scales: usize, meanG: usize, meanGX: usize,
): void {
  // (g − mean(g))·scale + (x − μ)·b
  const r0 = v128.load(scales), r1 = v128.load(scales, 16);
  const b0 = f32x4.neg(f32x4.mul(f32x4.mul(r0, r0), v128.load(meanGX)));
  const b1 = f32x4.neg(f32x4.mul(f32x4.mul(r1, r1), v128.load(meanGX, 16)));
  const m0 = v128.load(means), m1 = v128.load(means, 16);
  const a0 = v128.load(meanG), a1 = v128.load(meanG, 16);
  const step = <usize> C << 2, end = x + <usize> P * step, whole = count >= 8;
  for (; x < end; x += step, dx += step) {
    const v0 = f32x4.sub(whole ? v128.load(x) : loadPart(x, count), m0);
    const v1 = f32x4.sub(whole ? v128.load(x, 16) : loadPart(x + 16, count - 4), m1);
    const g0 = f32x4.sub(whole ? v128.load(dx) : loadPart(dx, count), a0);
    const g1 = f32x4.sub(whole ? v128.load(dx, 16) : loadPart(dx + 16, count - 4), a1);
    const d0 = f32x4.relaxed_madd(v0, b0, f32x4.mul(g0, r0));
    const d1 = f32x4.relaxed_madd(v1, b1, f32x4.mul(g1, r1));
    storePair(dx, d0, d1, count);
  }
}

// The derivative of SiLU: σ(x)·(1 + x·(1 − σ(x))).
// @ts-ignore: decorator
@inline
function slopeOfSilu(x: v128, table: usize): v128 {
  const one = v128.load(table, 176), s = sigmoid4(x, table);
  return f32x4.mul(s, f32x4.relaxed_madd(x, f32x4.sub(one, s), one));
}

// Every channel of a group gets the group's sum divided by n.
function averageGroups(sums: usize, averages: usize, count: i32, size: i32, n: f32): void {
  for (let group = 0; group < count; group += size) {
    let total: f32 = 0;
    for (let c = group; c < group + size; c++) total += load<f32>(at(sums, c));
    for (let c = group; c < group + size; c++) store<f32>(at(averages, c), total / n);
  }
}
