// The noise schedules and the forward process: the original's numbers, and what the closed forms claim.
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { qPosterior, qSample } from "../common/forward_process.ts";
import { normal } from "../common/random.ts";
import {
  cosineSchedule,
  linearSchedule,
  type Schedule,
  sigmoidSchedule,
} from "../common/schedule.ts";
import reference from "./fixtures/schedule.json" with { type: "json" };

const schedules: [string, Schedule][] = [
  ["linear", linearSchedule(1000)],
  ["sigmoid", sigmoidSchedule(40)],
  ["cosine", cosineSchedule(200)],
  ["two steps", linearSchedule(2, 0.1, 0.5)],
];

function assertRelative(actual: number, expected: number): void {
  assertAlmostEquals(actual, expected, 1e-8 * Math.abs(expected));
}

Deno.test("paper 1's schedule is the original's", () => {
  const schedule = sigmoidSchedule(40);
  const { beta, alpha_bar, posterior } = reference.paper_1;
  beta.forEach((x, i) => assertRelative(schedule.beta(i + 1), x));
  alpha_bar.forEach((x, i) => assertRelative(schedule.alphaBar(i + 1), x));
  posterior.t.forEach((t, i) => {
    const { coefX0, coefXt, std } = schedule.posterior(t);
    assertRelative(coefX0, posterior.coef_x0[i]);
    assertRelative(coefXt, posterior.coef_xt[i]);
    assertRelative(std, posterior.std[i]);
  });
});

Deno.test("paper 2's schedule is the original's", () => {
  const schedule = linearSchedule(1000);
  const [first, last] = reference.paper_2.beta_first_last;
  assertRelative(schedule.beta(1), first);
  assertRelative(schedule.beta(1000), last);
  for (const [t, x] of Object.entries(reference.paper_2.alpha_bar_at)) {
    assertRelative(schedule.alphaBar(Number(t)), x);
  }
});

for (const [name, schedule] of schedules) {
  Deno.test(`${name}: ᾱ falls from 1 and β stays a variance`, () => {
    assertEquals(schedule.alphaBar(0), 1);
    for (let t = 1; t <= schedule.T; t++) {
      assert(schedule.beta(t) > 0 && schedule.beta(t) < 1);
      assert(schedule.alphaBar(t) < schedule.alphaBar(t - 1));
    }
  });

  Deno.test(`${name}: q(xₜ|x₀) in closed form is t single steps`, () => {
    let [coefficient, variance] = [1, 0];
    for (let t = 1; t <= schedule.T; t++) {
      // xₜ = √(1−βₜ)·x_{t−1} + √βₜ·ε
      coefficient *= Math.sqrt(1 - schedule.beta(t));
      variance = (1 - schedule.beta(t)) * variance + schedule.beta(t);
      assertRelative(Math.sqrt(schedule.alphaBar(t)), coefficient);
      assertAlmostEquals(1 - schedule.alphaBar(t), variance, 1e-12);
    }
  });

  Deno.test(`${name}: the posterior is Bayes' rule done numerically`, () => {
    const { T } = schedule;
    for (const t of [2, Math.ceil(T / 2), T].filter((t) => t > 1)) {
      const [x0, xt] = [0.7, -0.4];
      const logGaussian = (x: number, m: number, v: number) => -((x - m) ** 2) / (2 * v);
      const before = schedule.alphaBar(t - 1);
      // q(x_{t−1}|xₜ,x₀) ∝ q(xₜ|x_{t−1})·q(x_{t−1}|x₀) on a fine grid around where it is
      const { coefX0, coefXt, std } = schedule.posterior(t);
      const centre = coefX0 * x0 + coefXt * xt;
      const logP = (x: number) =>
        logGaussian(xt, Math.sqrt(schedule.alpha(t)) * x, schedule.beta(t)) +
        logGaussian(x, Math.sqrt(before) * x0, 1 - before);
      let [mass, first, second] = [0, 0, 0];
      for (let i = -4000; i <= 4000; i++) {
        const x = centre + i * std / 400;
        const p = Math.exp(logP(x) - logP(centre)); // up to a factor, which the mass divides out
        mass += p;
        first += p * x;
        second += p * x * x;
      }
      const mean = first / mass;
      assertAlmostEquals(mean, centre, 1e-5 * std + 1e-9);
      assertAlmostEquals(Math.sqrt(second / mass - mean ** 2), std, 1e-4 * std);
    }
    assertEquals(schedule.posterior(1), { coefX0: 1, coefXt: 0, std: 0 });
  });

  Deno.test(`${name}: times that are none are refused`, () => {
    for (const t of [0, -1, schedule.T + 1, 1.5, NaN]) {
      assertThrows(() => schedule.beta(t), RangeError);
      assertThrows(() => schedule.posterior(t), RangeError);
    }
    assertThrows(() => schedule.alphaBar(-1), RangeError);
  });
}

Deno.test("a schedule needs two steps and variances between 0 and 1", () => {
  assertThrows(() => linearSchedule(1), RangeError, "1 steps");
  assertThrows(() => sigmoidSchedule(2.5), RangeError);
  assertThrows(() => linearSchedule(10, 0.1, 1.5), RangeError, "β at step");
});

Deno.test("a batch of t gives the same numbers as tensors", async () => {
  await tf.setBackend("cpu");
  const schedule = sigmoidSchedule(40);
  const times = [1, 7, 40, 7];
  const { beta, alpha, alphaBar, coefX0, coefXt, std } = schedule.batch(times);
  for (const [i, t] of times.entries()) {
    const posterior = schedule.posterior(t);
    const at = async (x: tf.Tensor) => (await x.data())[i];
    assertAlmostEquals(await at(beta), schedule.beta(t), 1e-7);
    assertAlmostEquals(await at(alpha), schedule.alpha(t), 1e-7);
    assertAlmostEquals(await at(alphaBar), schedule.alphaBar(t), 1e-7);
    assertAlmostEquals(await at(coefX0), posterior.coefX0, 1e-7);
    assertAlmostEquals(await at(coefXt), posterior.coefXt, 1e-7);
    assertAlmostEquals(await at(std), posterior.std, 1e-7);
  }
});

Deno.test("qSample and qPosterior: moments of many draws, one t for each sample or for all", async () => {
  await tf.setBackend("cpu");
  const schedule = linearSchedule(1000);
  const n = 20_000;
  const x0 = tf.fill([2, n], 0.8) as tf.Tensor2D;
  const eps = tf.tensor2d(normal({ seed: 3, stream: "eps" }, 2 * n), [2, n]);
  const xt = qSample(schedule, x0, [100, 600], eps);
  for (const [row, t] of [100, 600].entries()) {
    const values = await tf.slice(xt, [row, 0], [1, n]).data<"float32">();
    const mean = values.reduce((sum, x) => sum + x, 0) / n;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
    const alphaBar = schedule.alphaBar(t);
    assertAlmostEquals(mean, Math.sqrt(alphaBar) * 0.8, 0.02);
    assertAlmostEquals(variance, 1 - alphaBar, 0.03 * (1 - alphaBar));
  }
  const same = await qSample(schedule, x0, 600, eps).data();
  assertEquals(same.slice(n), (await xt.data()).slice(n));
  const { mean, std } = qPosterior(schedule, x0, xt, [100, 600]);
  assertEquals(mean.shape, [2, n]);
  assertEquals(std.shape, [2, 1]);
});
