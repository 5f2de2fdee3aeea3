// Random numbers: the generator's published answers, and what a run relies on.
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { integers, normal, permutation, randomBits, threefry, uniform } from "../common/random.ts";

Deno.test("Threefry-2x32-20 gives the answers that its authors published", () => {
  const cases: [number[], number[], number[]][] = [
    [[0, 0], [0, 0], [0x6b200159, 0x99ba4efe]],
    [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x1cb996fc, 0xbb002be7]],
    [[0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], [0xc4923a9c, 0x483df7a0]],
  ];
  for (const [[k0, k1], [c0, c1], expected] of cases) {
    const out = new Uint32Array(2);
    threefry([k0, k1], c0, c1, out, 0);
    assertEquals([...out], expected);
  }
});

Deno.test("number i depends on seed, stream, step and i, and on nothing else", () => {
  const draw = { seed: 7, stream: "eps", step: 3 };
  const long = normal(draw, 1001);
  assertEquals(normal(draw, 10), long.slice(0, 10)); // the first ones of a longer draw
  assertEquals(normal({ ...draw }, 1001), long);
  for (const other of [{ seed: 8 }, { stream: "epx" }, { step: 4 }, { seed: 7 + 2 ** 32 }]) {
    const numbers = normal({ ...draw, ...other }, 1001);
    assertNotEquals(numbers, long);
    const correlation = numbers.reduce((sum, x, i) => sum + x * long[i], 0) / 1001;
    assert(Math.abs(correlation) < 0.15, `${JSON.stringify(other)}: ${correlation}`);
  }
  assertEquals(normal({ seed: 1, stream: "a" }, 4), normal({ seed: 1, stream: "a", step: 0 }, 4));
});

Deno.test("uniform numbers fill [0, 1) evenly", () => {
  const n = 100_000;
  const numbers = uniform({ seed: 1, stream: "u" }, n);
  assert(numbers.every((u) => u >= 0 && u < 1));
  const counts = new Array(10).fill(0);
  for (const u of numbers) counts[Math.floor(10 * u)]++;
  for (const count of counts) assertAlmostEquals(count, n / 10, 5 * Math.sqrt(n / 10));
});

Deno.test("normal numbers have the moments of N(0, 1)", () => {
  const n = 200_001; // odd: the last pair is cut
  const numbers = normal({ seed: 2, stream: "n" }, n);
  assertEquals(numbers.length, n);
  const moment = (k: number) => numbers.reduce((sum, x) => sum + x ** k, 0) / n;
  assertAlmostEquals(moment(1), 0, 0.01);
  assertAlmostEquals(moment(2), 1, 0.015);
  assertAlmostEquals(moment(3), 0, 0.03);
  assertAlmostEquals(moment(4), 3, 0.1);
  assert(numbers.every(Number.isFinite));
});

Deno.test("integers stay in their range and reach all of it; a permutation is one", () => {
  const numbers = integers({ seed: 3, stream: "i" }, 10_000, -2, 5);
  assertEquals([...new Set(numbers)].sort((a, b) => a - b), [-2, -1, 0, 1, 2, 3, 4]);
  const order = permutation({ seed: 3, stream: "p" }, 500);
  assertEquals([...order].sort((a, b) => a - b), Array.from({ length: 500 }, (_, i) => i));
  assertNotEquals([...order], [...order].sort((a, b) => a - b));
  assertEquals(randomBits({ seed: 1, stream: "none" }, 0).length, 0);
});
