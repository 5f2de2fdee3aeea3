// Paper 3's algorithms as properties: what the network is told in training, and where guidance leads.
import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../common/data/images/image_set.ts";
import { Adam, valueAndGradients } from "../common/network/adam.ts";
import { guided, guidedNoise } from "../common/network/guided.ts";
import { createModel, type ImageModel } from "../common/network/image_model.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { measureGuidance, spreadOf } from "../common/report/guidance_measure.ts";
import {
  endOfChain,
  everyTimestep,
  type ImageShape,
  pSample,
  reverseProcess,
} from "../common/reverse_process.ts";
import { labelOf, labelsOfDigits } from "../common/run/classes.ts";
import { UserError } from "../common/user_error.ts";
import { algorithm1, algorithm2, guidedChainOf } from "../paper_3.ts";
import { UNet } from "../unet.ts";
import { on } from "./backends.ts";
import { stirred } from "./weights.ts";

const small = { channels: 8, channelMults: [1, 2], attentionLevels: [], groups: 4, dropout: 0 };

function modelOf(classes: number, timesteps = 20): ImageModel {
  const options = { ...small, inChannels: 1, size: 8, timesteps, schedule: "cosine" as const };
  return createModel({ ...options, classes, seed: 1 });
}

function stirredModel(classes: number): ImageModel {
  const model = modelOf(classes);
  model.network.load(stirred(model.network.stateDict()));
  return model;
}

/** Images of class 0, whose left half is white, and of class 1, whose right half is. */
function leftAndRight(): ImageSet {
  const isWhite = (n: number, x: number) => (n < 2) === (x < 4);
  const pixels = Uint8Array.from({ length: 4 * 64 }, (_, i) => isWhite(i >> 6, i & 7) ? 255 : 0);
  const labels = Uint8Array.from([0, 0, 1, 1]);
  const shape = { count: 4, height: 8, width: 8, channels: 1 as const };
  return { name: "test", ...shape, pixels, labels, classes: ["left", "right"], flips: false };
}

const settings = {
  ...{ steps: 3, batch: 8, learningRate: 2e-3, decay: "none" as const, seed: 1 },
  snrGamma: 0,
};

async function same(a: tf.Tensor, b: tf.Tensor, within = 1e-5): Promise<void> {
  assertEquals(a.shape, b.shape);
  const [x, y] = await Promise.all([a.data(), b.data()]);
  for (const [i, value] of x.entries()) assertAlmostEquals(value, y[i], within);
}

Deno.test("classes add one matrix to the network, a row for each and one for none, and no other byte", async () => {
  await on("wasm", async () => {
    const options = { ...small, inChannels: 1, seed: 3 };
    const [plain, with3] = [new UNet(options), new UNet({ ...options, classes: 3 })];
    const [before, after] = [plain.stateDict(), with3.stateDict()];
    const names = [...before.keys()];
    names.splice(names.indexOf("linear2.bias") + 1, 0, "label_emb.weight");
    assertEquals([...after.keys()], names);
    assertEquals(after.get("label_emb.weight")!.shape, [4, 32]);
    for (const [name, weight] of before) await same(weight, after.get(name)!, 0);
    // with all rows 0 it is the plain network
    with3.load(new Map([...stirred(before), ["label_emb.weight", tf.zeros([4, 32])]]));
    plain.load(stirred(before));
    const xt = gaussianNoise<tf.Rank.R4>({ seed: 1, stream: "x" }, [2, 8, 8, 1]);
    const t = tf.tensor1d([3, 900]);
    await same(with3.forward(xt, t, { labels: [0, 2] }), plain.forward(xt, t));
  });
});

Deno.test("each image is told its own label, and without labels none is told any", async () => {
  await on("wasm", async () => {
    const { network } = stirredModel(3);
    const x = gaussianNoise<tf.Rank.R4>({ seed: 1, stream: "x" }, [1, 8, 8, 1]);
    const xs = tf.concat([x, x, x]);
    const t = tf.tensor1d([5, 5, 5]);
    const together = network.forward(xs, t, { labels: [0, 2, 3] });
    for (const [i, label] of [0, 2, 3].entries()) {
      const alone = network.forward(x, tf.tensor1d([5]), { labels: [label] });
      await same(tf.slice(together, [i, 0, 0, 0], [1, 8, 8, 1]), alone);
    }
    const none = network.forward(x, tf.tensor1d([5]));
    await same(none, tf.slice(together, [2, 0, 0, 0], [1, 8, 8, 1]));
    const [apart] = await tf.max(
      tf.abs(tf.sub(none, network.forward(x, t.slice(0, 1), { labels: [0] }))),
    )
      .data();
    assertLess(1e-3, apart);
    for (const labels of [[0], [0, 1, 4], [0, 1, -1], [0, 1, 0.5]]) {
      assertThrows(() => network.forward(xs, t, { labels }), RangeError, "allowed are 0 to 3");
    }
    const plain = new UNet({ ...small, inChannels: 1 });
    assertThrows(() => plain.forward(xs, t, { labels: [1, 1, 1] }), RangeError, "0 to 0");
  });
});

Deno.test("the gradient of the labels' vectors equals finite differences", async () => {
  await on("wasm", async () => {
    const { network } = stirredModel(2);
    const x = gaussianNoise<tf.Rank.R4>({ seed: 1, stream: "x" }, [2, 8, 8, 1]);
    const t = tf.tensor1d([3, 17]);
    const loss = () => tf.mean(tf.square(network.forward(x, t, { labels: [1, 2] }))) as tf.Scalar;
    const table = network.parameters.get("label_emb.weight")!;
    const { gradients } = valueAndGradients(network.parameters, loss);
    const gradient = await gradients.get("label_emb.weight")!.data<"float32">();
    const rows = (row: number) => gradient.slice(row * 32, (row + 1) * 32);
    assert(rows(0).every((value) => value === 0), "no image has the label 0");
    const direction = tf.tensor(Float32Array.from({ length: 96 }, (_, i) => Math.sin(i)), [3, 32]);
    const weights = table.clone();
    const along = async (step: number) => {
      table.assign(tf.add(weights, tf.mul(direction, step)));
      return (await loss().data())[0];
    };
    const difference = (await along(1e-2) - await along(-1e-2)) / 2e-2;
    const expected = gradient.reduce((sum, value, i) => sum + value * Math.sin(i), 0);
    assertAlmostEquals(difference, expected, 1e-2 * Math.abs(expected));
  });
});

Deno.test("Eq. 6 asks the network once, with and without labels, and w = 0 only with them", async () => {
  await on("wasm", async () => {
    const { network } = stirredModel(3);
    const xt = gaussianNoise<tf.Rank.R4>({ seed: 1, stream: "x" }, [2, 8, 8, 1]);
    const t = tf.tensor1d([4, 4]);
    const batches: number[] = [];
    const watched: Parameters<typeof guidedNoise>[0] = {
      classes: 3,
      forward: (x, t, options) => {
        batches.push(x.shape[0]);
        return network.forward(x, t, options);
      },
    };
    const labels = [1, 2];
    const [conditional, unconditional] = [
      network.forward(xt, t, { labels }),
      network.forward(xt, t),
    ];
    for (const w of [0, 0.5, 3]) {
      const expected = tf.sub(tf.mul(conditional, 1 + w), tf.mul(unconditional, w));
      await same(guidedNoise(watched, { xt, t }, { labels, w }), expected, 1e-4);
    }
    assertEquals(batches, [2, 4, 4]);
  });
});

Deno.test("guidance walks along the gradient of log p(x|c) + w·log p(c|x)", async () => {
  await on("cpu", async () => {
    // one pixel, classes N(m, 1) at this t; the exact noise is -sigma times the score, here with sigma = 1
    const means = [-1, 2];
    const density = (x: number, m: number) => Math.exp(-((x - m) ** 2) / 2);
    const mixture = (x: number) => means.reduce((sum, m) => sum + density(x, m), 0);
    const score = (x: number, label: number) =>
      label < 2
        ? means[label] - x
        : means.reduce((sum, m) => sum + density(x, m) * (m - x), 0) / mixture(x);
    const network: Parameters<typeof guidedNoise>[0] = {
      classes: 2,
      forward: (x, _t, { labels } = {}) => {
        const values = x.dataSync<"float32">();
        return tf.tensor4d(values.map((value, i) => -score(value, labels![i])), x.shape);
      },
    };
    for (const w of [0, 1, 4]) {
      for (const x of [-2, 0.3, 1.5]) {
        const xt = tf.tensor4d([x], [1, 1, 1, 1]);
        const guidance = { labels: [1], w };
        const [noise] = await guidedNoise(network, { xt, t: tf.tensor1d([1]) }, guidance).data();
        const log = (x: number) =>
          Math.log(density(x, means[1])) + w * Math.log(density(x, means[1]) / mixture(x));
        assertAlmostEquals(-noise, (log(x + 1e-4) - log(x - 1e-4)) / 2e-4, 1e-3, `w ${w}, x ${x}`);
      }
    }
  });
});

const shape: ImageShape = [2, 8, 8, 1];

Deno.test("Algorithm 2 is Ho et al.'s step with the guided noise, and forgets no tensors", async () => {
  await on("wasm", async () => {
    const model = stirredModel(3);
    for (const w of [0, 2]) {
      const before = tf.memory().numTensors;
      const guidance = { labels: [0, 2], w };
      const start = { shape, seed: 3, name: "test" };
      const noise = (stream: string, step = 0) =>
        gaussianNoise<tf.Rank.R4>({ seed: 3, stream: `${stream} test`, step }, shape);
      const expected = reverseProcess(noise("xT"), everyTimestep(20), (xt, t) => {
        const z = t > 1 ? noise("z", t) : tf.zeros<tf.Rank.R4>(shape);
        return pSample(guided(model, guidance), { xt, t, z });
      });
      const [ours, theirs] = [
        await endOfChain(algorithm2(model, guidance, start)),
        await endOfChain(expected),
      ];
      await same(ours, theirs, 1e-4);
      tf.dispose([ours, theirs]);
      assertEquals(tf.memory().numTensors, before);
    }
  });
});

/** Which rows of the labels' matrix a few steps of training have moved. */
async function movedRows(pUncond: number): Promise<boolean[]> {
  const model = modelOf(2);
  model.network.load(stirred(model.network.stateDict())); // its last layer starts at 0: nothing would move
  const table = model.network.parameters.get("label_emb.weight")!;
  const before = await table.data();
  const adam = new Adam(model.network.parameters);
  const training = { model, adam, images: leftAndRight(), settings: { ...settings, pUncond } };
  for (const { loss } of algorithm1(training)) loss.dispose();
  const after = await table.data();
  return [0, 1, 2].map((row) =>
    before.slice(32 * row, 32 * row + 32).some((x, i) => x !== after[32 * row + i])
  );
}

Deno.test("Algorithm 1 drops the label with probability p_uncond: never, always, sometimes", async () => {
  await on("wasm", async () => {
    assertEquals(await movedRows(0), [true, true, false]);
    assertEquals(await movedRows(1), [false, false, true]);
    assertEquals(await movedRows(0.5), [true, true, true]);
  });
});

Deno.test("left and right are learned with their names, and w makes them surer", async () => {
  await on("wasm", async () => {
    const model = modelOf(2, 50);
    const adam = new Adam(model.network.parameters, { clipNorm: 1 });
    const rate = { steps: 150, learningRate: 1e-2, decay: "cosine" as const };
    const training = { ...settings, ...rate, batch: 16, pUncond: 0.1 };
    const step = algorithm1({ model, adam, images: leftAndRight(), settings: training });
    for (const { loss } of step) loss.dispose();
    const labels = [0, 0, 0, 0, 1, 1, 1, 1];
    const sampler = { sampler: "ddim", sampleSteps: 5, eta: 0 } as const;
    const start = { shape: [8, 8, 8, 1] as ImageShape, seed: 1, name: "test" };
    const sides = async (w: number) => {
      const x0 = await endOfChain(guidedChainOf(model, sampler, { labels, w }, start));
      const left = await tf.mean(tf.slice(x0, [0, 0, 0, 0], [8, 8, 4, 1]), [1, 2, 3]).data();
      return Array.from(left, (mean, i) => labels[i] ? -mean : mean); // 1 where it is as asked for
    };
    const [told, guided] = [await sides(0), await sides(4)];
    for (const side of guided) assertLess(0.5, side, `${guided}`);
    assertLess(Math.min(...told), Math.min(...guided));
  });
});

Deno.test("a training step of Algorithm 1 leaves no tensors behind, and goes on where it stopped", async () => {
  await on("wasm", async () => {
    const images = leftAndRight();
    const lossesOf = async (stops: number[]) => {
      const model = modelOf(2);
      const adam = new Adam(model.network.parameters);
      const losses: [number, number][] = [];
      const counts = new Set<number>();
      for (const steps of stops) {
        const part = { ...settings, steps, pUncond: 0.5 };
        for (const { step, loss } of algorithm1({ model, adam, images, settings: part })) {
          losses.push([step, (await loss.data())[0]]);
          loss.dispose();
          if (step > 1) counts.add(tf.memory().numTensors);
        }
      }
      assertEquals(counts.size, 1);
      return losses;
    };
    assertEquals(await lossesOf([2, 5]), await lossesOf([5]));
  });
});

Deno.test("a class is asked for by its name, or by its number where no name is one", () => {
  const animals = ["cat", "dog", "horse"];
  assertEquals(["horse", "0", "2"].map((asked) => labelOf(asked, animals)), [2, 0, 2]);
  assertEquals(labelOf("7", ["3", "7"]), 1); // the name, and not the number
  for (const [asked, classes] of [["12", animals], ["0", ["3", "7"]], ["Cat", animals]] as const) {
    assertThrows(
      () => labelOf(asked, [...classes]),
      UserError,
      `--label ${asked}: the run has learned`,
    );
  }
  const digits = Array.from("0123456789");
  assertEquals(labelsOfDigits("2026", digits), [2, 0, 2, 6]);
  assertThrows(() => labelsOfDigits("2026", animals), UserError, "cat, dog, horse; --draw is for");
  assertThrows(() => labelsOfDigits("27", ["2", "3"]), UserError, "2, 3");
});

Deno.test("the spread is the mean distance within a class, whatever lies between classes", () => {
  // class 0: three points at 0, 3, 6 (distances 3, 3, 6); class 1: two at 100 and 110; class 2: one alone
  const images = Float32Array.from([0, 100, 3, 500, 110, 6]);
  assertEquals(spreadOf(images, [0, 1, 0, 2, 1, 0]), (4 + 10) / 2);
  assertEquals(spreadOf(Float32Array.from([0, 0, 3, 4]), [5, 5]), 5); // two pixels each
});

Deno.test("measures without a classifier: the spread with its error over the seeds, real images beside", async () => {
  const train = leftAndRight();
  const seed = (distance: number) => {
    const images = new Float32Array(4 * 64);
    images[64] = distance; // image 1 and 3 differ from 0 and 2 in one pixel
    images[3 * 64] = distance;
    return images;
  };
  const samples = [{ w: 2, seeds: [1, 2, 3].map(seed) }];
  const { strengths: [{ w, spread, asked }], real } = await measureGuidance(samples, {
    labels: [0, 0, 1, 1],
    train,
  });
  assertEquals([w, spread.mean, asked], [2, 2, undefined]);
  assertAlmostEquals(spread.error, Math.sqrt(1 / 3));
  assertEquals(real, { spread: 0 }); // both images of a class are the same
});
