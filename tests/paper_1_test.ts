// Paper 1's model and algorithms: the original's numbers on every backend, and the properties that the
// paper states.
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Adam, valueAndGradients } from "../common/network/adam.ts";
import { type BackendName, selectBackend } from "../common/backend.ts";
import { pointData } from "../common/data/points/point_data.ts";
import { qPosterior, qSample } from "../common/forward_process.ts";
import { normal } from "../common/random.ts";
import { bestGaussian } from "../common/report/metrics/best_gaussian.ts";
import { sigmoidSchedule } from "../common/schedule.ts";
import {
  klDivergence,
  klLoss,
  measureBound,
  ReverseModel,
  sample,
  train,
} from "../paper_1_partb.ts";
import { formula } from "./weights.ts";
import reference from "./fixtures/mlp_kl.json" with { type: "json" };

const hasAdapter = await navigator.gpu?.requestAdapter() != null;
const schedule = sigmoidSchedule(reference.T);

function referenceModel(): ReverseModel {
  const { hidden } = reference;
  const model = new ReverseModel({ hidden, schedule, parametrization: "direct" });
  model.load(
    new Map(reference.parameters.map(({ name, shape, ordinal, scale }) => [
      name,
      formula(shape, ordinal, scale),
    ])),
  );
  return model;
}

async function assertNumbers(actual: tf.Tensor, expected: number[]): Promise<void> {
  const numbers = await actual.data();
  assertEquals(numbers.length, expected.length);
  expected.forEach((x, i) => assertAlmostEquals(numbers[i], x, 1e-4 * Math.max(1, Math.abs(x))));
}

for (const name of ["cpu", "wasm", "webgpu"] as BackendName[]) {
  Deno.test({
    name: `the original's mean, std, KL and gradients on ${name}`,
    ignore: name === "webgpu" && !hasAdapter,
    sanitizeResources: false,
    sanitizeOps: false,
    fn: async () => {
      const backend = await selectBackend(name);
      const model = referenceModel();
      const { batch, t } = reference;
      const x0 = formula([batch, 2], reference.x0_ordinal) as tf.Tensor2D;
      const eps = formula([batch, 2], reference.noise_ordinal) as tf.Tensor2D;
      const xt = qSample(schedule, x0, t, eps);
      await assertNumbers(xt, reference.x_t);
      const q = qPosterior(schedule, x0, xt, t);
      await assertNumbers(q.mean, reference.posterior_mean);
      await assertNumbers(q.std, [reference.posterior_std]);
      const p = model.forward(xt, t);
      await assertNumbers(p.mean, reference.model_mean);
      await assertNumbers(p.std, reference.model_std);

      const { value, gradients } = valueAndGradients(
        model.parameters,
        () => klLoss(q, model.forward(xt, t)),
      );
      await assertNumbers(value, [reference.kl]);
      for (const { name, grad_norm } of reference.parameters) {
        // network_tail.19.2.bias lies in row 19 of the stack tail.2.bias, whose other rows get nothing
        const own = name.replace(/network_(head|tail)\.(19\.)?/, "$1.");
        const norm = (await tf.norm(gradients.get(own)!).data())[0];
        assertAlmostEquals(norm, grad_norm, 1e-4 * grad_norm, name);
      }
      model.dispose();
      backend.dispose();
    },
  });
}

for (const parametrization of ["direct", "residual"] as const) {
  for (const tails of ["each", "shared"] as const) {
    Deno.test(`all t at once are each t alone: ${parametrization}, tails ${tails}`, async () => {
      await tf.setBackend("cpu");
      const [T, count] = [5, 6];
      const options = { hidden: 7, schedule: sigmoidSchedule(T), parametrization, tails };
      const model = new ReverseModel(options);
      for (const weight of model.parameters.values()) weight.assign(formula(weight.shape, 3));
      const xt = tf.tensor3d(normal({ seed: 1, stream: "xt" }, T * count * 2), [T, count, 2]);
      const all = model.forwardRows(xt, [1, 2, 3, 4, 5]);
      for (let t = 2; t <= T; t++) {
        const row = (x: tf.Tensor) => tf.squeeze(tf.slice(x, [t - 1], [1]), [0]);
        const alone = model.forward(row(xt) as tf.Tensor2D, t);
        await assertNumbers(alone.mean, [...await row(all.mean).data()]);
        await assertNumbers(alone.std, [...await row(all.std).data()]);
      }
      const inTails = model.parameters.get("tail.0.weight")!.shape[0];
      assertEquals(inTails, tails === "shared" ? 1 : T);
      model.dispose();
    });
  }
}

Deno.test("KL is 0 for equal Gaussians, positive otherwise, and that of numerical integration", async () => {
  await tf.setBackend("cpu");
  const of = (mean: number, std: number) => ({ mean: tf.scalar(mean), std: tf.scalar(std) });
  const kl = async (...[m1, s1, m2, s2]: number[]) =>
    (await klDivergence(of(m1, s1), of(m2, s2)).data())[0];
  assertAlmostEquals(await kl(0.3, 0.7, 0.3, 0.7), 0, 1e-6);
  const density = (x: number, m: number, s: number) =>
    Math.exp(-(((x - m) / s) ** 2) / 2) / (s * Math.sqrt(2 * Math.PI));
  for (const [m1, s1, m2, s2] of [[0, 1, 1, 1], [0.5, 0.2, -0.3, 0.9], [2, 1.5, 1, 0.4]]) {
    let integral = 0;
    for (let x = -20; x <= 20; x += 1e-3) {
      const q = density(x, m1, s1);
      const p = density(x, m2, s2);
      if (q > 1e-300 && p > 1e-300) integral += q * Math.log(q / p) * 1e-3;
    }
    assert(integral > 0);
    assertAlmostEquals(await kl(m1, s1, m2, s2), integral, 1e-3 * integral);
  }
});

Deno.test("untrained, the residual model stays where it is", async () => {
  await tf.setBackend("cpu");
  const model = new ReverseModel({ hidden: 8, schedule });
  const xt = tf.tensor2d([[0.3, -1], [2, 0]]);
  for (const t of [2, 20, 40]) {
    const { mean, std } = model.forward(xt, t);
    await assertNumbers(mean, [0.3, -1, 2, 0]);
    await assertNumbers(std, Array(4).fill(schedule.posterior(t).std));
  }
});

Deno.test("the last step is the forward step turned round and adds no noise", async () => {
  await tf.setBackend("cpu");
  const model = new ReverseModel({ hidden: 8, schedule: sigmoidSchedule(3) });
  const kept: number[][] = [];
  for (const { t, xt } of sample(model, sigmoidSchedule(3), { count: 4, seed: 1 })) {
    assertEquals(t, 3 - kept.length); // T, T−1, …, 0
    kept.push([...await xt.data()]);
  }
  const [x1, x0] = kept.slice(-2);
  const factor = Math.sqrt(sigmoidSchedule(3).alpha(1));
  x0.forEach((x, i) => assertAlmostEquals(x, x1[i] * factor, 1e-6));
});

Deno.test("weights survive stateDict and load; wrong ones are named", async () => {
  await tf.setBackend("cpu");
  const options = { hidden: 5, schedule: sigmoidSchedule(3) };
  const [from, to] = [new ReverseModel({ ...options, seed: 1 }), new ReverseModel(options)];
  const state = from.stateDict();
  assertEquals(state.get("network_head.0.weight")!.shape, [5, 2]); // PyTorch's [out, in]
  assertEquals(state.get("network_tail.2.2.weight")!.shape, [4, 5]);
  to.load(state);
  for (const [name, variable] of from.parameters) {
    assertEquals(await to.parameters.get(name)!.data(), await variable.data());
  }
  state.delete("network_tail.1.0.bias");
  state.set("network_head.2.bias", tf.zeros([6]));
  state.set("elsewhere", tf.zeros([1]));
  const before = await to.parameters.get("head.2.bias")!.data();
  const error = assertThrows(() => to.load(state)) as Error;
  for (
    const part of ["network_tail.1.0.bias is missing", "[6] instead of [5]", "elsewhere is unknown"]
  ) {
    assert(error.message.includes(part), error.message);
  }
  assertEquals(await to.parameters.get("head.2.bias")!.data(), before);
});

Deno.test("training brings the KL down, raises the bound, and leaks no tensor", async () => {
  const backend = await selectBackend("wasm");
  const data = await pointData("swiss-roll");
  const short = sigmoidSchedule(10);
  const model = new ReverseModel({ hidden: 32, schedule: short });
  const bound = () => measureBound(model, short, data, { count: 500, seed: 1 });
  const before = await bound();
  const adam = new Adam(model.parameters);
  const settings = {
    steps: 300,
    batch: 64,
    learningRate: 5e-3,
    decay: "cosine",
    times: "all",
    seed: 0,
  } as const;
  const losses: number[] = [];
  const counts: number[] = [];
  for (const { loss } of train({ model, schedule: short, data, adam, settings })) {
    losses.push((await loss.data())[0]);
    loss.dispose();
    counts.push(tf.memory().numTensors);
  }
  assertEquals(losses.length, 300);
  assertEquals(counts.at(-1), counts[1]);
  const mean = (x: number[]) => x.reduce((a, b) => a + b) / x.length;
  assert(mean(losses.slice(-20)) < 0.6 * mean(losses.slice(0, 5)));
  const after = await bound();
  assert(after.K > before.K + 0.5, `${after.K} bits after, ${before.K} before`);
  assert(after.K > after.nullModel);
  // the bound's terms are what was trained
  assertEquals(after.klPerT.t, [2, 3, 4, 5, 6, 7, 8, 9, 10]);
  // the best Gaussians are better at each t, and do not depend on the model
  const [first, last] = [before.floorPerT!, after.floorPerT!];
  assertEquals(last.t, after.klPerT.t);
  last.value.forEach((floor, i) => {
    const { value } = after.klPerT;
    assert(floor < value[i], `t = ${last.t[i]}: ${floor}, learned ${value[i]}`);
    assertAlmostEquals(floor, first.value[i], 0.1 * floor + 0.05 * before.klPerT.value[i]);
  });
  backend.dispose();
});

Deno.test("the floor is the KL of the Gaussians with the mean and variance of q(x_{t−1} | xₜ)", () => {
  const known = { centres: Float32Array.of(-1, 0, 1, 0.5), width: [0.3, 0] as [number, number] };
  const short = sigmoidSchedule(10);
  const t = 7;
  const { coefX0, coefXt, std } = short.posterior(t);
  // many (x₀, x_{t−1}) behind one xₜ, by weights
  const count = 200_000;
  const z = normal({ seed: 2, stream: "x0" }, 4 * count);
  const xt = [0.2, 0.1];
  const alphaBar = short.alphaBar(t);
  const sums = [0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const centre = i % 2;
    const x0 = [0, 1].map((d) => known.centres[2 * centre + d] + known.width[d] * z[4 * i + d]);
    const squares = x0.reduce((sum, x, d) => sum + (xt[d] - Math.sqrt(alphaBar) * x) ** 2, 0);
    const weight = Math.exp(-squares / (2 * (1 - alphaBar)));
    sums[0] += weight;
    for (const d of [0, 1]) {
      const before = coefX0 * x0[d] + coefXt * xt[d] + std * z[4 * i + 2 + d];
      sums[1 + d] += weight * before;
      sums[3 + d] += weight * before ** 2;
    }
  }
  const best = bestGaussian(short, t, Float32Array.from(xt), known);
  for (const d of [0, 1]) {
    const mean = sums[1 + d] / sums[0];
    assertAlmostEquals(best.mean[d], mean, 0.01);
    assertAlmostEquals(best.std[d] / Math.sqrt(sums[3 + d] / sums[0] - mean ** 2), 1, 0.01);
  }
});
