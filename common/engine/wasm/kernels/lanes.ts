// What the kernels share: reading arguments, partial vectors, and exp on four lanes.
//
// Every kernel has the signature (args, scratch, begin, end): the address of its arguments, of the
// calling thread's own scratch memory, and the range of work units it shall do. What a unit writes
// depends on nothing but the unit, so the result is the same for any number of threads.

/** Argument number i as an integer or an address. */
// @ts-ignore: decorator
@inline
export function int(args: usize, i: i32): i32 {
  return load<i32>(args + (<usize> i << 2));
}

/** Argument number i as a float. */
// @ts-ignore: decorator
@inline
export function float(args: usize, i: i32): f32 {
  return load<f32>(args + (<usize> i << 2));
}

/** Address of element i of a float array. */
// @ts-ignore: decorator
@inline
export function at(base: usize, i: i32): usize {
  return base + (<usize> i << 2);
}

/** The first n of four floats at p, zeros behind them. */
// @ts-ignore: decorator
@inline
export function loadPart(p: usize, n: i32): v128 {
  if (n >= 4) return v128.load(p);
  let v = f32x4.splat(0);
  if (n > 0) v = f32x4.replace_lane(v, 0, load<f32>(p));
  if (n > 1) v = f32x4.replace_lane(v, 1, load<f32>(p, 4));
  if (n > 2) v = f32x4.replace_lane(v, 2, load<f32>(p, 8));
  return v;
}

/** Writes the first n lanes of v to p. */
// @ts-ignore: decorator
@inline
export function storePart(p: usize, v: v128, n: i32): void {
  if (n >= 4) {
    v128.store(p, v);
    return;
  }
  if (n > 0) store<f32>(p, f32x4.extract_lane(v, 0));
  if (n > 1) store<f32>(p, f32x4.extract_lane(v, 1), 4);
  if (n > 2) store<f32>(p, f32x4.extract_lane(v, 2), 8);
}

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/**
 * exp on four lanes: x = n·ln 2 + r, |r| ≤ ln 2 / 2; exp(r) by its Taylor polynomial of degree 6
 * (relative error below 2e-7), times 2ⁿ put together from its bits.
 */
export function exp4(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(88));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896)));
  // ln 2 in two parts, so that n times the first is exact
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let y = f32x4.splat(1.0 / 720);
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1.0 / 120));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1.0 / 24));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1.0 / 6));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(0.5));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(y, power);
}

/** The logistic function σ(x) = 1/(1 + exp(−x)) on four lanes. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}
