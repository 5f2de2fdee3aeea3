// The ruler and what is measured with it: the classifier learns the digits, and the report tells good
// samples from bad ones.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { selectBackend } from "../common/backend.ts";
import { batch, type ImageSet } from "../common/data/images/image_set.ts";
import { loadImages } from "../common/data/images/load.ts";
import { trainClassifier } from "../common/report/classifier_training.ts";
import { normal } from "../common/random.ts";
import { reportLines, sampleReport } from "../common/report/sample_report.ts";

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

async function digits(split: "train" | "test"): Promise<ImageSet> {
  return await loadImages({ dataset: "mnist", size: 16, split });
}

Deno.test("the classifier learns the digits, and the report ranks samples by it", async () => {
  const backend = await selectBackend("wasm");
  const [train, test] = [await digits("train"), await digits("test")];
  const classifier = await trainClassifier(train, { seed: 1, steps: 150 });
  const report = (samples: Float32Array) => sampleReport(samples, classifier, train, test);

  const real = batch(train, numbers(512).map((i) => 17 * i));
  const good = await report(real);
  assert(good.accuracyReal > 0.94, `${good.accuracyReal} of the unseen digits`);
  assert(good.confident > 0.8 && good.confidentReal > 0.8);
  assert(good.perDigit.every((share) => share > 0.05));
  assert(Math.abs(good.perDigit.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
  assert(good.frechet < 2 * good.frechetReal, `${good.frechet} against ${good.frechetReal}`);

  const blurred = await report(
    real.map((v, i) => (v + (real[i + 1] ?? -1) + (real[i + 16] ?? -1)) / 3),
  );
  assert(blurred.frechet > 1.5 * good.frechet, `${blurred.frechet} against ${good.frechet}`);
  const noise = await report(normal({ seed: 1, stream: "noise" }, real.length));
  assert(noise.frechet > 5 * good.frechet, `${noise.frechet} against ${good.frechet}`);
  const zeros = await report(batch(train, numbers(512)));
  assert(zeros.perDigit[0] > 0.95 && zeros.frechet > 5 * good.frechet);

  const lines = reportLines(good);
  assert(lines.some((line) => line.includes("of 512 samples")));
  classifier.dispose();
  backend.dispose();
});

Deno.test("training and measuring leave no tensors behind", async () => {
  await tf.setBackend("cpu");
  const train = await digits("train");
  const before = tf.memory().numTensors;
  const few = { ...train, count: 8 };
  const classifier = await trainClassifier(few, { seed: 1, steps: 2 });
  assertEquals(tf.memory().numTensors - before, classifier.parameters.size);
  await classifier.classify(batch(train, [0, 1]));
  assertEquals(tf.memory().numTensors - before, classifier.parameters.size);
  classifier.dispose();
  assertEquals(tf.memory().numTensors, before);
  await assertRejects(() => classifier.classify(new Float32Array(100)), RangeError);
});

Deno.test("the same seed trains the same classifier", async () => {
  await tf.setBackend("cpu");
  const train = { ...await digits("train"), count: 16 };
  const images = batch(train, numbers(16));
  const features: Float32Array[] = [];
  for (const seed of [3, 3, 4]) {
    const classifier = await trainClassifier(train, { seed, steps: 2 });
    features.push((await classifier.classify(images)).features);
    classifier.dispose();
  }
  assertEquals(features[0], features[1]);
  assert(features[0].some((value, i) => value !== features[2][i]));
});
