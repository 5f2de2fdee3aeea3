// The denoisers of paper 5 hold to what the theory says of them.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../common/data/images/image_set.ts";
import { indistinguishable, trainingImages } from "../common/data/images/patches.ts";
import { randomBits } from "../common/random.ts";
import { median, rSquared } from "../common/report/metrics/r_squared.ts";
import { nearestImages } from "../common/report/nearest_images.ts";
import { endOfChain } from "../common/reverse_process.ts";
import { cosineSchedule } from "../common/schedule.ts";
import { ddim } from "../paper_2.ts";
import {
  equivariantLocalDenoiser,
  flow,
  localDenoiser,
  patchRadius,
  perfectDenoiser,
  planeDenoiser,
  withShrinkingPatches,
} from "../paper_5.ts";

await tf.setBackend("cpu");

const [SIZE, N] = [6, 12];

/** Images without any order in them. */
function randomImages(channels: 1 | 3 = 1): ImageSet {
  const count = N * SIZE * SIZE * channels;
  const pixels = Uint8Array.from(randomBits({ seed: 3, stream: "pixels" }, count), (bits) => bits);
  return { name: "test", count: N, height: SIZE, width: SIZE, channels, pixels, flips: false };
}

const all = Array.from({ length: N }, (_, i) => i);
const noisy = (B: number, channels = 1, seed = 1) =>
  tf.randomNormal([B, SIZE, SIZE, channels], 0, 1, "float32", seed) as tf.Tensor4D;

Deno.test("the perfect denoiser is the posterior mean of the training set", async () => {
  const set = randomImages(3);
  const [xt, alphaBar] = [noisy(2, 3), 0.02];
  const found = await perfectDenoiser(trainingImages(set, all))(xt, alphaBar).data();
  const x = await xt.data();
  const size = SIZE * SIZE * 3;
  const image = (i: number, j: number) => set.pixels[i * size + j] / 127.5 - 1;
  for (let b = 0; b < 2; b++) {
    const logs = all.map((i) => {
      let squares = 0;
      for (let j = 0; j < size; j++) {
        squares += (x[b * size + j] - Math.sqrt(alphaBar) * image(i, j)) ** 2;
      }
      return -squares / (2 * (1 - alphaBar));
    });
    const largest = Math.max(...logs);
    const weights = logs.map((log) => Math.exp(log - largest));
    assert(weights.filter((weight) => weight > 0.01).length > 1, "more than one image counts");
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let j = 0; j < size; j++) {
      const mean = all.reduce((sum, i) => sum + weights[i] * image(i, j), 0) / total;
      assertAlmostEquals(found[b * size + j], mean, 1e-4);
    }
  }
});

Deno.test("the chains of the perfect denoiser end in training images", async () => {
  const set = randomImages();
  const expectation = perfectDenoiser(trainingImages(set, all));
  const start = { shape: [5, SIZE, SIZE, 1], seed: 0, name: "test", sampleSteps: 20 } as const;
  const chain = flow(cosineSchedule(1000), expectation, { ...start, shape: [...start.shape] });
  const x0 = await endOfChain(chain);
  const { distance, index } = await nearestImages(await x0.data<"float32">(), set);
  for (const far of distance) assert(far < 1e-3, `${far}`);
  assert(new Set(index).size > 1, "not always the same one");
});

Deno.test("a local denoiser that sees the whole image is the perfect one", async () => {
  const images = trainingImages(randomImages(3), all);
  const xt = noisy(3, 3);
  const perfect = await perfectDenoiser(images)(xt, 0.05).data();
  for (const denoiser of [localDenoiser, equivariantLocalDenoiser]) {
    const whole = await denoiser(images, SIZE - 1)(xt, 0.05).data();
    whole.forEach((value, i) => assertAlmostEquals(value, perfect[i], 1e-4));
  }
});

Deno.test("a local denoiser does not see what is beyond its patch", async () => {
  const images = trainingImages(randomImages(), all);
  const xt = noisy(1);
  const changed = tf.concat(
    [tf.slice(xt, [0, 0, 0, 0], [1, SIZE, 3, 1]), tf.ones([1, SIZE, 3, 1])],
    2,
  );
  for (const denoiser of [localDenoiser, equivariantLocalDenoiser]) {
    const before = await denoiser(images, 1)(xt, 0.2).data();
    const after = await denoiser(images, 1)(changed as tf.Tensor4D, 0.2).data();
    for (let p = 0; p < SIZE * SIZE; p++) {
      if (p % SIZE <= 1) assertEquals(after[p], before[p], `pixel ${p}`);
    }
    assert(before.some((value, p) => value !== after[p]));
  }
});

Deno.test("what a patch becomes does not depend on its place, for ELS alone", async () => {
  const images = trainingImages(randomImages(), all);
  const xt = noisy(1);
  // all of it one pixel to the right
  const moved = tf.concat([
    tf.slice(xt, [0, 0, SIZE - 1, 0], [1, SIZE, 1, 1]),
    tf.slice(xt, [0, 0, 0, 0], [
      1,
      SIZE,
      SIZE - 1,
      1,
    ]),
  ], 2) as tf.Tensor4D;
  let largest = 0;
  for (const denoiser of [equivariantLocalDenoiser, localDenoiser]) {
    const here = await denoiser(images, 1)(xt, 0.3).data();
    const there = await denoiser(images, 1)(moved, 0.3).data();
    for (let y = 1; y < SIZE - 1; y++) {
      for (let x = 1; x < SIZE - 2; x++) {
        const difference = Math.abs(here[y * SIZE + x] - there[y * SIZE + x + 1]);
        if (denoiser === equivariantLocalDenoiser) assert(difference < 1e-5, `${difference}`);
        else largest = Math.max(largest, difference);
      }
    }
  }
  assert(largest > 0.01, `LS knows its place: ${largest}`);
});

Deno.test("places are known by their distance from a border that their patch reaches over", () => {
  assertEquals(indistinguishable(5, 1), [[1, 2, 3], [0], [4]]);
  assertEquals(indistinguishable(4, 0), [[0, 1, 2, 3]]);
  assertEquals(indistinguishable(4, 2), [[0], [1], [2], [3]]);
});

Deno.test("the flow of an expectation is DDIM with η = 0 of its noise", async () => {
  const schedule = cosineSchedule(50);
  const images = trainingImages(randomImages(), all);
  const local = withShrinkingPatches(images, (radius) => localDenoiser(images, radius));
  // ε = (xₜ − √ᾱₜ·x̂₀)/√(1−ᾱₜ)
  const forward = (xt: tf.Tensor4D, t: tf.Tensor1D): tf.Tensor4D => {
    const alphaBar = schedule.alphaBar(t.dataSync()[0]);
    const signal = tf.mul(local(xt, alphaBar), Math.sqrt(alphaBar));
    return tf.div(tf.sub(xt, signal), Math.sqrt(1 - alphaBar));
  };
  const start = () => ({
    ...{ shape: [2, SIZE, SIZE, 1] as [number, number, number, number], seed: 4, name: "test" },
    sampleSteps: 7,
  });
  const own = await (await endOfChain(flow(schedule, local, start()))).data();
  const denoiser = { network: { forward }, schedule };
  const other = await (await endOfChain(ddim(denoiser, { ...start(), eta: 0 }))).data();
  // ε is divided by √ᾱ_T, which is small, on its way back to x̂₀: rounding grows by as much
  own.forEach((value, i) => assertAlmostEquals(value, other[i], 5e-3));
});

Deno.test("patches never grow while the noise goes", () => {
  const radii = Array.from({ length: 100 }, (_, i) => patchRadius(i / 100));
  assertEquals(radii, [...radii].sort((a, b) => b - a));
  assert(radii[0] > radii[99]);
});

Deno.test("r² is 1 for the same, 0 for the mean, and below for worse", () => {
  const y = Float32Array.of(1, 2, 3, 6);
  assertEquals(rSquared(y, y), 1);
  assertEquals(rSquared(new Float32Array(4).fill(3), y), 0);
  assert(rSquared(y.map((value) => -value), y) < 0);
  assertEquals([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
});

Deno.test("the perfect denoiser of a few points of the plane leads back to them", async () => {
  const points = Float32Array.of(-1, 0, 0.5, 0.8, 0.6, -0.9);
  const { chain } = planeDenoiser(cosineSchedule(1000), points, { seed: 0 });
  const ends = await (await endOfChain(chain(40))).data();
  const visited = new Set<number>();
  for (let k = 0; k < 40; k++) {
    const distances = [0, 1, 2].map((i) =>
      Math.hypot(ends[2 * k] - points[2 * i], ends[2 * k + 1] - points[2 * i + 1])
    );
    assert(Math.min(...distances) < 0.01, `${distances}`);
    visited.add(distances.indexOf(Math.min(...distances)));
  }
  assertEquals(visited.size, 3);
});
