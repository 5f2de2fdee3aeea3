// Non-linearities: ReLU, SiLU and softmax, each with its gradient.

import { at, exp4, float, int, loadPart, prepareExp, sigmoid4, storePart, sumLanes } from "./lanes";

// y = max(x, 0). Unit: 4,096 numbers. args: x, y, n
export function relu(args: usize, _scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), y: usize = int(args, 1), n = int(args, 2);
  const zero = f32x4.splat(0);
  for (let i = begin * 4096; i < min(end * 4096, n); i += 4) {
    storePart(at(y, i), f32x4.max(loadPart(at(x, i), n - i), zero), n - i);
  }
}

// dx = dy where y > 0, and 0 elsewhere. Unit: 4,096 numbers. args: y, dy, dx, n
export function reluGradient(args: usize, _scratch: usize, begin: i32, end: i32): void {
  const y: usize = int(args, 0), dy: usize = int(args, 1), dx: usize = int(args, 2), n = int(args, 3);
  const zero = f32x4.splat(0);
  for (let i = begin * 4096; i < min(end * 4096, n); i += 4) {
    const passes = f32x4.gt(loadPart(at(y, i), n - i), zero);
    storePart(at(dx, i), v128.and(loadPart(at(dy, i), n - i), passes), n - i);
  }
}

// y = x·σ(x). Unit: 4,096 numbers. args: x, y, n
export function silu(args: usize, scratch: usize, begin: i32, end: i32): void {
  prepareExp(scratch);
  const x: usize = int(args, 0), y: usize = int(args, 1), n = int(args, 2);
  for (let i = begin * 4096; i < min(end * 4096, n); i += 4) {
    const v = loadPart(at(x, i), n - i);
    storePart(at(y, i), f32x4.mul(v, sigmoid4(v, scratch)), n - i);
  }
}

// dx = dy·σ(x)·(1 + x·(1 − σ(x))). Unit: 4,096 numbers. args: x, dy, dx, n
export function siluGradient(args: usize, scratch: usize, begin: i32, end: i32): void {
  prepareExp(scratch);
  const x: usize = int(args, 0), dy: usize = int(args, 1), dx: usize = int(args, 2), n = int(args, 3);
  const one = f32x4.splat(1);
  for (let i = begin * 4096; i < min(end * 4096, n); i += 4) {
    const v = loadPart(at(x, i), n - i), s = sigmoid4(v, scratch);
    const slope = f32x4.mul(s, f32x4.add(one, f32x4.mul(v, f32x4.sub(one, s))));
    storePart(at(dx, i), f32x4.mul(loadPart(at(dy, i), n - i), slope), n - i);
  }
}

// y = softmax(scale·x), scale > 0, over rows of n. Unit: a row. args: x, y, n, scale
export function softmax(args: usize, scratch: usize, begin: i32, end: i32): void {
  prepareExp(scratch);
  const x: usize = int(args, 0), y: usize = int(args, 1), n = int(args, 2), scale = float(args, 3);
  for (let row = begin; row < end; row++) {
    const from = at(x, row * n), to = at(y, row * n);
    // the largest number, and later the sum: four lanes at a time, then the lanes, then the rest
    const whole = n & ~3;
    let top = f32x4.splat(-Infinity);
    for (let i = 0; i < whole; i += 4) top = f32x4.max(top, v128.load(at(from, i)));
    let largest = max(
      max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)),
      max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)),
    );
    for (let i = whole; i < n; i++) largest = max(largest, load<f32>(at(from, i)));
    const factor = f32x4.splat(scale), shift = f32x4.splat(largest);
    let sums = f32x4.splat(0);
    for (let i = 0; i < whole; i += 4) {
      const e = exp4(f32x4.mul(f32x4.sub(v128.load(at(from, i)), shift), factor), scratch);
      v128.store(at(to, i), e);
      sums = f32x4.add(sums, e);
    }
    let total = sumLanes(sums);
    if (whole < n) {
      const e = exp4(f32x4.mul(f32x4.sub(loadPart(at(from, whole), n - whole), shift), factor), scratch);
      storePart(at(to, whole), e, n - whole);
      for (let i = whole; i < n; i++) total += load<f32>(at(to, i));
    }
    const inverse = f32x4.splat(1 / total);
    for (let i = 0; i < n; i += 4) {
      storePart(at(to, i), f32x4.mul(loadPart(at(to, i), n - i), inverse), n - i);
    }
  }
}

// dx = scale·y·(dy − Σ dy·y) over rows of n. Unit: a row. args: y, dy, dx, n, scale
export function softmaxGradient(args: usize, scratch: usize, begin: i32, end: i32): void {
  const y: usize = int(args, 0), dy: usize = int(args, 1), dx: usize = int(args, 2);
  const n = int(args, 3), scale = float(args, 4);
  for (let row = begin; row < end; row++) {
    const start = row * n;
    let sums = f32x4.splat(0);
    for (let i = 0; i < n; i += 4) {
      const p = loadPart(at(y, start + i), n - i), g = loadPart(at(dy, start + i), n - i);
      sums = f32x4.add(sums, f32x4.mul(p, g));
    }
    const total = f32x4.splat(sumLanes(sums));
    for (let i = 0; i < n; i += 4) {
      const p = loadPart(at(y, start + i), n - i), g = loadPart(at(dy, start + i), n - i);
      const value = f32x4.mul(f32x4.mul(p, f32x4.sub(g, total)), f32x4.splat(scale));
      storePart(at(dx, start + i), value, n - i);
    }
  }
}
