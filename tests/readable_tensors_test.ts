import { assert, assertAlmostEquals, assertEquals, assertMatch, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { drawHistogram } from "../common/inspect/histogram.ts";
import { exact, inSteps, precise, short } from "../common/inspect/numbers.ts";
import { drawPictures, picturesIn } from "../common/inspect/picture.ts";
import { arePoints, drawPoints } from "../common/inspect/points.ts";
import { statistics } from "../common/inspect/statistics.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { toByte } from "../common/plot/image_sheet.ts";
import { readPng } from "../common/data/images/png.ts";
import { normal } from "../common/random.ts";
import { UserError } from "../common/user_error.ts";
import { on } from "./backends.ts";
import { inTemporaryFolder, mayRunCommands } from "./commands.ts";

const hasAdapter = await navigator.gpu?.requestAdapter() != null;

/** What f prints with `console.log` and `console.error`. */
async function printed(f: () => void | Promise<void>): Promise<string> {
  const { log, error } = console;
  const lines: string[] = [];
  console.log = console.error = (text: string) => lines.push(text);
  try {
    await f();
  } finally {
    Object.assign(console, { log, error });
  }
  return lines.join("\n");
}

for (const backend of ["wasm", "cpu"] as const) {
  Deno.test(`a tensor on ${backend} is one line in text and in console.log`, async () => {
    await on(backend, () => {
      const lines: [tf.Tensor, string][] = [
        [
          tf.tensor([-1, 0, 1, 2], [2, 2]),
          "f32[2,2] 16 B  μ 0.500 σ 1.118  min −1.0 max 2.0  (NaN 0)",
        ],
        [
          tf.tensor([NaN, 1, 3, Infinity, NaN]),
          "f32[5] 20 B  μ 2.000 σ 1.000  min 1.0 max 3.0  (NaN 2, ∞ 1)",
        ],
        [tf.tensor([NaN, NaN]), "f32[2] 8 B  (NaN 2)"],
        [
          tf.zeros([64, 32, 32, 1]),
          "f32[64,32,32,1] 262 kB  μ 0.000 σ 0.000  min 0.0 max 0.0  (NaN 0)",
        ],
        [tf.scalar(-0.123456789), "f32[] 4 B  −0.123457"],
        [tf.tensor([2.5]), "f32[1] 4 B  2.5"],
        [tf.scalar(true, "bool"), "bool[] 1 B  true"],
        [tf.zeros([0, 4]), "f32[0,4] 0 B  empty"],
        [
          tf.tensor([-7, 0, 1000], [3], "int32"),
          "i32[3] 12 B  μ 331.000 σ 473.063  min −7 max 1000",
        ],
        [tf.tensor([true, false, true], [3], "bool"), "bool[3] 3 B  2 of 3 true"],
        [tf.tensor(["ε", 'a "b"', "c", "d", "e"]), 'str[5]  "ε", "a \\"b\\"", "c", "d", …'],
        [tf.variable(tf.ones([2])), "f32[2] 8 B  μ 1.000 σ 0.000  min 1.0 max 1.0  (NaN 0)"],
      ];
      for (const [tensor, line] of lines) {
        assertEquals(String(tensor), `${line}  ${backend}`);
        assertEquals(Deno.inspect(tensor), String(tensor));
        assertEquals(`${tensor}`, String(tensor));
      }
    });
  });
}

Deno.test("a disposed tensor says so, nested ones show within, and print() still prints numbers", async () => {
  await on("cpu", async () => {
    const gone = tf.tensor([1, 2, 3]);
    gone.dispose();
    assertEquals(String(gone), "f32[3] disposed");
    const one = tf.scalar(1);
    assertEquals(Deno.inspect({ one }), "{ one: f32[] 4 B  1  cpu }");
    assertMatch(Deno.inspect(new Map([["w", one]])), /"w" => f32\[\] 4 B {2}1 {2}cpu/);
    assertMatch(await printed(() => tf.tensor([1, 2]).print()), /\[1, 2\]/);
    assertEquals(String(tf.complex([1, 2], [3, 4])), "c64[2] 16 B  cpu");
  });
});

Deno.test("looking at tensors neither makes tensors nor changes them", async () => {
  await on("wasm", async () => {
    const tensor = gaussianNoise<tf.Rank.R4>({ seed: 1, stream: "look", step: 0 }, [3, 8, 8, 1]);
    const [memory, values] = [tf.memory(), tensor.dataSync()];
    await printed(() => {
      for (let i = 0; i < 3; i++) void [String(tensor), Deno.inspect(tensor), show(tensor)];
    });
    assertEquals(tf.memory(), memory);
    assertEquals(tensor.dataSync(), values);
  });
});

Deno.test("statistics are those of the finite numbers", () => {
  const noise = normal({ seed: 4, stream: "look", step: 0 }, 20_000);
  const { mean, std, min, max, nan, infinite } = statistics(noise);
  assertAlmostEquals(mean, 0, 0.03);
  assertAlmostEquals(std, 1, 0.03);
  assertEquals([min, max, nan, infinite], [Math.min(...noise), Math.max(...noise), 0, 0]);
  const odd = statistics([NaN, ...noise, -Infinity]);
  assertEquals(odd, { mean, std, min, max, nan: 1, infinite: 1 });
  // far from 0 the sum of squares alone would lose all digits
  assertAlmostEquals(statistics([1e8, 1e8 + 1, 1e8 + 2]).std, Math.sqrt(2 / 3), 1e-6);
});

Deno.test("numbers have few digits and a minus sign", () => {
  assertEquals([-4.123, 0.5234, 123.4, 0, -3.14e-7, 1e9].map(short), [
    ..."−4.1 0.52 123 0.0 −3.1e−7 1.0e+9".split(" "),
  ]);
  assertEquals([-0.0031, 0.99812, 0, 2e-5, 12345].map(precise), [
    ..."−0.003 0.998 0.000 2.0e−5 12345".split(" "),
  ]);
  assertEquals([-0.52, -0.001, 0.044, 12].map((number) => inSteps(number, 0.5)), [
    ..."−0.52 0.00 0.04 12.00".split(" "),
  ]);
  assertEquals(inSteps(1234.5, 83), "1235");
  assertEquals([-1234567, 0.1 + 0.2, 1 / 3].map(exact), ["−1234567", "0.3", "0.333333"]);
});

Deno.test("which shapes are images", () => {
  const shapes: [number[], number[] | undefined][] = [
    [[28, 20], [1, 28, 20, 1]],
    [[28, 20, 3], [1, 28, 20, 3]],
    [[5, 28, 20, 1], [5, 28, 20, 1]],
    [[5, 28, 20, 8], undefined],
    [[28, 20, 4], undefined],
    [[5000, 2], undefined], // points
    [[3, 3, 1, 1], undefined], // a kernel
    [[0, 8, 8, 1], undefined],
    [[64], undefined],
    [[], undefined],
  ];
  for (const [shape, expected] of shapes) {
    const found = picturesIn(shape);
    assertEquals(found && [found.count, found.height, found.width, found.channels], expected);
  }
});

const ESCAPE_OR_CHARACTER = new RegExp("\x1b\\[([\\d;]*)m|(.)", "gu");

/** The colours of coloured lines: [red, green, blue] of the upper and the lower pixel of each cell. */
function coloursOf(lines: string[]): (number[] | undefined)[][][] {
  return lines.map((line) => {
    let upper: number[] | undefined;
    let lower: number[] | undefined;
    const cells: (number[] | undefined)[][] = [];
    for (const [, codes, block] of line.matchAll(ESCAPE_OR_CHARACTER)) {
      if (block !== undefined) {
        if (block === "▀") cells.push([upper, lower]);
        continue;
      }
      const numbers = codes.split(";").map(Number);
      upper = numbers[0] === 38 ? numbers.slice(2, 5) : undefined;
      lower = numbers[5] === 48 ? numbers.slice(7, 10) : undefined;
    }
    return cells;
  });
}

Deno.test("a half block shows the colours of two pixels; NaN is red; no line is left coloured", () => {
  const pixels = Array.from({ length: 2 * 5 * 4 * 3 }, (_, i) => i === 3 ? NaN : Math.sin(i) * 1.2);
  const pictures = { count: 2, height: 5, width: 4, channels: 3 };
  const { lines, shown } = drawPictures(pixels, pictures, { columns: 80, colour: true });
  assertEquals([lines.length, shown], [3, 2]);
  assert(lines.every((line) => line.endsWith("\x1b[0m")));
  const colours = coloursOf(lines);
  for (const [n, y, x] of [[0, 0, 0], [0, 3, 2], [1, 4, 3], [1, 1, 1]]) {
    const at = ((n * 5 + y) * 4 + x) * 3;
    const cell = colours[Math.floor(y / 2)][n * 4 + x];
    assertEquals(cell[y % 2], pixels.slice(at, at + 3).map(toByte), `image ${n}, ${x} ${y}`);
  }
  assertEquals(colours[0][1][0], [255, 0, 0]);
  assertEquals(colours[2][0][1], undefined); // below the fifth row there is nothing
});

Deno.test("without colours characters stand for brightness, and equal pixels for equal characters", () => {
  const ramp = Array.from({ length: 4 * 20 }, (_, i) => (i % 20) / 19 * 2 - 1);
  const pictures = { count: 1, height: 4, width: 20, channels: 1 };
  const { lines } = drawPictures(ramp, pictures, { columns: 80, colour: false });
  assertEquals(lines, Array(2).fill("  ..::--==++**##%%@@"));
});

Deno.test("as many images as fit stand side by side; what is too wide is shown smaller", () => {
  const count = 9;
  const pictures = { count, height: 8, width: 8, channels: 1 };
  const white = new Float32Array(count * 64).fill(1);
  const many = drawPictures(white, pictures, { columns: 44, colour: false });
  assertEquals(many.shown, 5);
  assertEquals(many.lines, Array(4).fill(Array(5).fill("@".repeat(8)).join(" ")));

  const wide = { count: 1, height: 30, width: 90, channels: 1 };
  const halves = Array.from({ length: 2700 }, (_, i) => i % 90 < 45 ? -1 : 1);
  const small = drawPictures(halves, wide, { columns: 40, colour: false });
  assertEquals(small.lines, Array(5).fill(" ".repeat(15) + "@".repeat(15)));
});

Deno.test("points in the plane are drawn where they lie", () => {
  assertEquals([[500, 2], [16, 2], [15, 2], [500, 3], [2, 500, 2]].map(arePoints), [
    ...[true, true, false, false, false],
  ]);
  // many at the top right, one on the left, one that is no point
  const values = [...Array(30).fill([1.9, 1.9]).flat(), -2, 0, NaN, 0];
  const lines = drawPoints(values, { columns: 80, colour: false });
  assertEquals(lines.length, 21);
  assertEquals(lines.at(-1), "31 points, x and y within ±2.0");
  const marks = lines.slice(0, 20).flatMap((line, y) =>
    [...line].flatMap((character, x) => character === " " ? [] : [[x, y]])
  );
  assertEquals(marks, [[39, 0], [0, 10]]);
});

Deno.test("a histogram counts every finite number once, in lines no longer than the screen", () => {
  const values = [...normal({ seed: 1, stream: "look", step: 0 }, 5000), NaN, Infinity];
  for (const columns of [30, 80, 200]) {
    const lines = drawHistogram(values, columns);
    assertEquals(lines.length, 12);
    const counts = lines.map((line) => Number(line.split(" ").at(-1)));
    assertEquals(counts.reduce((sum, count) => sum + count), 5000);
    assert(lines.every((line) => line.length <= columns), lines.join("\n"));
    assert(Math.max(...counts) === counts[5] || Math.max(...counts) === counts[6], "a bell");
  }
  assertEquals(drawHistogram([2, 0, 2], 80).map((line) => line.replace(/▕.*? /, "")), [
    "0 1",
    "1 0",
    "2 2",
  ]);
  assertEquals(drawHistogram([0.5, 0.5], 80).length, 1);
  assertEquals(drawHistogram([NaN], 80), []);
});

Deno.test("show prints an image or a histogram, under the tensor's line", async () => {
  await on("cpu", async () => {
    const digit = await printed(() => show(tf.ones([2, 4, 4, 1])));
    assertEquals(digit.split("\n"), ["", String(tf.ones([2, 4, 4, 1])), "@@@@ @@@@", "@@@@ @@@@"]);
    const numbers = await printed(() => show(tf.tensor([1, 1, 2], [3], "int32")));
    assertMatch(numbers, /^\ni32\[3\].*\n1 ▕█+ 2\n2 ▕█+ 1$/);
    const many = await printed(() => show(tf.ones([50, 4, 4, 1])));
    assertMatch(many, /\n\(16 of 50\)$/);
    assertEquals(await printed(() => show(tf.scalar(3))), "\nf32[] 4 B  3  cpu");
    assertEquals(await printed(() => show(tf.zeros([0]))), "\nf32[0] 0 B  empty  cpu");
  });
});

Deno.test("show and peek refuse what is no tensor, and what is gone", async () => {
  await on("cpu", () => {
    const gone = tf.ones([4, 4]);
    gone.dispose();
    assertThrows(() => show([1, 2] as never), UserError, "show: give a tensor, not [ 1, 2 ]");
    assertThrows(() => show(undefined as never), UserError, "not undefined");
    assertThrows(() => show(gone), UserError, "f32[4,4] was disposed of");
    assertThrows(() => show(tf.complex([1], [1])), UserError, "tf.real(x)");
    assertThrows(() => peek(tf.ones([4, 4]), undefined as never), UserError, "peek: give a file");
    assertThrows(() => peek(tf.ones([4, 2]), "runs/x.png"), UserError, "f32[4,2] is no picture");
  });
});

Deno.test({
  name: "peek writes all images of a batch, and overwrites only what it wrote itself",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await on("wasm", async () => {
        const path = `${folder}/four.png`;
        const four = tf.tensor4d([-1, 0, 0.5, 1].flatMap((v) => Array(64).fill(v)), [4, 8, 8, 1]);
        assertEquals(await printed(() => peek(four, path)), `${path}: 4 pictures of 8x8`);
        const { width, height, data } = readPng(await Deno.readFile(path), path);
        assertEquals([width, height], [2 * 68 - 4 + 8, 2 * 68 - 4 + 8]);
        const red = (x: number, y: number) => data[4 * (y * width + x)];
        assertEquals([red(30, 30), red(100, 30), red(30, 100), red(100, 100)], [0, 128, 191, 255]);

        await printed(() => peek(four, path)); // its own file
        await Deno.writeTextFile(`${folder}/mine.png`, "mine");
        assertThrows(() => peek(four, `${folder}/mine.png`), UserError, "is there already");
        assertEquals(await Deno.readTextFile(`${folder}/mine.png`), "mine");
        assertThrows(() => peek(four, `${folder}/none/x.png`), UserError, "cannot write");
      });
    }),
});

// tfjs computes small tensors on the CPU even with WebGPU as its backend: these are larger
const LARGE: [number, number] = [32, 40];

Deno.test({
  name: "on WebGPU a tensor says what is known at once, and shows its numbers when they have come",
  ignore: !hasAdapter,
  fn: () =>
    on("webgpu", async () => {
      const tensor = tf.mul(tf.ones(LARGE), 0.5);
      const unread = "f32[32,40] 5.1 kB  values on the GPU: await show(x)  webgpu";
      assertEquals(Deno.inspect(tensor), unread);
      const { numTensors } = tf.memory();
      const text = await printed(() => show(tensor));
      const read = "f32[32,40] 5.1 kB  μ 0.500 σ 0.000  min 0.50 max 0.50  (NaN 0)  webgpu";
      assertEquals(text.split("\n"), ["", read, ...Array(16).fill("#".repeat(40))]);
      assertEquals(String(tensor), read);
      assertEquals(tf.memory().numTensors, numTensors);
      assertEquals(await printed(() => show(tf.zeros([0]))), "\nf32[0] 0 B  empty  webgpu");
    }),
});

Deno.test({
  name: "on WebGPU show gives the numbers of its moment, whatever becomes of the tensor",
  ignore: !hasAdapter,
  fn: () =>
    on("webgpu", async () => {
      const gone = tf.mul(tf.ones(LARGE), -1);
      const weights = tf.variable(tf.mul(tf.ones(LARGE), 0.5));
      const text = await printed(async () => {
        const shown = [show(gone), show(weights)];
        gone.dispose();
        weights.assign(tf.tidy(() => tf.mul(tf.ones(LARGE), 7)));
        await Promise.all(shown);
      });
      assertMatch(text, /μ −1.000 .*webgpu\n {40}\n/);
      assertMatch(text, /μ 0.500 .*webgpu\n#{40}\n/);
      assertMatch(String(weights), /values on the GPU/); // what was shown is true no more
      assertEquals(await weights.data(), new Float32Array(weights.size).fill(7));
      weights.dispose();
    }),
});
