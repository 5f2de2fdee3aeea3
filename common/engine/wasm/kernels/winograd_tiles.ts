// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3) (Lavin & Gray 2016): 4x4 outputs come from
// 6x6 inputs with 36 products instead of 144. With Y = Aᵀ[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]A the sums over the
// input channels are 36 matrix products. The polynomials behind it are evaluated at 0, ±√½, ±√2 and
// ∞: in single precision that errs by a third of what Lavin & Gray's points 0, ±1, ±2, ∞ do.

import { at, loadPart } from "./lanes";

export const WORK: i32 = 640; // bytes of work space behind a tile's transform
export const POINTS: i32 = 36; // numbers in a transformed tile
export const PANEL: i32 = 8; // output channels computed together
const SKEW: i32 = 16; // floats between two points, or all 36 would fall on the same lines of the cache

export const ROOT_HALF: f32 = 0.70710678118654752; // √½
export const ROOT_TWO: f32 = 1.41421356237309505; // √2

/** Floats from one point of a transformed array to the next. */
// @ts-ignore: decorator
@inline
export function pointStride(floats: i32): i32 {
  return floats + SKEW;
}

/** One column of Bᵀ·d: six vectors to six, `step` bytes apart. */
// @ts-ignore: decorator
@inline
function transformInput(
  d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, to: usize, step: usize,
  half: v128, two: v128, both: v128, a: v128, b: v128,
): void {
  v128.store(to, f32x4.relaxed_nmadd(both, d2, f32x4.add(d0, d4)));
  const e1 = f32x4.relaxed_nmadd(two, d2, d4), o1 = f32x4.relaxed_nmadd(two, d1, d3);
  v128.store(to + step, f32x4.relaxed_madd(a, o1, e1));
  v128.store(to + 2 * step, f32x4.relaxed_nmadd(a, o1, e1));
  const e2 = f32x4.relaxed_nmadd(half, d2, d4), o2 = f32x4.relaxed_nmadd(half, d1, d3);
  v128.store(to + 3 * step, f32x4.relaxed_madd(b, o2, e2));
  v128.store(to + 4 * step, f32x4.relaxed_nmadd(b, o2, e2));
  v128.store(to + 5 * step, f32x4.relaxed_nmadd(both, d3, f32x4.add(d1, d5)));
}

/** Part of pixel j of a row if the image has it, zeros if not. */
// @ts-ignore: decorator
@inline
function pixel(p: usize, inside: bool, n: i32): v128 {
  return inside ? loadPart(p, n) : f32x4.splat(0);
}

/**
 * Bᵀ·d·B of tile `tile` of x [B, H, W, C], four channels at a time, to vectors `channelStep` bytes
 * apart, the points `step` bytes apart. Pixels outside the image are zeros.
 */
export function transformTile(
  x: usize, H: i32, W: i32, C: i32, tile: i32, to: usize, channelStep: usize, step: usize, work: usize,
): void {
  const rows = (H + 3) / 4, columns = (W + 3) / 4, zero = f32x4.splat(0);
  const b = tile / (rows * columns), top = (tile / columns) % rows * 4 - 1, left = tile % columns * 4 - 1;
  const corner = at(x, ((b * H + top) * W + left) * C), rowStep = <usize> (W * C) << 2;
  const pixelStep = <usize> C << 2, right = W - left; // columns of the tile from `right` on are outside
  // numbers from memory stay in registers; as constants they would be put together at every use
  store<f32>(work, 0.5, 576);
  store<f32>(work, 2, 580);
  store<f32>(work, 2.5, 584);
  store<f32>(work, ROOT_HALF, 588);
  store<f32>(work, ROOT_TWO, 592);
  const half = v128.load32_splat(work, 576), two = v128.load32_splat(work, 580);
  const both = v128.load32_splat(work, 584);
  const ra = v128.load32_splat(work, 588), rb = v128.load32_splat(work, 592);
  for (let c = 0; c < C; c += 4) {
    const n = C - c;
    for (let i = 0; i < 6; i++) {
      const p = at(corner, c) + <usize> i * rowStep, w = work + <usize> i * 96;
      if (top + i < 0 || top + i >= H) {
        for (let j: usize = 0; j < 96; j += 16) v128.store(w + j, zero);
        continue;
      }
      const first = pixel(p, left >= 0, n), last = pixel(p + 5 * pixelStep, right > 5, n);
      if (right >= 5) {
        transformInput(
          first, loadPart(p + pixelStep, n), loadPart(p + 2 * pixelStep, n),
          loadPart(p + 3 * pixelStep, n), loadPart(p + 4 * pixelStep, n), last, w, 16,
          half, two, both, ra, rb,
        );
      } else {
        transformInput(
          first, loadPart(p + pixelStep, n), pixel(p + 2 * pixelStep, right > 2, n),
          pixel(p + 3 * pixelStep, right > 3, n), zero, zero, w, 16,
          half, two, both, ra, rb,
        );
      }
    }
    for (let j: usize = 0; j < 6; j++) {
      const w = work + (j << 4);
      transformInput(
        v128.load(w), v128.load(w, 96), v128.load(w, 192), v128.load(w, 288), v128.load(w, 384),
        v128.load(w, 480), to + j * step, 6 * step,
        half, two, both, ra, rb,
      );
    }
    to += channelStep;
  }
}
