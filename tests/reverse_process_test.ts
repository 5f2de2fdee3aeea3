import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { gaussianNoise } from "../common/engine/noise.ts";
import {
  ddimStep,
  type Denoiser,
  endOfChain,
  everyTimestep,
  fewerTimesteps,
  pSample,
  reverseProcess,
} from "../common/reverse_process.ts";
import { linearSchedule } from "../common/schedule.ts";

const T = 20;
const schedule = linearSchedule(T, 0.01, 0.3);
const shape: [number, number, number, number] = [3, 4, 4, 1];
// any smooth function of xₜ and t will do where only the steps are compared
const denoiser: Denoiser = {
  schedule,
  network: {
    forward: (xt, t) => tf.tanh(tf.add(xt, tf.reshape(tf.div(t, T), [-1, 1, 1, 1]))) as tf.Tensor4D,
  },
};

function noise(stream: string, step = 0): tf.Tensor4D {
  return gaussianNoise<tf.Rank.R4>({ seed: 1, stream, step }, shape);
}

function ddpm(model = denoiser) {
  return reverseProcess(
    noise("xT"),
    everyTimestep(T),
    (xt, t) => pSample(model, { xt, t, z: noise("z", t) }),
  );
}

function ddim(S: number, eta: number, model = denoiser) {
  return reverseProcess(
    noise("xT"),
    fewerTimesteps(T, S),
    (xt, t, tNext) => ddimStep(model, { xt, t, tNext, eta, z: noise("z", t) }),
  );
}

/** A network that knows the one image there is: ε = (xₜ − √ᾱₜ·x₀)/√(1−ᾱₜ). */
function oracle(x0: tf.Tensor4D): Denoiser {
  const forward = (xt: tf.Tensor4D, t: tf.Tensor1D) => {
    const alphaBar = schedule.alphaBar(t.dataSync()[0]);
    const noiseInXt = tf.sub(xt, tf.mul(x0, Math.sqrt(alphaBar)));
    return tf.div(noiseInXt, Math.sqrt(1 - alphaBar)) as tf.Tensor4D;
  };
  return { schedule, network: { forward } };
}

function assertClose(actual: tf.Tensor, expected: tf.Tensor, tolerance: number): void {
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  assertEquals(actual.shape, expected.shape);
  for (const [i, value] of a.entries()) assertAlmostEquals(value, b[i], tolerance, `element ${i}`);
}

Deno.test("DDIM with eta = 1 on all T steps is DDPM with the posterior variance", async () => {
  await tf.setBackend("cpu");
  for (const clip of [true, false]) {
    const model = { ...denoiser, clip };
    assertClose(await endOfChain(ddim(T, 1, model)), await endOfChain(ddpm(model)), 1e-4);
  }
});

Deno.test("without clipping pSample is line 4 of Algorithm 2", async () => {
  await tf.setBackend("cpu");
  for (const t of [1, 2, T]) {
    const [xt, z] = [noise("xt"), noise("z")];
    const { xNext } = pSample({ ...denoiser, clip: false }, { xt, t, z });
    const epsTheta = denoiser.network.forward(xt, tf.fill([3], t) as tf.Tensor1D);
    const weight = schedule.beta(t) / Math.sqrt(1 - schedule.alphaBar(t));
    const mean = tf.div(tf.sub(xt, tf.mul(epsTheta, weight)), Math.sqrt(schedule.alpha(t)));
    assertClose(xNext, tf.add(mean, tf.mul(z, schedule.posterior(t).std)), 1e-5);
  }
});

Deno.test("with the true noise every sampler ends at the image", async () => {
  await tf.setBackend("cpu");
  const x0 = tf.clipByValue(noise("x0"), -1, 1) as tf.Tensor4D;
  const model = oracle(x0);
  for (const chain of [ddpm(model), ddim(T, 1, model), ddim(5, 0, model), ddim(1, 0, model)]) {
    assertClose(await endOfChain(chain), x0, 1e-4);
  }
});

Deno.test("DDIM with eta = 0 does not look at z", async () => {
  await tf.setBackend("cpu");
  const silent = reverseProcess(
    noise("xT"),
    fewerTimesteps(T, 7),
    (xt, t, tNext) => ddimStep(denoiser, { xt, t, tNext, eta: 0 }),
  );
  assertClose(await endOfChain(silent), await endOfChain(ddim(7, 0)), 0);
});

Deno.test("a chain visits T..1 and ends at 0 with x̂₀ within [-1, 1]", async () => {
  await tf.setBackend("cpu");
  const visited: number[] = [];
  await endOfChain(ddpm(), ({ t, xt, x0Hat }) => {
    visited.push(t);
    assertEquals([xt.shape, x0Hat.shape], [shape, shape]);
    if (t > 0) assert(tf.max(tf.abs(x0Hat)).dataSync()[0] <= 1);
  });
  assertEquals(visited, [...everyTimestep(T), 0]);
});

Deno.test("a chain frees its tensors, stopped early or not", async () => {
  await tf.setBackend("cpu");
  const before = tf.memory().numTensors;
  tf.dispose(await endOfChain(ddim(5, 1)));
  assertEquals(tf.memory().numTensors, before);
  for (const { t } of ddim(5, 1)) if (t < T) break;
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("fewer timesteps are evenly spaced from T on, and all of them when S = T", () => {
  assertEquals(fewerTimesteps(1000, 4), [1000, 750, 500, 250]);
  assertEquals(fewerTimesteps(T, T), everyTimestep(T));
  assertEquals(new Set(fewerTimesteps(10, 7)).size, 7);
  for (const S of [0, 21, 1.5]) assertThrows(() => fewerTimesteps(T, S), RangeError, "1 to 20");
});
