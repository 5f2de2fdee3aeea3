// Paper 4: the lines, the closed form between Gaussians, reflow, straightness and the exact likelihood.
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import { type PointData, pointData } from "../common/data/points/point_data.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { Adam } from "../common/network/adam.ts";
import { Flows } from "../common/network/flows.ts";
import { VelocityNetwork } from "../common/network/velocity_network.ts";
import { solve, type Velocity } from "../common/ode.ts";
import { normal } from "../common/random.ts";
import {
  divergence,
  flowMatchingLoss,
  follow,
  independentPairs,
  lineVelocity,
  logLikelihood,
  psi,
  reflowPairs,
  sample,
  straightness,
  train,
  type Training,
  velocityOf,
} from "../paper_4.ts";
import { writeFlowPointSheet } from "../common/report/flow_report.ts";
import type { RunFolder } from "../common/run/folder.ts";
import { on } from "./backends.ts";

/** Data of a known density: N(μ, s²·I). */
const [MU, S] = [[0.7, -0.4], 0.5];
const gaussian: PointData = {
  name: "gaussian",
  scale: "",
  sample: (draw, count) => normal(draw, 2 * count).map((z, i) => MU[i % 2] + S * z),
};

/** The variance of (1−t)·x₀ + t·x₁. */
function variance(t: number): number {
  return (1 - t) ** 2 + (S * t) ** 2;
}

/**
 * The mean of x₁ − x₀ given xₜ, by the rule for Gaussians: E[x₁ − x₀] + Cov(x₁ − x₀, xₜ)/Var(xₜ)·(xₜ − tμ).
 */
const closedForm: Velocity = (x, t) =>
  tf.add(
    tf.tensor2d(MU, [1, 2]),
    tf.mul(
      (t * S ** 2 - (1 - t)) / variance(t),
      tf.sub(x, tf.tensor2d(MU.map((m) => t * m), [1, 2])),
    ),
  );

function flowTest(name: string, fn: () => Promise<void>): void {
  Deno.test(name, () => on("wasm", fn));
}

function noise(count: number, stream = "z0"): tf.Tensor2D {
  return gaussianNoise<tf.Rank.R2>({ seed: 7, stream }, [count, 2]);
}

flowTest("the line is at the noise at t = 0 and at the data at t = 1, exactly", async () => {
  const { x0, x1 } = independentPairs(gaussian)({ seed: 1, stream: "test" }, 50);
  assertEquals(await psi(x0, x1, 0).data(), await x0.data());
  assertEquals(await psi(x0, x1, 1).data(), await x1.data());
  const sigmaMin = 0.125;
  const [end, noises] = [await psi(x0, x1, 1, sigmaMin).data(), await x0.data()];
  (await x1.data()).forEach((x, i) => assertAlmostEquals(end[i], x + sigmaMin * noises[i], 1e-6));
  // along it the velocity is the same at all times
  const velocity = await lineVelocity(x0, x1, sigmaMin).data();
  const moved = await tf.sub(psi(x0, x1, 0.75, sigmaMin), psi(x0, x1, 0.25, sigmaMin)).data();
  moved.forEach((by, i) => assertAlmostEquals(by, velocity[i] / 2, 1e-5));
});

flowTest("between Gaussians no velocity has a smaller loss than the closed form", async () => {
  const B = 100_000;
  const pairs = independentPairs(gaussian)({ seed: 2, stream: "test" }, B);
  for (const time of [0, 0.3, 0.8, 1]) {
    const t = tf.fill([B], time) as tf.Tensor1D;
    const loss = async (change: (v: tf.Tensor2D) => tf.Tensor2D) =>
      (await flowMatchingLoss((x) => change(closedForm(x, time)), { ...pairs, t }).data())[0];
    const best = await loss((v) => v);
    // what is left is the variance of x₁ − x₀ given xₜ, of two coordinates
    const covariance = time * S ** 2 - (1 - time);
    const left = 2 * (1 + S ** 2 - covariance ** 2 / variance(time));
    assertAlmostEquals(best, left, 0.02 * (1 + left));
    assertLess(best, await loss((v) => tf.mul(v, 1.1)));
    assertLess(best, await loss((v) => tf.mul(v, 0.9)));
    assertLess(best, await loss((v) => tf.add(v, 0.1)));
  }
});

flowTest(
  "a trained flow has the closed form's velocity, and its velocity is a weighted ε",
  async () => {
    const training = start({ steps: 400, reflows: 0, batch: 1024 }, gaussian);
    for (const { loss } of train(training)) loss.dispose();
    const { current } = training.flows;
    for (const t of [0.1, 0.5, 0.9]) {
      const { x0, x1 } = independentPairs(gaussian)({ seed: 3, stream: "test" }, 2000);
      const xt = psi(x0, x1, t);
      const off = tf.sub(current.forward(xt, t), closedForm(xt, t));
      const [error] = await tf.mean(tf.sum(tf.square(off), 1)).data();
      assertLess(error, 0.08, `${error} at t = ${t}`);
      // ε̂ = E[x₀ | xₜ] of these Gaussians; v = (xₜ − ε̂)/t
      const centred = tf.sub(xt, tf.tensor2d(MU.map((m) => t * m), [1, 2]));
      const eps = tf.mul((1 - t) / variance(t), centred);
      const byEps = await tf.div(tf.sub(xt, eps), t).data();
      (await closedForm(xt, t).data()).forEach((v, i) => assertAlmostEquals(byEps[i], v, 1e-4));
    }
  },
);

flowTest("the exact likelihood of a Gaussian is that of its formula", async () => {
  const count = 2000;
  const points = gaussian.sample({ seed: 4, stream: "test" }, count);
  const squares = points.reduce((sum, x, i) => sum + ((x - MU[i % 2]) / S) ** 2, 0) / count;
  const exact = -Math.log(2 * Math.PI * S ** 2) - squares / 2;
  const x = tf.tensor2d(points, [count, 2]);
  assertAlmostEquals(await logLikelihood(closedForm, x, { tolerance: 1e-5 }), exact, 1e-3);
});

flowTest("the divergence is the trace of the derivatives", async () => {
  const swirl: Velocity = (x, t) => {
    const [a, b] = tf.split(x, 2, 1);
    return tf.concat([tf.mul(tf.sin(a), b), tf.add(tf.mul(t, tf.square(b)), a)], 1) as tf.Tensor2D;
  };
  const x = noise(20);
  const [points, trace] = [await x.data(), await divergence(swirl, x, 0.3).data()];
  trace.forEach((value, n) => {
    const [a, b] = points.subarray(2 * n, 2 * n + 2);
    assertAlmostEquals(value, Math.cos(a) * b + 0.6 * b, 1e-4);
  });
});

flowTest("straight ways have a straightness of 0, a turn has one that is known", async () => {
  const shift: Velocity = (x) => tf.add(tf.zerosLike(x), tf.tensor2d([3, -1], [1, 2]));
  assertAlmostEquals(await straightness(shift, noise(100)), 0, 1e-9);
  const bend: Velocity = (x, t) => tf.add(tf.zerosLike(x), tf.tensor2d([0, 2 * t], [1, 2]));
  // Z₁ − Z₀ = (0, 1) and dZ/dt = (0, 2t): ∫(1 − 2t)² dt = 1/3
  assertAlmostEquals(await straightness(bend, noise(100)), 1 / 3, 0.01);
});

flowTest("a flow's own pairs are its noises and where it takes them", async () => {
  const settings = { pairs: 100, pairSteps: 20, batch: 30, seed: 0 };
  const network = { forward: (x: tf.Tensor2D) => x, dimensions: 2 };
  network.forward = closedForm as typeof network.forward;
  const before = tf.memory().numTensors;
  const { coupling, dispose } = reflowPairs(network, 1, settings);
  const seen = new Set<number>();
  for (let step = 1; step <= 50; step++) {
    const { x0, x1 } = tf.tidy(() => coupling({ seed: 0, stream: "test", step }, 30));
    // between Gaussians the flow is the linear map from one to the other
    const [from, to] = [await x0.data(), await x1.data()];
    to.forEach((x, i) => assertAlmostEquals(x, MU[i % 2] + S * from[i], 0.01));
    from.forEach((x) => seen.add(x));
  }
  assertEquals(seen.size, 4 * 30 * 2); // four batches hold the hundred
  dispose();
  assertEquals(tf.memory().numTensors, before);
});

function flowsOf(hidden: number, seed = 0): Flows {
  return new Flows(() => new VelocityNetwork({ hidden, seed }));
}

/** A short training. */
function start(
  changes: Partial<Training["settings"]>,
  data: PointData,
): Training {
  const flows = flowsOf(32);
  const settings: Training["settings"] = {
    ...{ steps: 60, reflows: 1, batch: 256, learningRate: 5e-3, decay: "cosine", sigmaMin: 0 },
    ...{ pairs: 2000, pairSteps: 10, seed: 0 },
    ...changes,
  };
  return { flows, data, adam: new Adam(flows.current.parameters, { emaDecay: 0 }), settings };
}

flowTest("reflow makes ways straighter, and leaks no tensor", async () => {
  const training = start({ steps: 600, reflows: 1 }, await pointData("moons"));
  const counts: number[] = [];
  for (const { loss } of train(training)) {
    loss.dispose();
    counts.push(tf.memory().numTensors);
  }
  assertEquals(counts.at(-1), counts[350]);
  const [before, after] = training.flows.all.map(velocityOf);
  const [bent, straight] = [
    await straightness(before, noise(500)),
    await straightness(after, noise(500)),
  ];
  assertLess(straight, bent / 5);
  // and both end at the same places, the second in two steps
  const ends: number[][] = [];
  for (const [velocity, steps] of [[before, 40], [after, 2]] as const) {
    for (const { t, x } of solve(velocity, noise(500), { steps })) {
      if (t === 1) ends.push(Array.from(await x.data()));
    }
  }
  const apart = ends[0].reduce((sum, x, i) => sum + Math.abs(x - ends[1][i]), 0) / ends[0].length;
  assertLess(apart, 0.15);
});

flowTest("a training that was stopped anywhere goes on to the same weights", async () => {
  const data = await pointData("circles");
  const whole = start({}, data);
  for (const { loss } of train(whole)) loss.dispose();
  for (const stop of [10, 30, 31, 45] /* at both sides of the reflow */) {
    const first = start({}, data);
    for (const { step, loss } of train(first)) {
      loss.dispose();
      if (step === stop) break;
    }
    const second = start({}, data);
    second.flows.load(first.flows.stateDict());
    await second.adam.load(first.adam.stateDict());
    for (const { loss } of train(second)) loss.dispose();
    const [expected, found] = [whole, second].map(({ flows }) => flows.stateDict());
    assertEquals([...found.keys()], [...expected.keys()]);
    for (const [name, tensor] of expected) {
      assertEquals(await found.get(name)!.data(), await tensor.data(), `${name}, stop at ${stop}`);
    }
  }
});

flowTest(
  "sheets in between change no weight, and show both stages as each should be followed",
  async () => {
    const data = await pointData("moons");
    const [plain, drawn] = [0, 1].map(() => start({ steps: 20, reflows: 1 }, data));
    for (const { loss } of train(plain)) loss.dispose();
    const sheets: string[] = [];
    const folder = {
      write: (name: string) => Promise.resolve(void sheets.push(name)),
    } as unknown as RunFolder;
    const followed: object[] = [];
    const watched: typeof follow = (velocity, z0, how) => {
      followed.push(how);
      return follow(velocity, z0, how);
    };
    for (const { step, loss } of train(drawn)) {
      loss.dispose();
      if (step % 10 !== 5) continue;
      const { current, finished: { length: reflow } } = drawn.flows;
      const velocity = velocityOf(current);
      const { numTensors } = tf.memory();
      await writeFlowPointSheet(
        { folder, data, seed: 3, velocity, reflow, follow: watched },
        step,
      );
      assertEquals(tf.memory().numTensors, numTensors);
    }
    assertEquals(sheets, ["sheet-0000005.png", "sheet-0000015.png"]);
    assertEquals(followed, [
      { solver: "heun", sampleSteps: 10 },
      { solver: "euler", sampleSteps: 2 },
    ]);
    const [expected, found] = [plain, drawn].map(({ flows }) => flows.stateDict());
    for (const [name, tensor] of expected) {
      assertEquals(await found.get(name)!.data(), await tensor.data(), name);
    }
  },
);

flowTest("steps that would be shared otherwise are refused when a run goes on", async () => {
  const training = start({ steps: 20, reflows: 1 }, await pointData("moons"));
  for (const { loss } of train(training)) loss.dispose();
  const longer = { ...training, settings: { ...training.settings, steps: 200 } };
  const error = assertThrows(() => train(longer).next()) as Error;
  assert(error.message.includes("--steps 200"), error.message);
});

flowTest("weights survive stateDict and load; wrong ones are named", async () => {
  const [from, to] = [flowsOf(5, 1), flowsOf(5)];
  from.finish();
  const state = from.stateDict();
  assertEquals(state.get("flow.1.net.0.weight")!.shape, [5, 26]); // PyTorch's [out, in]
  assertEquals(state.get("flow.0.net.6.bias")!.shape, [2]);
  to.load(state);
  assertEquals(to.finished.length, 1);
  for (const [name, tensor] of to.stateDict()) {
    assertEquals(await tensor.data(), await state.get(name)!.data(), name);
  }
  state.delete("flow.1.net.2.bias");
  const missing = assertThrows(() => to.load(state)) as Error;
  assert(missing.message.includes("net.2.bias is missing"), missing.message);
  const other = assertThrows(() => to.load(new Map([["linear1.weight", noise(2)]]))) as Error;
  assert(other.message.includes("linear1.weight is unknown"), other.message);
});

flowTest("all solvers lead to the same points, and Dormand and Prince's end is exact", async () => {
  const ends: number[][] = [];
  const options = { count: 50, seed: 3, sampleSteps: 400, tolerance: 1e-4 };
  for (const solver of ["euler", "heun", "dormand-prince"] as const) {
    let last = NaN;
    for await (const { t, x } of sample(closedForm, { ...options, solver })) {
      last = t;
      if (t === 1) ends.push(Array.from(await x.data()));
    }
    assertEquals(last, 1);
  }
  const [euler, heun, adaptive] = ends;
  heun.forEach((x, i) => assertAlmostEquals(x, adaptive[i], 1e-3));
  euler.forEach((x, i) => assertAlmostEquals(x, adaptive[i], 2e-2));
});

flowTest("one time for all points gives the bits of the same time for each", async () => {
  const network = new VelocityNetwork({ hidden: 8, seed: 2 });
  const x = gaussianNoise<tf.Rank.R2>({ seed: 1, stream: "test" }, [300, 2]);
  for (const t of [0, 0.1, 0.7, 1]) {
    const each = network.forward(x, tf.fill<tf.Rank.R1>([300], t));
    assertEquals(await network.forward(x, t).data(), await each.data());
  }
});
