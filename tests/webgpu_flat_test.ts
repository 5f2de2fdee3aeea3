/** The optimizer on the device does what the composed one does, in place and without surprises. */
import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { type AdamStep, composedFlatOperations, type FlatVectors } from "../common/engine/flat.ts";
import { normal } from "../common/random.ts";
import { countDispatches } from "../common/engine/webgpu/count_dispatches.ts";
import { adamStep, gatherFlat, scatterFlat } from "../common/engine/webgpu/flat.ts";
import { startWebgpu } from "../common/engine/webgpu/start.ts";

const ignore = !(await navigator.gpu?.requestAdapter());

function onWebgpu(name: string, test: () => Promise<void>): void {
  Deno.test({
    name: `webgpu: ${name}`,
    ignore,
    sanitizeOps: false, // the device polls for as long as the process runs
    sanitizeResources: false,
    fn: async () => {
      await startWebgpu();
      try {
        await test();
      } finally {
        await tf.setBackend("cpu");
      }
    },
  });
}

function variable(
  values: Float32Array,
  shape: number[] = [values.length],
): tf.Variable<tf.Rank.R1> {
  const made: tf.Variable = tf.tidy(() => tf.variable(tf.tensor(values, shape)));
  return made as tf.Variable<tf.Rank.R1>;
}

const SHAPES = [[3, 3, 2, 5], [5], [], [4, 0], [1], [7, 3]];

onWebgpu("parts go into the flat vector and come back, without a dispatch", async () => {
  const sizes = SHAPES.map((shape) => tf.util.sizeFromShape(shape));
  const size = sizes.reduce((a, b) => a + b);
  const values = normal({ seed: 1, stream: "flat" }, size);
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const parts = SHAPES.map((shape, i) =>
    variable(values.slice(starts[i], starts[i] + sizes[i]), shape)
  );
  const flat = variable(new Float32Array(size));
  const copies = parts.map((part) => variable(new Float32Array(part.size), part.shape));
  await flat.data(); // so that tfjs holds a copy, which must not outlive the change
  const dispatches = await countDispatches(() => {
    gatherFlat(parts, flat);
    scatterFlat(flat, copies);
  });
  assertEquals(await flat.data(), values);
  for (const [i, copy] of copies.entries()) assertEquals(await copy.data(), await parts[i].data());
  assertEquals(dispatches, 0);
});

onWebgpu("what was computed just before is what gets gathered", async () => {
  const flat = variable(new Float32Array(6));
  const ones = variable(new Float32Array(6).fill(1));
  const doubled = tf.add(ones, ones);
  gatherFlat([doubled], flat);
  doubled.dispose();
  const more = tf.add(flat, ones);
  assertEquals([...await more.data()], [3, 3, 3, 3, 3, 3]);
});

onWebgpu("a clone of a vector stays what it was when the vector changes", async () => {
  const flat = variable(Float32Array.of(1, 2, 3));
  const snapshot = tf.clone(flat);
  gatherFlat([tf.tensor([7, 8, 9])], flat);
  assertEquals([...await snapshot.data()], [1, 2, 3]);
  assertEquals([...await flat.data()], [7, 8, 9]);
  gatherFlat([snapshot], flat);
  assertEquals([...await flat.data()], [1, 2, 3]);
});

for (const size of [1003, 64 * 300]) {
  for (const clipNorm of [Infinity, 1, 1e9]) {
    onWebgpu(`Adam on ${size} numbers, clipped at ${clipNorm}, is the composed Adam`, async () => {
      const numbers: Omit<AdamStep, "step"> = {
        ...{ learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clipNorm },
        emaDecay: 0.95,
      };
      const draw = (stream: string) => normal({ seed: 2, stream }, size);
      const vectors = (): FlatVectors => ({
        weights: variable(draw("weights")),
        gradient: variable(draw("gradient")),
        m: variable(new Float32Array(size)),
        v: variable(new Float32Array(size)),
        ema: variable(draw("weights")),
      });
      const [fast, composed] = [vectors(), vectors()];
      for (let step = 1; step <= 3; step++) {
        const dispatches = await countDispatches(() => adamStep(fast, { ...numbers, step }));
        assert(dispatches >= 1 && dispatches <= 3);
        composedFlatOperations.step(composed, { ...numbers, step });
      }
      for (const name of ["weights", "m", "v", "ema"] as const) {
        const a = [...await fast[name].data()];
        const b = [...await composed[name].data()];
        const largest = Math.max(...b.map(Math.abs));
        const worst = Math.max(...a.map((value, i) => Math.abs(value - b[i])));
        assert(worst <= 2e-6 * largest, `${name} differs by ${worst} of ${largest}`);
      }
    });
  }
}
