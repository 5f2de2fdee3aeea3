// The distances that samples are judged by: what they must be where the answer is known.
import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { frechetDistance } from "../common/report/metrics/frechet.ts";
import {
  type Lines,
  onLines,
  slicedWasserstein,
} from "../common/report/metrics/sliced_wasserstein.ts";
import { sortFloats } from "../common/report/metrics/sort_floats.ts";
import { normal } from "../common/random.ts";

const draw = { seed: 1, stream: "directions" };

function distance(a: Float32Array, b: Float32Array, lines: Lines): number {
  return slicedWasserstein(onLines(a, lines), onLines(b, lines));
}

Deno.test("sliced Wasserstein: 0 for the same points in another order, symmetric", () => {
  const a = normal({ seed: 1, stream: "a" }, 2000);
  const b = normal({ seed: 1, stream: "b" }, 2000);
  const reversed = new Float32Array(2000);
  for (let i = 0; i < 1000; i++) reversed.set(a.subarray(2 * i, 2 * i + 2), 1998 - 2 * i);
  assertAlmostEquals(distance(a, reversed, { draw }), 0, 1e-9);
  const [there, back] = [distance(a, b, { draw }), distance(b, a, { draw })];
  assert(there > 0);
  assertAlmostEquals(there, back, 1e-12);
});

Deno.test("sliced Wasserstein: a shift by d costs d times the mean |cos|, 2/π", () => {
  const a = normal({ seed: 1, stream: "a" }, 400);
  const shifted = a.map((x, i) => i % 2 === 0 ? x + 3 : x);
  const shift = distance(a, shifted, { directions: 20_000, draw });
  assertAlmostEquals(shift, 3 * 2 / Math.PI, 0.03);
  assertThrows(() => distance(a, a.subarray(2), { draw }), RangeError);
});

Deno.test("floats are sorted as sort() does it: all signs and sizes, doubles, parts of an array", () => {
  const few = Float32Array.of(0.5, -0, 0, -1e-45, 1e-45, -3, 2, 2, Infinity, -Infinity, 3e38, -3);
  const many = normal({ seed: 3, stream: "sorted" }, 5000)
    .map((x, i) => x * 10 ** (i % 70 - 35)); // from the smallest to the largest that there are
  for (const values of [few, many.subarray(7, 900), many, new Float32Array(), Float32Array.of(7)]) {
    const expected = values.slice().sort();
    const sorted = sortFloats(values as Float32Array<ArrayBuffer>);
    assert(sorted.every((x, i) => Object.is(x, expected[i])), `${sorted}`);
  }
});

/** N samples of a Gaussian with these means and standard deviations, exactly centred and scaled. */
function features(stream: string, N: number, means: number[], stds: number[]): Float32Array {
  const D = means.length;
  const x = normal({ seed: 2, stream }, N * D);
  return x.map((v, k) => means[k % D] + stds[k % D] * v);
}

Deno.test("Fréchet: diagonal Gaussians have |Δμ|² + Σ(σ₁ − σ₂)²", () => {
  const [m1, s1] = [[0, 1, -2], [1, 2, 0.5]];
  const [m2, s2] = [[0.5, 1, 0], [1, 1, 1.5]];
  const expected = 0.25 + 4 + (0 + 1 + 1);
  const distance = frechetDistance(features("a", 60_000, m1, s1), features("b", 60_000, m2, s2), 3);
  assertAlmostEquals(distance, expected, 0.1);
});

Deno.test("Fréchet: 0 for equal sets, whichever way the axes are turned", () => {
  const a = features("a", 500, Array(64).fill(0), Array.from({ length: 64 }, (_, i) => i / 10));
  assertAlmostEquals(frechetDistance(a, a, 64), 0, 1e-6);
  // the distance does not change when both sets are turned by the same angle
  const b = features("b", 500, [1, 0], [1, 3]);
  const c = features("c", 400, [0, 2], [2, 1]);
  const turn = (x: Float32Array) =>
    x.map((_, k) => {
      const [p, q] = [x[k - k % 2], x[k - k % 2 + 1]];
      return k % 2 === 0 ? 0.6 * p - 0.8 * q : 0.8 * p + 0.6 * q;
    });
  const straight = frechetDistance(b, c, 2);
  assertAlmostEquals(frechetDistance(turn(b), turn(c), 2), straight, 1e-4 * straight);
  assertThrows(() => frechetDistance(a, a.subarray(1), 64), RangeError);
});
