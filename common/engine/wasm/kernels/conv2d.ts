// Convolution as a matrix product whose left matrix is never built: for each tap of the window, a
// pixel's row of input channels is read where it lies; outside the picture a row of zeros stands in.

import { at, int, loadPart, storePart } from "./lanes";

const TILE: i32 = 4; // output pixels computed together
const PANEL: i32 = 8; // output channels computed together: 4x8 sums stay in registers
const BLOCK: i32 = 32; // pixels a unit works through with the same panel of weights

// Weights [taps, C, O] to panels [O/8, taps, C, 8], zeros behind the last channel. Unit: a panel.
// swap: the input gradient reads w[tap, o, c] in place of w[tap, c, o].
// args: w, panels, taps, C, O, swap
export function packWeights(args: usize, scratch: usize, begin: i32, end: i32): void {
  const w: usize = int(args, 0), panels: usize = int(args, 1);
  const taps = int(args, 2), C = int(args, 3), O = int(args, 4), swap = int(args, 5);
  for (let panel = begin; panel < end; panel++) {
    let to = at(panels, panel * taps * C * PANEL);
    const whole = !swap && panel * PANEL + PANEL <= O;
    for (let tap = 0; tap < taps; tap++) {
      for (let c = 0; c < C; c++) {
        if (whole) {
          const from = at(w, (tap * C + c) * O + panel * PANEL);
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
          to += 32;
          continue;
        }
        for (let j = 0; j < PANEL; j++) {
          const o = panel * PANEL + j;
          const i = swap ? (tap * O + o) * C + c : (tap * C + c) * O + o;
          store<f32>(to, o < O ? load<f32>(at(w, i)) : 0);
          to += 4;
        }
      }
    }
  }
}

// The convolution (transposed = 0) or its input gradient (transposed = 1, the roles of x and y
// swapped). Output pixels are walked phase by phase: with stride s, the gradient's pixels that share
// (row mod s, column mod s) use the same taps, and the other taps are never touched.
// Unit: (phase, block of pixels, share of the panels).
// args: x, panels, bias or 0, y, zeros, H, W, C, OH, OW, O, kernel, stride, transposed, B, shares
export function convolve(args: usize, scratch: usize, begin: i32, end: i32): void {
  const OH = int(args, 8), OW = int(args, 9), O = int(args, 10);
  const stride = int(args, 12), transposed = int(args, 13), B = int(args, 14);
  const shares = int(args, 15);
  const phases = transposed ? stride : 1;
  const panels = (O + PANEL - 1) / PANEL;
  const blocks = (B * ((OH + phases - 1) / phases) * ((OW + phases - 1) / phases) + BLOCK - 1) / BLOCK;
  for (let unit = begin; unit < end; unit++) {
    const share = unit % shares;
    const block = (unit / shares) % blocks;
    const phase = unit / (shares * blocks);
    const phaseY = phase / phases, phaseX = phase % phases;
    const rows = (OH - phaseY + phases - 1) / phases, columns = (OW - phaseX + phases - 1) / phases;
    const first = block * BLOCK;
    const count = min(BLOCK, B * rows * columns - first);
    if (count <= 0) continue;
    const from = panels * share / shares, to = panels * (share + 1) / shares;
    convolveBlock(args, scratch, phaseY, phaseX, phases, rows, columns, first, count, from, to);
  }
}

function convolveBlock(
  args: usize, scratch: usize, phaseY: i32, phaseX: i32, phases: i32, rows: i32, columns: i32,
  first: i32, count: i32, fromPanel: i32, toPanel: i32,
): void {
  const x: usize = int(args, 0), panels: usize = int(args, 1), bias: usize = int(args, 2);
  const y: usize = int(args, 3), zeros: usize = int(args, 4);
  const H = int(args, 5), W = int(args, 6), C = int(args, 7), OH = int(args, 8), OW = int(args, 9);
  const O = int(args, 10), kernel = int(args, 11), stride = int(args, 12);
  const transposed = int(args, 13);
  const padding = (kernel - 1) / 2;
  const tiles = (count + TILE - 1) / TILE;

  // scratch: where each pixel's output lies [tiles·4]; which taps are used and how many; then, for
  // each used tap, where each pixel's input row lies [used, tiles·4]
  const outputs = scratch, used = scratch + BLOCK * 4, sources = used + 128 * 4;
  for (let i = 0; i < tiles * TILE; i++) {
    const pixel = first + min(i, count - 1); // the last tile repeats its last pixel
    const b = pixel / (rows * columns), row = (pixel / columns) % rows, column = pixel % columns;
    const oy = row * phases + phaseY, ox = column * phases + phaseX;
    store<i32>(at(outputs, i), ((b * OH + oy) * OW + ox) * O);
    let n = 0;
    for (let u = 0; u < kernel; u++) {
      if (transposed && (phaseY + padding - u) % stride != 0) continue;
      for (let v = 0; v < kernel; v++) {
        if (transposed && (phaseX + padding - v) % stride != 0) continue;
        const iy = transposed ? (oy + padding - u) / stride : oy * stride + u - padding;
        const ix = transposed ? (ox + padding - v) / stride : ox * stride + v - padding;
        const inside = (transposed ? oy + padding - u >= 0 && ox + padding - v >= 0 : iy >= 0 && ix >= 0) &&
          iy < H && ix < W;
        const source = inside ? at(x, ((b * H + iy) * W + ix) * C) : zeros;
        store<i32>(at(used, n), u * kernel + v);
        store<i32>(at(sources, n * BLOCK + i), <i32> source);
        n++;
      }
    }
    store<i32>(at(used, 127), n);
  }

  for (let panel = fromPanel; panel < toPanel; panel++) {
    const weights = at(panels, panel * kernel * kernel * C * PANEL);
    const channels = O - panel * PANEL;
    let bias0 = f32x4.splat(0), bias1 = f32x4.splat(0);
    if (bias) {
      bias0 = loadPart(at(bias, panel * PANEL), channels);
      bias1 = loadPart(at(bias, panel * PANEL + 4), channels - 4);
    }
    for (let tile = 0; tile < count; tile += TILE) {
      convolveTile(weights, at(sources, tile), used, C, bias0, bias1, y, at(outputs, tile),
        panel * PANEL, channels, min(TILE, count - tile));
    }
  }
}

// 4 pixels x 8 channels: Σ over the taps and the input channels.
function convolveTile(
  weights: usize, sources: usize, used: usize, C: i32, bias0: v128, bias1: v128,
  y: usize, outputs: usize, channel: i32, channels: i32, pixels: i32,
): void {
  let a0 = bias0, a1 = bias1, b0 = bias0, b1 = bias1;
  let c0 = bias0, c1 = bias1, d0 = bias0, d1 = bias1;
  const taps = load<i32>(at(used, 127));
  for (let n = 0; n < taps; n++) {
    let w = at(weights, load<i32>(at(used, n)) * C * PANEL);
    const end = w + (<usize> (C * PANEL) << 2);
    const source = at(sources, n * BLOCK);
    let p: usize = load<i32>(source), q: usize = load<i32>(source, 4);
    let r: usize = load<i32>(source, 8), s: usize = load<i32>(source, 12);
    while (w < end) {
      const w0 = v128.load(w), w1 = v128.load(w, 16);
      const vp = v128.load32_splat(p);
      a0 = f32x4.relaxed_madd(vp, w0, a0);
      a1 = f32x4.relaxed_madd(vp, w1, a1);
      const vq = v128.load32_splat(q);
      b0 = f32x4.relaxed_madd(vq, w0, b0);
      b1 = f32x4.relaxed_madd(vq, w1, b1);
      const vr = v128.load32_splat(r);
      c0 = f32x4.relaxed_madd(vr, w0, c0);
      c1 = f32x4.relaxed_madd(vr, w1, c1);
      const vs = v128.load32_splat(s);
      d0 = f32x4.relaxed_madd(vs, w0, d0);
      d1 = f32x4.relaxed_madd(vs, w1, d1);
      w += 32;
      p += 4;
      q += 4;
      r += 4;
      s += 4;
    }
  }
  storePanel(at(y, load<i32>(outputs) + channel), a0, a1, channels);
  if (pixels > 1) storePanel(at(y, load<i32>(outputs, 4) + channel), b0, b1, channels);
  if (pixels > 2) storePanel(at(y, load<i32>(outputs, 8) + channel), c0, c1, channels);
  if (pixels > 3) storePanel(at(y, load<i32>(outputs, 12) + channel), d0, d1, channels);
}

// @ts-ignore: decorator
@inline
function storePanel(to: usize, v0: v128, v1: v128, channels: i32): void {
  storePart(to, v0, channels);
  storePart(to + 16, v1, channels - 4);
}

// Rows [P, O] to panels [O/8, P, 8], zeros behind the last channel. Unit: 64 rows.
// args: rows, panels, P, O
export function packRows(args: usize, scratch: usize, begin: i32, end: i32): void {
  const rows: usize = int(args, 0), panels: usize = int(args, 1), P = int(args, 2), O = int(args, 3);
  for (let r = begin * 64; r < min(end * 64, P); r++) {
    for (let o = 0; o < O; o += PANEL) {
      const from = at(rows, r * O + o), to = at(panels, (o * P) + r * PANEL);
      v128.store(to, loadPart(from, O - o));
      v128.store(to, loadPart(from + 16, O - o - 4), 16);
    }
  }
}

// The weight gradient. Unit: four input channels, for all taps and all output channels. The four
// channels of a sample are copied out with a border of zeros, so that the inner loop has no bounds;
// 4x8 sums stay in registers for a whole picture.
// args: x, dyPanels, dw, B, H, W, C, OH, OW, O, kernel, stride
export function weightGradient(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), panels: usize = int(args, 1), dw: usize = int(args, 2);
  const B = int(args, 3), H = int(args, 4), W = int(args, 5), C = int(args, 6);
  const OH = int(args, 7), OW = int(args, 8), O = int(args, 9);
  const kernel = int(args, 10), stride = int(args, 11);
  const padding = (kernel - 1) / 2;
  const width = W + 2 * padding, height = H + 2 * padding;
  const taps = kernel * kernel, panelCount = (O + PANEL - 1) / PANEL;
  const plane = scratch, sums = at(scratch, width * height * 4);
  for (let unit = begin; unit < end; unit++) {
    const c = unit * 4;
    memory.fill(plane, 0, width * height * 16);
    memory.fill(sums, 0, taps * panelCount * 128);
    for (let b = 0; b < B; b++) {
      for (let i = 0; i < H; i++) {
        let to = at(plane, ((i + padding) * width + padding) * 4);
        let from = at(x, (b * H + i) * W * C + c);
        for (let j = 0; j < W; j++) {
          v128.store(to, loadPart(from, C - c));
          to += 16;
          from += <usize> C << 2;
        }
      }
      for (let panel = 0; panel < panelCount; panel++) {
        const dy = at(panels, (panel * B + b) * OH * OW * PANEL);
        for (let u = 0; u < kernel; u++) {
          for (let v = 0; v < kernel; v++) {
            addOuterProducts(at(plane, (u * width + v) * 4), dy, OH, OW, width * stride * 16, stride * 16,
              at(sums, ((u * kernel + v) * panelCount + panel) * 32));
          }
        }
      }
    }
    for (let tap = 0; tap < taps; tap++) {
      for (let i = 0; i < min(4, C - c); i++) {
        for (let panel = 0; panel < panelCount; panel++) {
          const from = at(sums, (tap * panelCount + panel) * 32 + i * 8);
          storePanel(at(dw, (tap * C + c + i) * O + panel * PANEL), v128.load(from), v128.load(from, 16),
            O - panel * PANEL);
        }
      }
    }
  }
}

// sums[4, 8] += Σ over the pixels of x[pixel, 4]ᵀ·dy[pixel, 8].
export function addOuterProducts(
  x: usize, dy: usize, rows: i32, columns: i32, rowStep: i32, pixelStep: i32, sums: usize,
): void {
  let a0 = v128.load(sums), a1 = v128.load(sums, 16), b0 = v128.load(sums, 32), b1 = v128.load(sums, 48);
  let c0 = v128.load(sums, 64), c1 = v128.load(sums, 80);
  let d0 = v128.load(sums, 96), d1 = v128.load(sums, 112);
  for (let i = 0; i < rows; i++) {
    let p = x;
    const end = dy + (<usize> (columns * PANEL) << 2);
    while (dy < end) {
      const g0 = v128.load(dy), g1 = v128.load(dy, 16);
      const vp = v128.load32_splat(p);
      a0 = f32x4.relaxed_madd(vp, g0, a0);
      a1 = f32x4.relaxed_madd(vp, g1, a1);
      const vq = v128.load32_splat(p, 4);
      b0 = f32x4.relaxed_madd(vq, g0, b0);
      b1 = f32x4.relaxed_madd(vq, g1, b1);
      const vr = v128.load32_splat(p, 8);
      c0 = f32x4.relaxed_madd(vr, g0, c0);
      c1 = f32x4.relaxed_madd(vr, g1, c1);
      const vs = v128.load32_splat(p, 12);
      d0 = f32x4.relaxed_madd(vs, g0, d0);
      d1 = f32x4.relaxed_madd(vs, g1, d1);
      dy += 32;
      p += pixelStep;
    }
    x += rowStep;
  }
  v128.store(sums, a0);
  v128.store(sums, a1, 16);
  v128.store(sums, b0, 32);
  v128.store(sums, b1, 48);
  v128.store(sums, c0, 64);
  v128.store(sums, c1, 80);
  v128.store(sums, d0, 96);
  v128.store(sums, d1, 112);
}
