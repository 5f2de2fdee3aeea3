// The weight gradient of a 3x3 convolution by Winograd's products: the convolution
// Y = Aᵀ[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]A is linear in g, so ∂L/∂g = Gᵀ[(A·∂L/∂Y·Aᵀ) ⊙ (Bᵀ·d·B)]G, summed over the
// tiles: 36 matrix products of channels by channels, of depth tiles. A call does a part of the samples.

import { addOuterProducts } from "./conv2d";
import { at, int, loadPart, storePart } from "./lanes";
import { PANEL, pointStride, ROOT_HALF, ROOT_TWO, transformTile } from "./winograd_tiles";

const DEPTH: i32 = 256; // tiles that are summed in one go: their rows stay in the nearest cache

// Bᵀ·d·B of tiles [first, first + tiles) of x to [36, C/4, tiles, 4]. Unit: 8 tiles.
// args: x, transformed, H, W, C, first, tiles
export function winogradInputs(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), to: usize = int(args, 1), H = int(args, 2), W = int(args, 3);
  const C = int(args, 4), first = int(args, 5), tiles = int(args, 6);
  const step = <usize> pointStride((C + 3) / 4 * tiles * 4) << 2;
  for (let t = begin * 8; t < min(end * 8, tiles); t++) {
    transformTile(x, H, W, C, first + t, at(to, t * 4), <usize> tiles << 4, step, scratch);
  }
}

/** One column of A·y: four vectors to six. */
// @ts-ignore: decorator
@inline
function transformGradient(y0: v128, y1: v128, y2: v128, y3: v128, to: usize, step: usize): void {
  const two = f32x4.splat(2), half = f32x4.splat(0.5);
  const e1 = f32x4.relaxed_madd(half, y2, y0), o1 = f32x4.relaxed_madd(half, y3, y1);
  const e2 = f32x4.relaxed_madd(two, y2, y0), o2 = f32x4.relaxed_madd(two, y3, y1);
  const a = f32x4.splat(ROOT_HALF), b = f32x4.splat(ROOT_TWO);
  v128.store(to, y0);
  v128.store(to + step, f32x4.relaxed_madd(a, o1, e1));
  v128.store(to + 2 * step, f32x4.relaxed_nmadd(a, o1, e1));
  v128.store(to + 3 * step, f32x4.relaxed_madd(b, o2, e2));
  v128.store(to + 4 * step, f32x4.relaxed_nmadd(b, o2, e2));
  v128.store(to + 5 * step, y3);
}

// A·dy·Aᵀ of the tiles to [36, O/8, tiles, 8]. Unit: 8 tiles.
// args: dy, transformed, H, W, O, first, tiles
export function winogradGradients(args: usize, scratch: usize, begin: i32, end: i32): void {
  const dy: usize = int(args, 0), target: usize = int(args, 1), H = int(args, 2), W = int(args, 3);
  const O = int(args, 4), first = int(args, 5), tiles = int(args, 6);
  const rows = (H + 3) / 4, columns = (W + 3) / 4, zero = f32x4.splat(0);
  const step = <usize> pointStride((O + PANEL - 1) / PANEL * tiles * PANEL) << 2;
  for (let t = begin * 8; t < min(end * 8, tiles); t++) {
    const tile = first + t, b = tile / (rows * columns);
    const top = (tile / columns) % rows * 4, left = tile % columns * 4;
    const corner = at(dy, ((b * H + top) * W + left) * O), pixelStep = <usize> O << 2;
    for (let o = 0; o < O; o += 4) {
      const n = O - o;
      for (let i = 0; i < 4; i++) {
        const p = at(corner, o + i * W * O), inside = top + i < H;
        transformGradient(
          inside ? loadPart(p, n) : zero,
          inside && left + 1 < W ? loadPart(p + pixelStep, n) : zero,
          inside && left + 2 < W ? loadPart(p + 2 * pixelStep, n) : zero,
          inside && left + 3 < W ? loadPart(p + 3 * pixelStep, n) : zero,
          scratch + <usize> i * 96, 16,
        );
      }
      const to = at(target, ((o / PANEL) * tiles + t) * PANEL + o % PANEL);
      for (let j: usize = 0; j < 6; j++) {
        const w = scratch + (j << 4);
        transformGradient(
          v128.load(w), v128.load(w, 96), v128.load(w, 192), v128.load(w, 288), to + j * step, 6 * step,
        );
      }
      if (o % PANEL == 0 && n <= 4) { // nobody else fills the other half of the last panel
        for (let i: usize = 0; i < 36; i++) v128.store(to + i * step, zero, 16);
      }
    }
  }
}

// sums [36, C/4, O/8, 4, 8] (+)= inputsᵀ·gradients for every point. Unit: (point, 16 input channels).
// args: inputs, gradients, sums, C, O, tiles, add
export function winogradProducts(args: usize, scratch: usize, begin: i32, end: i32): void {
  const inputs: usize = int(args, 0), gradients: usize = int(args, 1), sums: usize = int(args, 2);
  const C = int(args, 3), O = int(args, 4), tiles = int(args, 5), add = int(args, 6);
  const quads = (C + 3) / 4, panels = (O + PANEL - 1) / PANEL, groups = (quads + 3) / 4;
  for (let unit = begin; unit < end; unit++) {
    const point = unit / groups, from = unit % groups * 4, to = min(quads, from + 4);
    const x = at(inputs, point * pointStride(quads * tiles * 4));
    const dy = at(gradients, point * pointStride(panels * tiles * PANEL));
    for (let t = 0; t < tiles; t += DEPTH) {
      const depth = min(DEPTH, tiles - t);
      for (let panel = 0; panel < panels; panel++) {
        for (let quad = from; quad < to; quad++) {
          const sum = at(sums, ((point * quads + quad) * panels + panel) * 32);
          if (!add && t === 0) memory.fill(sum, 0, 128);
          addOuterProducts(
            at(x, (quad * tiles + t) * 4), at(dy, (panel * tiles + t) * PANEL), 1, depth, 0, 16, sum,
          );
        }
      }
    }
  }
}

/** One column of Gᵀ·m: six vectors at `from` to three. */
// @ts-ignore: decorator
@inline
function transformSums(from: usize, fromStep: usize, to: usize, step: usize): void {
  const m1 = v128.load(from + fromStep), m2 = v128.load(from + 2 * fromStep);
  const m3 = v128.load(from + 3 * fromStep), m4 = v128.load(from + 4 * fromStep);
  const s1 = f32x4.mul(f32x4.splat(-2.0 / 3), f32x4.add(m1, m2));
  const s2 = f32x4.mul(f32x4.splat(1.0 / 6), f32x4.add(m3, m4));
  const d1 = f32x4.mul(f32x4.splat(-2.0 / 3 * ROOT_HALF), f32x4.sub(m1, m2));
  const d2 = f32x4.mul(f32x4.splat(ROOT_TWO / 6), f32x4.sub(m3, m4));
  v128.store(to, f32x4.add(v128.load(from), f32x4.add(s1, s2)));
  v128.store(to + step, f32x4.add(d1, d2));
  const doubled = f32x4.add(s2, s2), halved = f32x4.mul(f32x4.splat(0.5), s1);
  v128.store(to + 2 * step, f32x4.add(v128.load(from + 5 * fromStep), f32x4.add(halved, doubled)));
}

// dw = Gᵀ·sums·G. Unit: (4 input channels, panel of output channels). args: sums, dw, C, O
export function winogradWeightGradient(args: usize, scratch: usize, begin: i32, end: i32): void {
  const sums: usize = int(args, 0), dw: usize = int(args, 1), C = int(args, 2), O = int(args, 3);
  const quads = (C + 3) / 4, panels = (O + PANEL - 1) / PANEL;
  const step = <usize> (quads * panels) << 7;
  for (let unit = begin; unit < end; unit++) {
    const c = unit / panels * 4, o = unit % panels * PANEL;
    for (let i = 0; i < min(4, C - c); i++) {
      for (let half = 0; half < 8; half += 4) {
        const from = at(sums, unit * 32 + i * 8 + half), n = O - o - half;
        for (let j: usize = 0; j < 6; j++) transformSums(from + j * step, 6 * step, scratch + (j << 4), 96);
        for (let u = 0; u < 3; u++) {
          const row = scratch + <usize> u * 96;
          transformSums(row, 16, row, 16);
          for (let v = 0; v < 3; v++) {
            storePart(at(dw, ((u * 3 + v) * C + c + i) * O + o + half), v128.load(at(row, v * 4)), n);
          }
        }
      }
    }
  }
}
