// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3): the weights' transform, the 36 products of
// every block of tiles, and the way back to pixels.

import { at, int, loadPart, storePart } from "./lanes";
import { PANEL, POINTS, pointStride, ROOT_HALF, ROOT_TWO, transformTile, WORK } from "./winograd_tiles";

/** One column of G·g: three vectors to six. */
// @ts-ignore: decorator
@inline
function transformWeights(g0: v128, g1: v128, g2: v128, to: usize, step: usize): void {
  const sixth = f32x4.splat(1.0 / 6), third = f32x4.splat(-2.0 / 3);
  const e1 = f32x4.mul(third, f32x4.add(g0, f32x4.mul(f32x4.splat(0.5), g2)));
  const o1 = f32x4.mul(f32x4.splat(-2.0 / 3 * ROOT_HALF), g1);
  const e2 = f32x4.mul(sixth, f32x4.add(g0, f32x4.add(g2, g2)));
  const o2 = f32x4.mul(f32x4.splat(ROOT_TWO / 6), g1);
  v128.store(to, g0);
  v128.store(to + step, f32x4.add(e1, o1));
  v128.store(to + 2 * step, f32x4.sub(e1, o1));
  v128.store(to + 3 * step, f32x4.add(e2, o2));
  v128.store(to + 4 * step, f32x4.sub(e2, o2));
  v128.store(to + 5 * step, g2);
}

/** One column of Aᵀ·m: six vectors at `from` to four. */
// @ts-ignore: decorator
@inline
function transformOutput(from: usize, fromStep: usize, to: usize, step: usize): void {
  const m1 = v128.load(from + fromStep), m2 = v128.load(from + 2 * fromStep);
  const m3 = v128.load(from + 3 * fromStep), m4 = v128.load(from + 4 * fromStep);
  const s1 = f32x4.add(m1, m2), s2 = f32x4.add(m3, m4);
  const d1 = f32x4.mul(f32x4.splat(ROOT_HALF), f32x4.sub(m1, m2));
  const d2 = f32x4.mul(f32x4.splat(ROOT_TWO), f32x4.sub(m3, m4));
  const two = f32x4.splat(2), half = f32x4.splat(0.5);
  v128.store(to, f32x4.add(v128.load(from), f32x4.add(s1, s2)));
  v128.store(to + step, f32x4.add(d1, d2));
  v128.store(to + 2 * step, f32x4.relaxed_madd(two, s2, f32x4.mul(half, s1)));
  const last = f32x4.relaxed_madd(half, d1, v128.load(from + 5 * fromStep));
  v128.store(to + 3 * step, f32x4.relaxed_madd(two, d2, last));
}

// Weights [3, 3, C, O] to G·g·Gᵀ in panels [36, O/8, C to a multiple of 4, 8], zeros where there is
// no channel. swap: the input gradient's weights w[2 − u, 2 − v, o, c]. Unit: (panel, 4 input channels).
// args: w, transformed, C, O, swap
export function winogradWeights(args: usize, scratch: usize, begin: i32, end: i32): void {
  const w: usize = int(args, 0), to: usize = int(args, 1);
  const C = int(args, 2), O = int(args, 3), swap = int(args, 4);
  const quads = (C + 3) / 4, panels = (O + PANEL - 1) / PANEL;
  const step = <usize> pointStride(panels * quads * 32) << 2;
  const work = scratch + 9 * 64; // behind nine taps of four input and four output channels
  for (let unit = begin; unit < end; unit++) {
    const panel = unit / quads, c = (unit % quads) * 4;
    for (let half = 0; half < 2; half++) {
      const o = panel * PANEL + half * 4;
      for (let tap = 0; tap < 9; tap++) {
        const v = at(scratch, tap * 16);
        if (swap) loadTransposed(at(w, ((8 - tap) * O + o) * C + c), C, O - o, C - c, v);
        else {
          for (let i = 0; i < 4; i++) {
            const value = c + i < C ? loadPart(at(w, (tap * C + c + i) * O + o), O - o) : f32x4.splat(0);
            v128.store(at(v, i * 4), value);
          }
        }
      }
      for (let i = 0; i < 4; i++) {
        for (let column: usize = 0; column < 3; column++) {
          const g = at(scratch, i * 4) + column * 64;
          transformWeights(v128.load(g), v128.load(g, 192), v128.load(g, 384), work + column * 16, 48);
        }
        const target = at(to, (panel * quads * 4 + c + i) * PANEL + half * 4);
        for (let row: usize = 0; row < 6; row++) {
          const g = work + row * 48;
          transformWeights(v128.load(g), v128.load(g, 16), v128.load(g, 32), target + 6 * row * step, step);
        }
      }
    }
  }
}

/** The transposed 4x4 block at `from`, of which `rows` and `columns` exist. */
function loadTransposed(from: usize, stride: i32, rows: i32, columns: i32, to: usize): void {
  const zero = f32x4.splat(0);
  const r0 = loadPart(from, columns), r1 = rows > 1 ? loadPart(at(from, stride), columns) : zero;
  const r2 = rows > 2 ? loadPart(at(from, 2 * stride), columns) : zero;
  const r3 = rows > 3 ? loadPart(at(from, 3 * stride), columns) : zero;
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(a, b, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(a, b, 2, 3, 6, 7), 16);
  v128.store(to, v128.shuffle<f32>(c, d, 0, 1, 4, 5), 32);
  v128.store(to, v128.shuffle<f32>(c, d, 2, 3, 6, 7), 48);
}

// The convolution, given transformed weights. Unit: (block of tiles, share of the panels).
// args: x, weights, bias or 0, y, B, H, W, C, O, tiles a block, shares
export function winograd(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), weights: usize = int(args, 1);
  const B = int(args, 4), H = int(args, 5), W = int(args, 6), C = int(args, 7), O = int(args, 8);
  const block = int(args, 9), shares = int(args, 10);
  const tiles = B * ((H + 3) / 4) * ((W + 3) / 4);
  const quads = (C + 3) / 4, panels = (O + PANEL - 1) / PANEL;
  const work = scratch, transformed = scratch + WORK;
  const inStride = pointStride(block * quads * 4);
  const products = at(transformed, POINTS * inStride);
  for (let unit = begin; unit < end; unit++) {
    const first = unit / shares * block, count = min(block, tiles - first), share = unit % shares;
    const from = panels * share / shares, to = panels * (share + 1) / shares;
    for (let t = 0; t < count; t++) {
      transformTile(x, H, W, C, first + t, at(transformed, t * quads * 4), 16, <usize> inStride << 2, work);
    }
    const width = (to - from) * PANEL, outStride = pointStride(block * width);
    const weightStride = pointStride(panels * quads * 32);
    for (let point = 0; point < POINTS; point++) {
      for (let panel = from; panel < to; panel++) {
        multiplyTiles(
          at(transformed, point * inStride), at(weights, point * weightStride + panel * quads * 32), quads,
          count, at(products, point * outStride + (panel - from) * PANEL), <usize> width << 2,
        );
      }
    }
    for (let t = 0; t < count; t++) {
      storeTile(args, first + t, from * PANEL, min(O, to * PANEL), at(products, t * width),
        <usize> outStride << 2, work);
    }
  }
}

/** Rows of transformed inputs [tiles, C] times a panel [C, 8], four tiles at a time. */
function multiplyTiles(a: usize, panel: usize, quads: i32, tiles: i32, out: usize, outStep: usize): void {
  const rowStep = <usize> quads << 4, end = panel + (<usize> quads << 7);
  for (let t = 0; t < tiles; t += 4) {
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    let p = a, q = p + rowStep, r = q + rowStep, s = r + rowStep;
    a = s + rowStep;
    for (let w = panel; w < end; w += 128) {
      let w0 = v128.load(w);
      let w1 = v128.load(w, 16);
      let v = v128.load32_splat(p);
      a0 = f32x4.relaxed_madd(v, w0, a0);
      a1 = f32x4.relaxed_madd(v, w1, a1);
      v = v128.load32_splat(q);
      b0 = f32x4.relaxed_madd(v, w0, b0);
      b1 = f32x4.relaxed_madd(v, w1, b1);
      v = v128.load32_splat(r);
      c0 = f32x4.relaxed_madd(v, w0, c0);
      c1 = f32x4.relaxed_madd(v, w1, c1);
      v = v128.load32_splat(s);
      d0 = f32x4.relaxed_madd(v, w0, d0);
      d1 = f32x4.relaxed_madd(v, w1, d1);
      w0 = v128.load(w, 32);
      w1 = v128.load(w, 48);
      v = v128.load32_splat(p, 4);
      a0 = f32x4.relaxed_madd(v, w0, a0);
      a1 = f32x4.relaxed_madd(v, w1, a1);
      v = v128.load32_splat(q, 4);
      b0 = f32x4.relaxed_madd(v, w0, b0);
      b1 = f32x4.relaxed_madd(v, w1, b1);
      v = v128.load32_splat(r, 4);
      c0 = f32x4.relaxed_madd(v, w0, c0);
      c1 = f32x4.relaxed_madd(v, w1, c1);
      v = v128.load32_splat(s, 4);
      d0 = f32x4.relaxed_madd(v, w0, d0);
      d1 = f32x4.relaxed_madd(v, w1, d1);
      w0 = v128.load(w, 64);
      w1 = v128.load(w, 80);
      v = v128.load32_splat(p, 8);
      a0 = f32x4.relaxed_madd(v, w0, a0);
      a1 = f32x4.relaxed_madd(v, w1, a1);
      v = v128.load32_splat(q, 8);
      b0 = f32x4.relaxed_madd(v, w0, b0);
      b1 = f32x4.relaxed_madd(v, w1, b1);
      v = v128.load32_splat(r, 8);
      c0 = f32x4.relaxed_madd(v, w0, c0);
      c1 = f32x4.relaxed_madd(v, w1, c1);
      v = v128.load32_splat(s, 8);
      d0 = f32x4.relaxed_madd(v, w0, d0);
      d1 = f32x4.relaxed_madd(v, w1, d1);
      w0 = v128.load(w, 96);
      w1 = v128.load(w, 112);
      v = v128.load32_splat(p, 12);
      a0 = f32x4.relaxed_madd(v, w0, a0);
      a1 = f32x4.relaxed_madd(v, w1, a1);
      v = v128.load32_splat(q, 12);
      b0 = f32x4.relaxed_madd(v, w0, b0);
      b1 = f32x4.relaxed_madd(v, w1, b1);
      v = v128.load32_splat(r, 12);
      c0 = f32x4.relaxed_madd(v, w0, c0);
      c1 = f32x4.relaxed_madd(v, w1, c1);
      v = v128.load32_splat(s, 12);
      d0 = f32x4.relaxed_madd(v, w0, d0);
      d1 = f32x4.relaxed_madd(v, w1, d1);
      p += 16;
      q += 16;
      r += 16;
      s += 16;
    }
    storeVectors(out, a0, a1);
    storeVectors(out + outStep, b0, b1);
    storeVectors(out + 2 * outStep, c0, c1);
    storeVectors(out + 3 * outStep, d0, d1);
    out += 4 * outStep;
  }
}

// @ts-ignore: decorator
@inline
function storeVectors(to: usize, v0: v128, v1: v128): void {
  v128.store(to, v0);
  v128.store(to, v1, 16);
}

/** Aᵀ·m·A of a tile's products, plus the bias, into channels [from, to) of y. */
function storeTile(
  args: usize, tile: i32, from: i32, to: i32, products: usize, step: usize, work: usize,
): void {
  const bias: usize = int(args, 2), y: usize = int(args, 3);
  const H = int(args, 5), W = int(args, 6), O = int(args, 8);
  const rows = (H + 3) / 4, columns = (W + 3) / 4;
  const b = tile / (rows * columns), top = (tile / columns) % rows * 4, left = tile % columns * 4;
  const height = min(4, H - top), width = min(4, W - left);
  for (let o = from; o < to; o += 4) {
    const n = to - o;
    for (let j: usize = 0; j < 6; j++) {
      transformOutput(products + j * step, 6 * step, work + (j << 4), 96);
    }
    const start = bias ? loadPart(at(bias, o), n) : f32x4.splat(0);
    for (let i = 0; i < height; i++) {
      const row = work + <usize> i * 96, pixel = ((b * H + top + i) * W + left) * O + o;
      transformOutput(row, 16, row, 16);
      for (let j = 0; j < width; j++) {
        storePart(at(y, pixel + j * O), f32x4.add(start, v128.load(at(row, j * 4))), n);
      }
    }
    products += 16;
  }
}
