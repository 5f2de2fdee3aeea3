// The images as numbers: scaling, framing, batches, and the digits that come with the program.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { areaAverage, fitToSize, type Images } from "../common/data/images/geometry.ts";
import { batch, type ImageSet } from "../common/data/images/image_set.ts";
import { loadImages } from "../common/data/images/load.ts";
import { integers } from "../common/random.ts";
import { UserError } from "../common/user_error.ts";

function images(height: number, width: number, channels = 1, count = 2): Images {
  const draw = { seed: 1, stream: `images ${height} ${width}` };
  const pixels = Uint8Array.from(integers(draw, count * height * width * channels, 0, 256));
  return { count, height, width, channels, pixels };
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;
}

Deno.test("area averaging by a whole factor is the mean of each block", () => {
  const source = images(6, 6, 3);
  const scaled = areaAverage(source, 2);
  const at = (n: number, y: number, x: number, c: number) =>
    source.pixels[((n * 6 + y) * 6 + x) * 3 + c];
  for (const [n, y, x, c] of [[0, 0, 0, 0], [1, 1, 0, 2], [1, 1, 1, 1]]) {
    let sum = 0;
    for (let v = 0; v < 3; v++) for (let u = 0; u < 3; u++) sum += at(n, 3 * y + v, 3 * x + u, c);
    assertEquals(scaled[((n * 2 + y) * 2 + x) * 3 + c], Math.round(sum / 9));
  }
});

Deno.test("area averaging 28 to 16 weighs pixels by the area covered", () => {
  // a vertical line in column 1 lies with 0.75 under new column 0 and with 0.25 under column 1
  const pixels = new Uint8Array(28 * 28);
  for (let y = 0; y < 28; y++) pixels[y * 28 + 1] = 210;
  const scaled = areaAverage({ count: 1, height: 28, width: 28, channels: 1, pixels }, 16);
  assertEquals([...scaled.subarray(0, 3)], [Math.round(210 * 0.75 / 1.75), 210 * 0.25 / 1.75, 0]);
  assertEquals(scaled.subarray(0, 16), scaled.subarray(15 * 16, 16 * 16));
});

Deno.test("area averaging keeps brightness, constants and mirror images, up and down", () => {
  for (const [from, to] of [[28, 16], [28, 32], [7, 3], [5, 16], [1, 4], [9, 9]]) {
    const source = images(from, from, 1, 1);
    const scaled = areaAverage(source, to);
    assert(Math.abs(mean(scaled) - mean(source.pixels)) < 0.5, `${from} to ${to}`);
    const white = areaAverage({ ...source, pixels: source.pixels.map(() => 255) }, to);
    assert(white.every((v) => v === 255), `${from} to ${to}: white stays white`);
    const turned = areaAverage({ ...source, pixels: source.pixels.toReversed() }, to);
    assertEquals(turned, scaled.toReversed());
  }
});

Deno.test("28x28 becomes 32x32 by two background pixels all round", () => {
  const source = images(28, 28);
  const framed = fitToSize(source, 32, 7);
  for (let n = 0; n < 2; n++) {
    for (let y = 0; y < 32; y++) {
      for (let x = 0; x < 32; x++) {
        const inside = y >= 2 && y < 30 && x >= 2 && x < 30;
        const expected = inside ? source.pixels[(n * 28 + y - 2) * 28 + x - 2] : 7;
        if (framed[(n * 32 + y) * 32 + x] !== expected) throw new Error(`at ${n}, ${y}, ${x}`);
      }
    }
  }
});

Deno.test("an image of the right size is left alone", () => {
  const source = images(32, 32, 3);
  assert(fitToSize(source, 32) === source.pixels);
});

Deno.test("batch scales to [-1, 1] and turns images left to right", () => {
  const pixels = Uint8Array.from([0, 255, 51, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  const set: ImageSet = {
    name: "two",
    count: 2,
    height: 1,
    width: 2,
    channels: 3,
    pixels,
    flips: true,
  };
  const values = batch(set, [0, 1, 1], [0, 0, 1]);
  const back = Array.from(values, (x) => Math.round((x + 1) * 127.5));
  assertEquals(back.slice(0, 6), [0, 255, 51, 10, 20, 30]);
  assertEquals(back.slice(12), [70, 80, 90, 40, 50, 60]);
  assertEquals([values[0], values[1]], [-1, 1]);
  assertThrows(() => batch(set, [2]), RangeError, "there are 0 to 1");
});

Deno.test("the embedded digits: 9,000 and 1,000, of every class, none in both halves", async () => {
  const train = await loadImages({ dataset: "mnist", size: 28, split: "train" });
  const test = await loadImages({ dataset: "mnist", size: 28, split: "test" });
  assertEquals([train.count, test.count, train.channels, train.flips], [9000, 1000, 1, false]);
  const keys = (set: ImageSet) =>
    Array.from({ length: set.count }, (_, n) => set.pixels.subarray(n * 784, (n + 1) * 784).join());
  const unseen = new Set(keys(test));
  assert(!keys(train).some((key) => unseen.has(key)));
  for (let digit = 0; digit < 10; digit++) {
    const share = test.labels!.filter((label) => label === digit).length / 1000;
    assert(share > 0.08 && share < 0.12, `${digit}: ${share}`);
  }
  // the first 3 of MNIST begins so
  const three = test.pixels.subarray(test.labels!.indexOf(3) * 784);
  assertEquals([...three.filter((v) => v > 0).subarray(0, 5)], [38, 43, 105, 255, 253]);
});

Deno.test("digits at 16x16 and 32x32 keep their brightness", async () => {
  const at = async (size: number) => await loadImages({ dataset: "mnist", size, split: "test" });
  const [small, original, framed] = [await at(16), await at(28), await at(32)];
  assertEquals([small.pixels.length, framed.pixels.length], [1000 * 256, 1000 * 1024]);
  assert(Math.abs(mean(small.pixels) - mean(original.pixels)) < 0.1);
  assert(Math.abs(mean(framed.pixels) * 1024 / 784 - mean(original.pixels)) < 1e-6);
});

Deno.test("options that do not go together are refused in one line", async () => {
  const bad: [Parameters<typeof loadImages>[0], string][] = [
    [
      { dataset: "minst" as "mnist", size: 16, split: "train" },
      "expected one of mnist, mnist-full",
    ],
    [{ dataset: "mnist", size: 0.5, split: "train" }, "1 to 512"],
    [{ dataset: "mnist", size: 16, split: "train", dataDir: "x" }, "mnist-full"],
    [{ dataset: "images", size: 16, split: "train" }, "--data-dir"],
    [{ dataset: "images", size: 16, split: "train", dataDir: "x", download: true }, "--data-dir"],
    [{ dataset: "cifar10", size: 16, split: "train", cacheDir: "nowhere" }, "--download"],
  ];
  for (const [options, part] of bad) {
    const error = await assertRejects(() => loadImages(options), UserError, part);
    assert(!error.message.includes("\n"));
  }
});
