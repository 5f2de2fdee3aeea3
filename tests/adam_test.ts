// The optimizer: against Kingma & Ba's Algorithm 1 done by hand, the same on every backend, and
// unharmed by stopping and going on.
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Adam, valueAndGradients } from "../common/network/adam.ts";
import { selectBackend } from "../common/backend.ts";
import { normal } from "../common/random.ts";

const adapter = await navigator.gpu?.requestAdapter();

/** Two parameters with different shapes, the second longer than a work unit of the kernels. */
function makeParameters(): Map<string, tf.Variable> {
  const shapes: [string, number[]][] = [["weight", [3, 5]], ["table", [71, 83]]];
  return new Map(shapes.map(([name, shape]) => {
    const values = normal({ seed: 1, stream: name }, tf.util.sizeFromShape(shape));
    return [name, tf.tidy(() => tf.variable(tf.tensor(values, shape)))];
  }));
}

function makeGradients(step: number): Map<string, tf.Tensor> {
  return new Map([["weight", [3, 5]], ["table", [71, 83]]].map(([name, shape]) => {
    const draw = { seed: 2, stream: name as string, step };
    const values = normal(draw, tf.util.sizeFromShape(shape as number[]));
    return [name as string, tf.tensor(values, shape as number[])];
  }));
}

function steps(adam: Adam, first: number, last: number): void {
  for (let step = first; step <= last; step++) {
    const gradients = makeGradients(step);
    adam.step(gradients, 0.01 * step);
    tf.dispose([...gradients.values()]);
  }
}

async function numbers(tensors: Map<string, tf.Tensor>): Promise<number[]> {
  const parts = await Promise.all([...tensors.values()].map((t) => t.data()));
  return parts.flatMap((part) => [...part]);
}

/** The same optimizer, number by number. */
function byHand(clipNorm: number, last: number) {
  const names = ["weight", "table"];
  const sizes = [15, 71 * 83];
  const all = (seed: number, step?: number) =>
    names.flatMap((stream, i) => [...normal({ seed, stream, step }, sizes[i])]);
  const w = all(1);
  const [m, v, ema] = [w.map(() => 0), w.map(() => 0), [...w]];
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  for (let step = 1; step <= last; step++) {
    const g = all(2, step);
    const norm = Math.hypot(...g);
    const decay = Math.min(0.999, (1 + step) / (10 + step));
    for (let i = 0; i < w.length; i++) {
      const gi = g[i] * Math.min(1, clipNorm / norm);
      m[i] = beta1 * m[i] + (1 - beta1) * gi;
      v[i] = beta2 * v[i] + (1 - beta2) * gi * gi;
      const mHat = m[i] / (1 - beta1 ** step);
      const vHat = v[i] / (1 - beta2 ** step);
      w[i] -= 0.01 * step * mHat / (Math.sqrt(vHat) + epsilon);
      ema[i] = decay * ema[i] + (1 - decay) * w[i];
    }
  }
  return { w, ema };
}

for (const name of ["cpu", "wasm", "webgpu"] as const) {
  const ignore = name === "webgpu" && !adapter;
  const unsanitized = { sanitizeResources: false, sanitizeOps: false };

  for (const clipNorm of [Infinity, 1]) {
    Deno.test({
      name: `Adam on ${name}, clipped at ${clipNorm}, equals the algorithm done by hand`,
      ignore,
      ...unsanitized,
      fn: async () => {
        const backend = await selectBackend(name, { workers: 2 });
        const parameters = makeParameters();
        const adam = new Adam(parameters, { clipNorm });
        steps(adam, 1, 3);
        const { w, ema } = byHand(clipNorm, 3);
        (await numbers(parameters)).forEach((x, i) => assertAlmostEquals(x, w[i], 2e-5));
        const averages = await adam.withAverages(() => numbers(parameters));
        averages.forEach((x, i) => assertAlmostEquals(x, ema[i], 2e-5));
        // the current weights are back
        (await numbers(parameters)).forEach((x, i) => assertAlmostEquals(x, w[i], 2e-5));
        adam.dispose();
        backend.dispose();
      },
    });
  }

  Deno.test({
    name: `Adam on ${name}: stopping and going on changes no bit`,
    ignore,
    ...unsanitized,
    fn: async () => {
      const backend = await selectBackend(name, { workers: 2 });
      const straight = makeParameters();
      steps(new Adam(straight, { clipNorm: 1 }), 1, 5);

      const stopped = makeParameters();
      const first = new Adam(stopped, { clipNorm: 1 });
      steps(first, 1, 2);
      const state = first.stateDict();
      const weights = new Map<string, tf.Variable>();
      for (const [key, variable] of stopped) {
        weights.set(key, tf.variable(tf.tensor(await variable.data(), variable.shape)));
      }
      steps(first, 3, 3); // a step after the state was taken must not change it
      const second = new Adam(weights, { clipNorm: 1 });
      await second.load(state);
      assertEquals(second.steps, 2);
      steps(second, 3, 5);
      assertEquals(await numbers(weights), await numbers(straight));
      backend.dispose();
    },
  });
}

Deno.test("Adam refuses a state of another length", async () => {
  await tf.setBackend("cpu");
  const adam = new Adam(makeParameters());
  const state = adam.stateDict();
  state.set("adam.v", tf.zeros([3]));
  await assertRejects(() => adam.load(state), Error, "adam.v has 3 numbers");
});

Deno.test("valueAndGradients: Σ x² has the gradient 2x", async () => {
  await tf.setBackend("cpu");
  const x = tf.variable(tf.tensor1d([1, -2, 3]));
  const { value, gradients } = valueAndGradients(
    new Map([["x", x]]),
    () => tf.sum(tf.square(x)),
  );
  assertEquals((await value.data())[0], 14);
  assertEquals([...await gradients.get("x")!.data()], [2, -4, 6]);
  assert(gradients.size === 1);
});
