// The solvers: their orders measured as slopes, the ends of their ways, and what they cost.
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import {
  dormandPrince,
  dormandPrinceStep,
  eulerStep,
  heunStep,
  type Interval,
  solve,
  type Step,
  type Velocity,
} from "../common/ode.ts";

/** dx/dt = ω(t)·(−y, x) with ω = 3 + 4t: after t = 1 the points have turned by 5. */
const turning: Velocity = (x, t) => {
  const [a, b] = tf.split(x, 2, 1);
  return tf.mul(3 + 4 * t, tf.concat([tf.neg(b), a], 1)) as tf.Tensor2D;
};
const TURN = 5;

/** How far a point at (1, 0) ends from where it belongs. */
async function errorOf(end: tf.Tensor2D): Promise<number> {
  const [x, y] = await end.data();
  return Math.hypot(x - Math.cos(TURN), y - Math.sin(TURN));
}

function start(): tf.Tensor2D {
  return tf.tensor2d([1, 0], [1, 2]);
}

async function errorAfter(step: Step, steps: number): Promise<number> {
  let error = NaN;
  for (const { t, x } of solve(turning, start(), { steps, step })) {
    if (t === 1) error = await errorOf(x);
  }
  return error;
}

/** Dormand and Prince with steps of one length, each a whole one. */
async function errorAfterDormandPrince(steps: number): Promise<number> {
  let x = start();
  for (let i = 0; i < steps; i++) {
    const [t, h] = [i / steps, 1 / steps];
    x = dormandPrinceStep(turning, { x, t, h, k1: turning(x, t) }).x;
  }
  return await errorOf(x);
}

/** By which power of the step's length the error falls, from twice as few steps on. */
function slope(coarse: number, fine: number): number {
  return Math.log2(coarse / fine);
}

function solverTest(name: string, fn: () => Promise<void>): void {
  Deno.test(name, async () => {
    await tf.setBackend("cpu");
    tf.engine().startScope();
    try {
      await fn();
    } finally {
      tf.engine().endScope();
    }
  });
}

solverTest("Euler is of first order, Heun of second", async () => {
  const euler = slope(await errorAfter(eulerStep, 1000), await errorAfter(eulerStep, 2000));
  assertAlmostEquals(euler, 1, 0.1);
  const heun = slope(await errorAfter(heunStep, 50), await errorAfter(heunStep, 100));
  assertAlmostEquals(heun, 2, 0.1);
});

solverTest("Dormand and Prince is of fifth order, and its error is estimated", async () => {
  const [coarse, fine] = [await errorAfterDormandPrince(8), await errorAfterDormandPrince(16)];
  assert(slope(coarse, fine) > 4.6, `slope ${slope(coarse, fine)}`);
  assertLess(slope(coarse, fine), 6.5);
  const at = { x: start(), t: 0, k1: turning(start(), 0) };
  const errors = [0.2, 0.1].map((h) => dormandPrinceStep(turning, { ...at, h }).error);
  const sizes = await Promise.all(errors.map(async (error) => Math.hypot(...await error.data())));
  assertAlmostEquals(slope(sizes[0], sizes[1]), 5, 0.7); // that of a single step of fourth order
});

solverTest("every way begins and ends at its times exactly, forwards and backwards", async () => {
  for (const steps of [1, 3, 7, 40]) {
    for (const { from, to } of [{ from: 0, to: 1 }, { from: 1, to: 0 }]) {
      const times = [...solve(turning, start(), { steps, from, to })].map(({ t }) => t);
      assertEquals(times.length, steps + 1);
      assertEquals([times[0], times.at(-1)], [from, to]);
      const adaptive = await momentsOf(1e-3, { from, to });
      assertEquals([adaptive[0].t, adaptive.at(-1)!.t], [from, to]);
      assert(adaptive.every(({ t }) => t >= 0 && t <= 1));
    }
  }
});

async function momentsOf(tolerance: number, interval: Interval = {}) {
  const moments: { t: number; evaluations: number; error: number }[] = [];
  for await (
    const { t, x, evaluations } of dormandPrince(turning, start(), { tolerance, ...interval })
  ) {
    moments.push({ t, evaluations, error: await errorOf(x) });
  }
  return moments;
}

solverTest("a smaller tolerance gives a smaller error and costs more", async () => {
  const [rough, fine] = [(await momentsOf(1e-2)).at(-1)!, (await momentsOf(1e-5)).at(-1)!];
  assertLess(fine.error, 1e-3);
  assertLess(fine.error, rough.error / 10);
  assertLess(rough.evaluations, fine.evaluations);
});

solverTest("evaluations are counted as they happen", async () => {
  let count = 0;
  const counted: Velocity = (x, t) => {
    count++;
    return turning(x, t);
  };
  for (const { evaluations } of solve(counted, start(), { steps: 5, step: heunStep })) {
    assertEquals(evaluations, count);
  }
  assertEquals(count, 10);
  count = 0;
  for await (const { t, evaluations } of dormandPrince(counted, start(), { tolerance: 1e-4 })) {
    if (t > 0) assertEquals(evaluations, count);
  }
});

solverTest("no tensor is left over, and going on and back leads to the beginning", async () => {
  const before = tf.memory().numTensors;
  for (const { t } of solve(turning, start(), { steps: 4 })) if (t > 0.5) break;
  for await (const { t } of dormandPrince(turning, start(), { tolerance: 1e-3 })) {
    if (t > 0.5) break;
  }
  assertEquals(tf.memory().numTensors, before);
  let end = start();
  for (const interval of [{ from: 0, to: 1 }, { from: 1, to: 0 }]) {
    for await (const { x } of dormandPrince(turning, end, { tolerance: 1e-6, ...interval })) {
      end = tf.clone(x);
    }
  }
  const [x, y] = await end.data();
  assertAlmostEquals(x, 1, 1e-3);
  assertAlmostEquals(y, 0, 1e-3);
});

solverTest("an equation that cannot be solved ends with an error", async () => {
  const wild: Velocity = (x) => tf.mul(x, NaN);
  const solution = dormandPrince(wild, start(), { tolerance: 1e-3 });
  await assertRejects(() => Array.fromAsync(solution), RangeError, "NaN");
});
