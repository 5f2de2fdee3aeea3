// The adapters that stand for the standard library's packages. Every line here holds for the real
// packages, too: take "links" out of deno.json and run this.
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  AssertionError,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

function fails(check: () => void): void {
  assertThrows(check, AssertionError);
}

Deno.test("assertEquals compares by value", () => {
  const equal: [unknown, unknown][] = [
    [NaN, NaN],
    [0, -0],
    [[1, [-0]], [1, [0]]],
    [{ a: 1, b: [2] }, { b: [2], a: 1 }],
    [Float32Array.of(1, NaN, -0), Float32Array.of(1, NaN, 0)],
    [new Map([["a", [1]]]), new Map([["a", [1]]])],
    [new Set([1, 2]), new Set([2, 1])],
    [new Date(5), new Date(5)],
  ];
  for (const [a, b] of equal) {
    assertEquals(a, b);
    fails(() => assertNotEquals(a, b));
  }
  const different: [unknown, unknown][] = [
    [1, "1"],
    [null, undefined],
    [[1, 2], [1, 2, 3]],
    [{ a: undefined }, {}],
    [Float32Array.of(1), Float64Array.of(1)],
    [Float32Array.of(1), [1]],
    [new Map([["a", 1]]), new Map([["a", 2]])],
    [new Set([1]), new Set([2])],
  ];
  for (const [a, b] of different) {
    assertNotEquals(a, b);
    fails(() => assertEquals(a, b));
  }
});

Deno.test("numbers are almost equal within the tolerance, its end included", () => {
  assertAlmostEquals(1 + 1e-8, 1);
  assertAlmostEquals(1.5, 1, 0.5);
  assertAlmostEquals(NaN, NaN);
  assertAlmostEquals(Infinity, Infinity);
  fails(() => assertAlmostEquals(1 + 1e-6, 1));
  fails(() => assertAlmostEquals(1.5, 1, 0.49));
  fails(() => assertAlmostEquals(NaN, 1, 10));
  fails(() => assertAlmostEquals(1, NaN, 10));
  fails(() => assertAlmostEquals(Infinity, 1, 10));
});

Deno.test("texts and conditions", () => {
  assert("x");
  assertMatch("step 12", /\d+/);
  assertStringIncludes("step 12", "p 1");
  fails(() => assert(0));
  fails(() => assertMatch("step", /\d+/));
  fails(() => assertStringIncludes("step", "12"));
  fails(() => fail());
});

Deno.test("an expected error is given back; another, or none, is a failure", async () => {
  const range = () => {
    throw new RangeError("out of range");
  };
  assertEquals(assertThrows(range, RangeError, "out of").message, "out of range");
  assertEquals(assertThrows(range, Error).message, "out of range"); // RangeError is an Error
  fails(() => assertThrows(range, TypeError));
  fails(() => assertThrows(range, RangeError, "in range"));
  fails(() => assertThrows(() => {}));
  const rejected = () => Promise.reject(new RangeError("out of range"));
  assertEquals((await assertRejects(rejected, RangeError, "range")).message, "out of range");
  await assertRejects(() => assertRejects(rejected, TypeError), AssertionError);
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
});

/** The flags of a script: text, numbers as text, and a switch. */
function parse(...args: string[]) {
  const unknown: string[] = [];
  const { steps, eta, sample, _ } = parseArgs(args, {
    string: ["steps", "eta"],
    boolean: ["sample"],
    collect: ["steps", "eta"],
    unknown: (argument: string) => {
      unknown.push(argument);
      return false;
    },
  });
  return { steps, eta, sample, _, unknown: unknown.slice(0, 1) };
}

const NOTHING = { steps: [], eta: [], sample: false, _: [], unknown: [] };

Deno.test("parseArgs collects values and leaves them text", () => {
  assertEquals(parse() as unknown, NOTHING);
  assertEquals(parse("--steps", "5", "--eta=.5", "--sample") as unknown, {
    ...NOTHING,
    steps: ["5"],
    eta: [".5"],
    sample: true,
  });
  assertEquals(parse("--steps", "5", "--steps=6").steps as unknown, ["5", "6"]);
  assertEquals(parse("--steps=-1").steps as unknown, ["-1"]);
  assertEquals(parse("--steps=a=b").steps as unknown, ["a=b"]);
});

Deno.test("parseArgs gives a flag without a value the empty text", () => {
  for (const args of [["--steps"], ["--steps="], ["--steps", "--eta", "1"], ["--steps", "-"]]) {
    assertEquals(parse(...args).steps as unknown, [""], args.join(" "));
  }
});

Deno.test("parseArgs shows what it does not know, and takes nothing else for it", () => {
  const cases: [string[], string][] = [
    [["--stpes", "5"], "--stpes"],
    [["--no-sample"], "--no-sample"],
    [["--no-steps", "5"], "--no-steps"],
    [["--constructor"], "--constructor"],
    [["--toString=1"], "--toString=1"],
    [["-steps"], "-steps"],
    [["5"], "5"],
    [["--sample", "x"], "x"],
    [["--steps", "5", "6"], "6"],
    [["--steps", ""], ""],
  ];
  for (const [args, expected] of cases) {
    const { sample, unknown } = parse(...args);
    assertEquals(unknown, [expected], args.join(" "));
    assertEquals(sample, args.includes("--sample"));
  }
});

Deno.test("parseArgs reads nothing behind --", () => {
  assertEquals(parse("--sample", "--", "--steps", "5") as unknown, {
    ...NOTHING,
    sample: true,
    _: ["--steps", "5"],
  });
});
