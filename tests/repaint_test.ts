// Filling a hole: what is known stays, what is filled fits it, and the chain jumps as RePaint says.
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { type BackendName, selectBackend } from "../common/backend.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { qJump, qSample } from "../common/forward_process.ts";
import {
  type Denoiser,
  endOfChain,
  everyTimestep,
  fewerTimesteps,
  withJumps,
} from "../common/reverse_process.ts";
import { linearSchedule } from "../common/schedule.ts";
import { repaint, type RepaintOptions } from "../paper_2_inpainting.ts";

const T = 20;
const schedule = linearSchedule(T, 0.01, 0.4);
// any smooth function of xₜ and t
const denoiser: Denoiser = {
  schedule,
  network: {
    forward: (xt, t) => tf.tanh(tf.add(xt, tf.reshape(tf.div(t, T), [-1, 1, 1, 1]))) as tf.Tensor4D,
  },
};
const options: RepaintOptions = { sampleSteps: T, jumpLength: 3, jumps: 3, seed: 1, name: "test" };
const hasAdapter = await navigator.gpu?.requestAdapter() != null;

function noise(shape: [number, number, number, number], stream = "x0"): tf.Tensor4D {
  return gaussianNoise<tf.Rank.R4>({ seed: 5, stream }, shape);
}

/** The left half known, [1, 4, 4, 1]. */
function leftKnown(): tf.Tensor4D {
  return tf.tensor4d([1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0], [1, 4, 4, 1]);
}

Deno.test("a chain with jumps walks each stretch r times and ends as without them", () => {
  const times = everyTimestep(8);
  assertEquals(withJumps(times, { jumpLength: 3, jumps: 1 }), times);
  assertEquals(
    withJumps(times, { jumpLength: 3, jumps: 2 }),
    [8, 7, 6, 5, 4, 7, 6, 5, 4, 3, 2, 1, 4, 3, 2, 1],
  );
  // j = 1: the loops of Algorithm 1, every step but that to x₀ done r times
  assertEquals(withJumps([3, 2, 1], { jumpLength: 1, jumps: 3 }), [
    3,
    2,
    3,
    2,
    3,
    2,
    1,
    2,
    1,
    2,
    1,
  ]);
  for (const [S, j, r] of [[10, 2, 3], [10, 3, 5], [50, 5, 4], [7, 6, 2], [7, 7, 2], [1, 1, 9]]) {
    const spaced = fewerTimesteps(100, S);
    const path = withJumps(spaced, { jumpLength: j, jumps: r });
    const down = new Map<string, number>();
    let rises = 0;
    for (let i = 1; i < path.length; i++) {
      const [from, to] = [spaced.indexOf(path[i - 1]), spaced.indexOf(path[i])];
      assert(to === from + 1 || to === from - j, `from ${path[i - 1]} to ${path[i]}`);
      if (to < from) rises++;
      else down.set(`${from}`, (down.get(`${from}`) ?? 0) + 1);
    }
    const stretches = Math.floor((S - 1) / j);
    assertEquals(rises, (r - 1) * stretches);
    const walked = spaced.slice(0, -1).map((_, at) => down.get(`${at}`));
    const above = (S - 1) % j; // steps from T on that make no whole stretch
    assertEquals(walked, walked.map((_, at) => at < above ? 1 : r));
    assertEquals([path[0], path.at(-1)], [spaced[0], spaced.at(-1)]);
  }
  for (const wrong of [{ jumpLength: 0, jumps: 2 }, { jumpLength: 2, jumps: 1.5 }]) {
    assertThrows(() => withJumps(times, wrong), RangeError, "whole numbers from 1");
  }
});

Deno.test("a jump has mean and variance of its single steps, and of q(xₙ|x₀) from t = 0", async () => {
  await tf.setBackend("cpu");
  const count = 40_000;
  const x = tf.fill([count], 0.8) as tf.Tensor1D;
  const eps = (step: number) =>
    gaussianNoise<tf.Rank.R1>({ seed: 2, stream: "eps", step }, [count]);
  for (const [t, n] of [[0, 1], [3, 4], [3, 9], [10, T]]) {
    let single = x;
    for (let s = t + 1; s <= n; s++) {
      const beta = schedule.beta(s);
      single = tf.add(tf.mul(single, Math.sqrt(1 - beta)), tf.mul(eps(s), Math.sqrt(beta)));
    }
    const jumped = qJump(schedule, { xt: x, t, tNext: n, eps: eps(99) });
    const [a, b] = [tf.moments(single), tf.moments(jumped)];
    assertAlmostEquals(b.mean.dataSync()[0], a.mean.dataSync()[0], 0.02, `mean from ${t} to ${n}`);
    const [expected, variance] = [a, b].map((moments) => moments.variance.dataSync()[0]);
    assertAlmostEquals(variance, expected, 0.03 * expected, `variance from ${t} to ${n}`);
    if (t > 0) continue;
    const sampled = qSample(schedule, x, n, eps(99)).dataSync();
    assertEquals(jumped.dataSync(), sampled);
  }
  assertThrows(() => qJump(schedule, { xt: x, t: 5, tNext: 4, eps: x }), RangeError, "5 to 4");
});

for (const backend of ["cpu", "wasm", "webgpu"] as BackendName[]) {
  Deno.test({
    name: `known pixels come back bit for bit on ${backend}, and the hidden ones are not looked at`,
    ignore: backend === "webgpu" && !hasAdapter,
    fn: async () => {
      const started = await selectBackend(backend, { workers: 1 });
      const x0 = noise([3, 4, 4, 1]);
      const m = leftKnown();
      const filled = await (await endOfChain(repaint(denoiser, { x0, m }, options))).data();
      const original = await x0.data();
      for (const [i, value] of filled.entries()) {
        if (i % 4 < 2) assertEquals(value, original[i], `pixel ${i}`);
        else assert(value !== original[i], `pixel ${i}`);
      }
      const otherHidden = tf.where(tf.equal(m, 1), x0, tf.fill(x0.shape, 0.5)) as tf.Tensor4D;
      const same = await endOfChain(repaint(denoiser, { x0: otherHidden, m }, options));
      assertEquals(await same.data(), filled);
      started.dispose();
    },
  });
}

Deno.test("without a hole the images come back as they are", async () => {
  await tf.setBackend("cpu");
  const x0 = noise([2, 4, 4, 1]);
  const m = tf.ones<tf.Rank.R4>([1, 4, 4, 1]);
  const end = await endOfChain(repaint(denoiser, { x0, m }, options));
  assertEquals(end.dataSync(), x0.dataSync());
});

Deno.test("known pixels are as noisy as q(xₜ|x₀) at every point, after a jump, too", async () => {
  await tf.setBackend("cpu");
  const count = 4000;
  const x0 = tf.fill<tf.Rank.R4>([count, 1, 2, 1], 0.7);
  const m = tf.tensor4d([1, 0], [1, 1, 2, 1]);
  const some = { ...options, sampleSteps: 10 };
  let points = 0;
  await endOfChain(repaint(denoiser, { x0, m }, some), ({ t, xt }) => {
    if (points++ === 0 || t === 0) return; // x_T is pure noise
    const known = tf.moments(tf.slice(xt, [0, 0, 0, 0], [count, 1, 1, 1]));
    const alphaBar = schedule.alphaBar(t);
    assertAlmostEquals(known.mean.dataSync()[0], 0.7 * Math.sqrt(alphaBar), 0.07, `t = ${t}`);
    assertAlmostEquals(known.variance.dataSync()[0], 1 - alphaBar, 0.1, `t = ${t}`);
  });
  assertEquals(points, withJumps(fewerTimesteps(T, 10), some).length + 1);
});

Deno.test("every visit of a time draws noise of its own", async () => {
  await tf.setBackend("cpu");
  const x0 = tf.fill<tf.Rank.R4>([1, 1, 7, 1], 0.7);
  const m = tf.tensor4d([1, 1, 1, 1, 1, 1, 0], [1, 1, 7, 1]);
  const points: { t: number; known: Float32Array }[] = [];
  await endOfChain(
    repaint(denoiser, { x0, m }, options),
    ({ t, xt }) => void points.push({ t, known: xt.dataSync<"float32">().slice(0, 6) }),
  );
  const drawn: string[] = [];
  for (let i = 1; i < points.length - 1; i++) {
    const [before, { t, known }] = [points[i - 1], points[i]];
    const jumped = t > before.t;
    // the noise in the known pixels: since the jump, or since x₀
    const kept = jumped ? schedule.alphaBar(t) / schedule.alphaBar(before.t) : schedule.alphaBar(t);
    const noise = known.map((x, k) =>
      (x - Math.sqrt(kept) * (jumped ? before.known[k] : 0.7)) / Math.sqrt(1 - kept)
    );
    drawn.push(Array.from(noise, (x) => x.toFixed(1)).join(" "));
  }
  assertEquals(new Set(drawn).size, drawn.length);
});

Deno.test("with one walk nothing jumps: each time is visited once, whatever the jump length", async () => {
  await tf.setBackend("cpu");
  const hole = { x0: noise([2, 4, 4, 1]), m: leftKnown() };
  const ends: Float32Array[] = [];
  for (const jumpLength of [1, 7]) {
    const visited: number[] = [];
    const once = { ...options, jumpLength, jumps: 1 };
    const end = await endOfChain(
      repaint(denoiser, hole, once),
      ({ t }) => void visited.push(t),
    );
    assertEquals(visited, [...everyTimestep(T), 0]);
    ends.push(end.dataSync<"float32">());
  }
  assertEquals(ends[0], ends[1]);
});

/** Two pixels with mean 0, variance v and correlation ρ: E[x₀|xₜ] is linear, so ε_θ is known exactly. */
function twoPixels(v: number, rho: number): Denoiser {
  const schedule = linearSchedule(50, 0.001, 0.2);
  const forward = (xt: tf.Tensor4D, t: tf.Tensor1D) => {
    const alphaBar = schedule.alphaBar(t.dataSync()[0]);
    // Cov(xₜ) = ᾱ·C + (1−ᾱ)·I, and ε_θ = √(1−ᾱ)·Cov(xₜ)⁻¹·xₜ
    const [p, q] = [alphaBar * v + 1 - alphaBar, alphaBar * rho * v];
    const inverse = tf.div(tf.tensor2d([p, -q, -q, p], [2, 2]), p * p - q * q);
    const whitened = tf.matMul(tf.reshape(xt, [-1, 2]), inverse);
    return tf.reshape(tf.mul(whitened, Math.sqrt(1 - alphaBar)), xt.shape) as tf.Tensor4D;
  };
  return { schedule, network: { forward }, clip: false };
}

Deno.test("going back and forth brings the fillings to what the known pixels say", async () => {
  await tf.setBackend("cpu");
  const [rho, known, count] = [0.9, 0.8, 2000];
  const x0 = tf.tile(tf.tensor4d([known, 0], [1, 1, 2, 1]), [count, 1, 1, 1]);
  const m = tf.tensor4d([1, 0], [1, 1, 2, 1]);
  const meanFilling = async (jumps: number) => {
    const walk = { ...options, sampleSteps: 50, jumpLength: 1, jumps };
    const end = await endOfChain(repaint(twoPixels(0.25, rho), { x0, m }, walk));
    return tf.mean(tf.slice(end, [0, 0, 1, 0], [count, 1, 1, 1])).dataSync()[0];
  };
  const [once, often] = [await meanFilling(1), await meanFilling(10)];
  const right = rho * known; // E[x₂ | x₁]
  assert(once < 0.75 * right, `one walk: ${once}; right is ${right}`);
  assertAlmostEquals(often, right, 0.05 * right);
});

Deno.test("filling frees its tensors, stopped early or not", async () => {
  await tf.setBackend("cpu");
  const hole = { x0: noise([2, 4, 4, 1]), m: leftKnown() };
  const before = tf.memory().numTensors;
  tf.dispose(await endOfChain(repaint(denoiser, hole, options)));
  assertEquals(tf.memory().numTensors, before);
  let points = 0;
  for (const { x0Hat } of repaint(denoiser, hole, options)) {
    assertEquals(x0Hat.shape, [2, 4, 4, 1]);
    if (++points === 11) break;
  }
  assertEquals(tf.memory().numTensors, before);
});
