// C = A·B for a batch of matrices, each operand read through its strides, so that a transposed one
// costs no copy. B is first brought to panels of eight columns.

import { at, int, loadPart, storePart } from "./lanes";

const TILE: i32 = 4;
const PANEL: i32 = 8;
const BLOCK: i32 = 32; // rows of C a unit computes

// B [N, K, P] through its strides to panels [N, P/8, K, 8]. Unit: (matrix, panel).
// args: b, panels, K, P, rowStride, columnStride, matrixStride
export function packColumns(args: usize, scratch: usize, begin: i32, end: i32): void {
  const b: usize = int(args, 0), panels: usize = int(args, 1), K = int(args, 2), P = int(args, 3);
  const rowStride = int(args, 4), columnStride = int(args, 5), matrixStride = int(args, 6);
  const panelCount = (P + PANEL - 1) / PANEL;
  for (let unit = begin; unit < end; unit++) {
    const column = (unit % panelCount) * PANEL;
    const from = at(b, (unit / panelCount) * matrixStride + column * columnStride);
    let to = at(panels, unit * K * PANEL);
    if (columnStride == 1 && column + PANEL <= P) {
      for (let k = 0; k < K; k++) {
        v128.store(to, v128.load(at(from, k * rowStride)));
        v128.store(to, v128.load(at(from, k * rowStride), 16), 16);
        to += 32;
      }
      continue;
    }
    for (let k = 0; k < K; k++) {
      for (let j = 0; j < PANEL; j++) {
        const value = column + j < P ? load<f32>(at(from, k * rowStride + j * columnStride)) : <f32> 0;
        store<f32>(to, value);
        to += 4;
      }
    }
  }
}

// Unit: (matrix, 32 rows, share of the panels). The sums start from the bias of their column, one row of P a matrix.
// args: a, panels, c, M, K, P, rowStride, columnStride, matrixStride, bias or 0, biasStride, shares
export function multiply(args: usize, scratch: usize, begin: i32, end: i32): void {
  const a: usize = int(args, 0), panels: usize = int(args, 1), c: usize = int(args, 2);
  const M = int(args, 3), K = int(args, 4), P = int(args, 5);
  const rowStride = int(args, 6), columnStride = int(args, 7), matrixStride = int(args, 8);
  const bias: usize = int(args, 9), biasStride = int(args, 10);
  const panelCount = (P + PANEL - 1) / PANEL, blocks = (M + BLOCK - 1) / BLOCK;
  const shares = int(args, 11);
  for (let unit = begin; unit < end; unit++) {
    const share = unit % shares, block = (unit / shares) % blocks, n = unit / (shares * blocks);
    const first = block * BLOCK, last = min(first + BLOCK, M);
    for (let panel = panelCount * share / shares; panel < panelCount * (share + 1) / shares; panel++) {
      const weights = at(panels, (n * panelCount + panel) * K * PANEL);
      const columns = P - panel * PANEL, start = at(bias, n * biasStride + panel * PANEL);
      const bias0 = bias ? loadPart(start, columns) : f32x4.splat(0);
      const bias1 = bias ? loadPart(start + 16, columns - 4) : f32x4.splat(0);
      for (let i = first; i < last; i += TILE) {
        multiplyTile(
          at(a, n * matrixStride + i * rowStride), <usize> rowStride << 2, <usize> columnStride << 2,
          weights, K, at(c, (n * M + i) * P + panel * PANEL), <usize> P << 2,
          columns, min(TILE, last - i), bias0, bias1,
        );
      }
    }
  }
}

// 4 rows x 8 columns. A short tile reads its last row again and leaves the rest unwritten.
function multiplyTile(
  a: usize, rowStep: usize, columnStep: usize, panel: usize, K: i32, c: usize, outStep: usize,
  columns: i32, rows: i32, bias0: v128, bias1: v128,
): void {
  let a0 = bias0, a1 = bias1, b0 = bias0, b1 = bias1, c0 = bias0, c1 = bias1, d0 = bias0, d1 = bias1;
  let p = a, q = rows > 1 ? p + rowStep : p, r = rows > 2 ? q + rowStep : q, s = rows > 3 ? r + rowStep : r;
  const end = panel + (<usize> (K * PANEL) << 2);
  while (panel < end) {
    const w0 = v128.load(panel), w1 = v128.load(panel, 16);
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
    panel += 32;
    p += columnStep;
    q += columnStep;
    r += columnStep;
    s += columnStep;
  }
  storeRow(c, a0, a1, columns);
  if (rows > 1) storeRow(c + outStep, b0, b1, columns);
  if (rows > 2) storeRow(c + 2 * outStep, c0, c1, columns);
  if (rows > 3) storeRow(c + 3 * outStep, d0, d1, columns);
}

// @ts-ignore: decorator
@inline
function storeRow(to: usize, v0: v128, v1: v128, columns: i32): void {
  storePart(to, v0, columns);
  storePart(to + 16, v1, columns - 4);
}
