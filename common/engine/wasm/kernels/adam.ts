// The optimizer on flat vectors.

import { at, float, int, loadPart, storePart } from "./lanes";

// partial[unit] = Σ g² over 4,096 numbers, in float64. args: g, partial, n
export function sumSquares(args: usize, scratch: usize, begin: i32, end: i32): void {
  const g: usize = int(args, 0), partial: usize = int(args, 1), n = int(args, 2);
  for (let unit = begin; unit < end; unit++) {
    let total: f64 = 0;
    for (let i = unit * 4096; i < min(unit * 4096 + 4096, n); i++) {
      const value = <f64> load<f32>(at(g, i));
      total += value * value;
    }
    store<f64>(partial + (<usize> unit << 3), total);
  }
}

// One Adam step and the moving average of the weights, in place. Unit: 4,096 numbers.
// args: w, g, m, v, ema or 0, n, gradient scale, β₁, β₂, step size, ε, EMA decay, 1/√(1 − β₂ᵗ)
export function adam(args: usize, scratch: usize, begin: i32, end: i32): void {
  const w: usize = int(args, 0), g: usize = int(args, 1), m: usize = int(args, 2);
  const v: usize = int(args, 3), ema: usize = int(args, 4), n = int(args, 5);
  const scale = f32x4.splat(float(args, 6));
  const beta1 = f32x4.splat(float(args, 7)), rest1 = f32x4.splat(1 - float(args, 7));
  const beta2 = f32x4.splat(float(args, 8)), rest2 = f32x4.splat(1 - float(args, 8));
  const stepSize = f32x4.splat(float(args, 9)), epsilon = f32x4.splat(float(args, 10));
  const decay = f32x4.splat(float(args, 11)), correction2 = f32x4.splat(float(args, 12));
  const restDecay = f32x4.sub(f32x4.splat(1), decay);
  for (let i = begin * 4096; i < min(end * 4096, n); i += 4) {
    const left = n - i;
    const gradient = f32x4.mul(loadPart(at(g, i), left), scale);
    const first = f32x4.add(f32x4.mul(loadPart(at(m, i), left), beta1), f32x4.mul(gradient, rest1));
    const second = f32x4.add(
      f32x4.mul(loadPart(at(v, i), left), beta2),
      f32x4.mul(f32x4.mul(gradient, gradient), rest2),
    );
    storePart(at(m, i), first, left);
    storePart(at(v, i), second, left);
    const denominator = f32x4.add(f32x4.mul(f32x4.sqrt(second), correction2), epsilon);
    const change = f32x4.div(f32x4.mul(stepSize, first), denominator);
    const weight = f32x4.sub(loadPart(at(w, i), left), change);
    storePart(at(w, i), weight, left);
    if (ema) {
      const average = loadPart(at(ema, i), left);
      storePart(at(ema, i), f32x4.add(f32x4.mul(average, decay), f32x4.mul(weight, restDecay)), left);
    }
  }
}
