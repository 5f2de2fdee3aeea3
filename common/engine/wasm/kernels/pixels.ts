// Operations that move or add whole rows of channels.

import { at, int, loadPart, storePart } from "./lanes";

// y = a + b. Unit: 4,096 numbers. args: a, b, y, n
export function add(args: usize, scratch: usize, begin: i32, end: i32): void {
  const a: usize = int(args, 0), b: usize = int(args, 1), y: usize = int(args, 2), n = int(args, 3);
  for (let i = begin * 4096; i < min(end * 4096, n); i += 4) {
    const sum = f32x4.add(loadPart(at(a, i), n - i), loadPart(at(b, i), n - i));
    storePart(at(y, i), sum, n - i);
  }
}

// y[b, p, c] = x[b, p, c] + v[b, c]. Unit: a pixel. args: x, v, y, P, C
export function addPerSample(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), v: usize = int(args, 1), y: usize = int(args, 2);
  const P = int(args, 3), C = int(args, 4);
  for (let pixel = begin; pixel < end; pixel++) {
    const row = pixel * C, shared = at(v, (pixel / P) * C);
    for (let c = 0; c < C; c += 4) {
      const n = C - c;
      storePart(at(y, row + c), f32x4.add(loadPart(at(x, row + c), n), loadPart(at(shared, c), n)), n);
    }
  }
}

// y[b, c] = Σ x[b, p, c] over p, in four interleaved sums. Unit: (sample, 16 channels).
// args: x, y, P, C
export function sumPixels(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), y: usize = int(args, 1), P = int(args, 2), C = int(args, 3);
  const blocks = (C + 15) / 16;
  for (let unit = begin; unit < end; unit++) {
    const b = unit / blocks, first = (unit % blocks) * 16;
    const from = at(x, b * P * C + first), left = C - first;
    if (left >= 16) {
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      for (let p = 0; p < P; p++) {
        const row = at(from, p * C);
        s0 = f32x4.add(s0, v128.load(row));
        s1 = f32x4.add(s1, v128.load(row, 16));
        s2 = f32x4.add(s2, v128.load(row, 32));
        s3 = f32x4.add(s3, v128.load(row, 48));
      }
      const to = at(y, b * C + first);
      v128.store(to, s0);
      v128.store(to, s1, 16);
      v128.store(to, s2, 32);
      v128.store(to, s3, 48);
      continue;
    }
    for (let c = 0; c < left; c += 4) {
      let sum = f32x4.splat(0);
      for (let p = 0; p < P; p++) sum = f32x4.add(sum, loadPart(at(from, p * C + c), left - c));
      storePart(at(y, b * C + first + c), sum, left - c);
    }
  }
}

// Every pixel of a row twice, every row twice. Unit: an input row. args: x, y, W, C
export function upsample(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), y: usize = int(args, 1), W = int(args, 2), C = int(args, 3);
  const bytes = <usize> C << 2;
  for (let row = begin; row < end; row++) {
    const to = at(y, row * 4 * W * C);
    for (let j = 0; j < W; j++) {
      const from = at(x, (row * W + j) * C);
      memory.copy(to + 2 * j * bytes, from, bytes);
      memory.copy(to + (2 * j + 1) * bytes, from, bytes);
    }
    memory.copy(to + 2 * W * bytes, to, 2 * W * bytes);
  }
}

// Every pixel gathers the gradients of its four copies. Unit: a row of dx. args: dy, dx, W, C
export function upsampleGradient(args: usize, scratch: usize, begin: i32, end: i32): void {
  const dy: usize = int(args, 0), dx: usize = int(args, 1), W = int(args, 2), C = int(args, 3);
  for (let row = begin; row < end; row++) {
    for (let j = 0; j < W; j++) {
      const upper = at(dy, (row * 4 * W + 2 * j) * C), lower = at(upper, 2 * W * C);
      for (let c = 0; c < C; c += 4) {
        const n = C - c;
        const above = f32x4.add(loadPart(at(upper, c), n), loadPart(at(upper, C + c), n));
        const below = f32x4.add(loadPart(at(lower, c), n), loadPart(at(lower, C + c), n));
        storePart(at(dx, (row * W + j) * C + c), f32x4.add(above, below), n);
      }
    }
  }
}

// Copies columns [from, from + count) of rows of `width` to columns [to, ...) of rows of `newWidth`.
// Unit: 16 rows. args: x, y, rows, width, from, count, newWidth, to
export function copyColumns(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), y: usize = int(args, 1), rows = int(args, 2), width = int(args, 3);
  const from = int(args, 4), count = int(args, 5), newWidth = int(args, 6), to = int(args, 7);
  for (let row = begin * 16; row < min(end * 16, rows); row++) {
    memory.copy(at(y, row * newWidth + to), at(x, row * width + from), <usize> count << 2);
  }
}
