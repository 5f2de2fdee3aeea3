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

/** Writes the first n of the eight lanes of v0 and v1 to p. */
// @ts-ignore: decorator
@inline
export function storePair(p: usize, v0: v128, v1: v128, n: i32): void {
  if (n >= 8) {
    v128.store(p, v0);
    v128.store(p, v1, 16);
  } else {
    storePart(p, v0, n);
    storePart(p + 16, v1, n - 4);
  }
}

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Bytes of the constants of {@linkcode exp4}. */
export const EXP_BYTES: i32 = 192;

/**
 * Writes the constants of {@linkcode exp4} to memory and returns what lies behind them: a compiler
 * that puts a vector together from its numbers does so again at every turn of a loop.
 */
export function prepareExp(table: usize): usize {
  v128.store(table, f32x4.splat(-87));
  v128.store(table, f32x4.splat(88), 16);
  // added to so large a number, a fraction is rounded away: n stands in the last bits
  v128.store(table, f32x4.splat(12582912), 32);
  v128.store(table, f32x4.splat(1.44269504088896), 48); // 1/ln 2
  // ln 2 in two parts, so that n times the first is exact
  v128.store(table, f32x4.splat(0.693359375), 64);
  v128.store(table, f32x4.splat(-2.12194440e-4), 80);
  v128.store(table, f32x4.splat(1.0 / 720), 96);
  v128.store(table, f32x4.splat(1.0 / 120), 112);
  v128.store(table, f32x4.splat(1.0 / 24), 128);
  v128.store(table, f32x4.splat(1.0 / 6), 144);
  v128.store(table, f32x4.splat(0.5), 160);
  v128.store(table, f32x4.splat(1), 176);
  return table + EXP_BYTES;
}

/**
 * exp on four lanes: x = n·ln 2 + r, |r| ≤ ln 2 / 2; exp(r) by its Taylor polynomial of degree 6
 * (relative error below 2e-7), times 2ⁿ put together from its bits. NaN stays NaN.
 *
 * @param table The constants, see {@linkcode prepareExp}.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128, table: usize): v128 {
  x = f32x4.relaxed_min(v128.load(table, 16), f32x4.relaxed_max(v128.load(table), x));
  const shifted = f32x4.relaxed_madd(x, v128.load(table, 48), v128.load(table, 32));
  const n = f32x4.sub(shifted, v128.load(table, 32)), one = v128.load(table, 176);
  let r = f32x4.relaxed_nmadd(n, v128.load(table, 64), x);
  r = f32x4.relaxed_nmadd(n, v128.load(table, 80), r);
  let y = f32x4.relaxed_madd(v128.load(table, 96), r, v128.load(table, 112));
  y = f32x4.relaxed_madd(y, r, v128.load(table, 128));
  y = f32x4.relaxed_madd(y, r, v128.load(table, 144));
  y = f32x4.relaxed_madd(y, r, v128.load(table, 160));
  y = f32x4.relaxed_madd(y, r, one);
  y = f32x4.relaxed_madd(y, r, one);
  // the bits of 1 are those of the exponent 0
  return f32x4.mul(y, i32x4.add(i32x4.shl(shifted, 23), one));
}

/** The logistic function σ(x) = 1/(1 + exp(−x)) on four lanes. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128, table: usize): v128 {
  const one = v128.load(table, 176);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x), table)));
}
