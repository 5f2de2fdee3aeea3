import { assert, assertAlmostEquals, assertEquals, assertMatch, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { type BackendName, selectBackend } from "../common/backend.ts";
import { writeSafetensors } from "../common/checkpoint.ts";
import type { ImageSet } from "../common/data/images/image_set.ts";
import type { Classification } from "../common/network/digit_classifier.ts";
import { qJump, qSample } from "../common/forward_process.ts";
import { createModel } from "../common/network/image_model.ts";
import { deviation, inpaintingCsv, inpaintingReport } from "../common/report/inpainting_report.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { readPng, writePng } from "../common/data/images/png.ts";
import {
  type Denoiser,
  endOfChain,
  everyTimestep,
  fewerTimesteps,
  withJumps,
} from "../common/reverse_process.ts";
import { linearSchedule } from "../common/schedule.ts";
import { repaint, type RepaintOptions } from "../paper_2_inpainting.ts";
import { errorLines, inTemporaryFolder, mayRunCommands, runScript } from "./commands.ts";

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

Deno.test("errors count the hole only, and agreement compares with the original", async () => {
  // two images of two pixels, the second hidden; the training set's mean image is [0, 1]
  const train: ImageSet = {
    ...{ name: "test", count: 2, height: 1, width: 2, channels: 1, flips: false },
    pixels: Uint8Array.of(0, 255, 255, 255),
  };
  const originals = Float32Array.of(0.5, -1, 0.25, 0);
  const fillings = [Float32Array.of(0.5, 1, 0.25, 0), Float32Array.of(0.5, 0, 0.25, -1)];
  const images = {
    ...{ height: 1, width: 2, channels: 1, missing: Uint8Array.of(0, 1) },
    ...{ originals, fillings },
  };
  // takes an image for the digit of its hidden pixel's sign
  const classify = (images: Float32Array) => {
    const label = Int32Array.from([images[1], images[3]], (x) => Math.sign(x) + 1);
    return Promise.resolve({ label } as Classification);
  };
  const { report, rows } = await inpaintingReport(images, train, { classify });
  assertEquals([report.images, report.fillings, report.hidden, report.pixels], [2, 2, 1, 2]);
  assertAlmostEquals(report.error.filling, (4 + 0 + 1 + 1) / 4);
  assertAlmostEquals(report.error.meanOfFillings, (1.5 ** 2 + 0.5 ** 2) / 2);
  assertAlmostEquals(report.error.meanImage, (4 + 1) / 2);
  assertEquals(report.sameDigit, { filling: 1 / 4, meanImage: 0 });
  assertEquals(
    inpaintingCsv(rows),
    "image,filling,error,original_label,filled_label\n" +
      "1,1,4,0,2\n2,1,0,1,1\n1,2,1,0,1\n2,2,1,1,0\n",
  );
  assertEquals(deviation(fillings), Float32Array.of(0, 0.5, 0, 0.5));
  const { report: without } = await inpaintingReport(images, train);
  assertEquals(without.sameDigit, undefined);
});

const tiny = ["--size", "8", "--channels", "8", "--channel-mults", "1,2", "--batch", "4"];
const short = ["--sample-steps", "6", "--jump-length", "2", "--jumps", "2", "--backend", "wasm"];
const PICTURE = "paper2_inpainting.png";
const FILES = [PICTURE, "inpainting.json", "inpainting.csv"];

/** Trains a model for two steps into runs/tiny. */
async function trainTiny(folder: string): Promise<void> {
  const quick = ["--steps", "2", "--samples", "1", "--timesteps", "30", "--sample-steps", "2"];
  const flags = [...tiny, ...quick, "--backend", "wasm", "--out", "runs/tiny"];
  const run = await runScript("paper_2.ts", flags, folder);
  assertEquals(run.code, 0, run.stderr);
}

async function contents(path: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name } of Deno.readDir(path)) {
    const bytes = await Deno.readFile(`${path}/${name}`);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    files.set(name, Array.from(hash, (byte) => byte.toString(16)).join(" "));
  }
  return files;
}

/** Runs the script on a run; gives what it says. */
async function inpaint(folder: string, run: string, ...flags: string[]): Promise<string> {
  const args = ["--resume", run, ...short, ...flags];
  const { code, stdout, stderr } = await runScript("paper_2_inpainting.ts", args, folder);
  assertEquals(code, 0, stderr);
  return stdout;
}

Deno.test({
  name: "inpaint leaves three files in the run's folder and touches no other",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await trainTiny(folder);
      const before = await contents(`${folder}/runs/tiny`);
      const said = await inpaint(folder, "runs/tiny", "--images", "3", "--fillings", "2");
      assertMatch(said, /3 images with 32 of 64 pixels hidden, each filled 2 times/);
      assertMatch(said, /same digit as the original: [\d.]+ % of 6 fillings/);
      assertMatch(said, /mean squared error in the hole: \d/);
      const after = await contents(`${folder}/runs/tiny`);
      assertEquals([...after.keys()].sort(), [...before.keys(), ...FILES].sort());
      for (const [name, hash] of before) assertEquals(after.get(name), hash, name);
    }),
});

Deno.test({
  name: "inpaint fills an image of one's own, the same way for the same seed",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await trainTiny(folder);
      const runs = `${folder}/runs`;
      // a run on a folder of pictures: nothing is measured by a classifier of digits
      await Deno.mkdir(`${runs}/pictures`);
      const data = Uint8Array.from({ length: 4 * 120 }, (_, i) => i % 4 === 3 ? 255 : i >> 2);
      await Deno.writeFile(`${runs}/pictures/a.png`, writePng({ width: 12, height: 10, data }));
      const record = JSON.parse(await Deno.readTextFile(`${runs}/tiny/run.json`));
      Object.assign(record.settings, { dataset: "images", dataDir: "runs/pictures" });
      await Deno.writeTextFile(`${runs}/tiny/run.json`, JSON.stringify(record));

      const own = ["--image", "runs/pictures/a.png", "--mask", "box:2,3,4,1"];
      const said = await inpaint(folder, "runs/tiny", ...own);
      assertMatch(said, /1 image with 4 of 64 pixels hidden, filled 6 times/);
      assert(!said.includes("digit"), said);
      const first = await contents(`${runs}/tiny`);
      await inpaint(folder, "runs/tiny", ...own, "--workers", "1");
      const second = await contents(`${runs}/tiny`);
      for (const name of [PICTURE, "inpainting.csv"]) {
        assertEquals(second.get(name), first.get(name), name);
      }
      await inpaint(folder, "runs/tiny", ...own, "--seed", "1", "--out", "runs/other");
      const other = await contents(`${runs}/other`);
      assertEquals([...other.keys()].sort(), [...FILES].sort());
      for (const name of FILES) assert(other.get(name) !== first.get(name), name);
      assertEquals(await contents(`${runs}/tiny`), second);

      // a longer list of fillings begins with those of a shorter one
      const errors = async () =>
        (await Deno.readTextFile(`${runs}/other/inpainting.csv`)).split("\n").slice(1, 4)
          .map((row) => Number(row.split(",")[2]));
      const few = await errors();
      await inpaint(
        folder,
        "runs/tiny",
        ...own,
        "--fillings",
        "9",
        "--seed",
        "1",
        "--out",
        "runs/other",
      );
      for (const [k, error] of (await errors()).entries()) assertAlmostEquals(error, few[k], 1e-4);
      const sheet = readPng(await Deno.readFile(`${runs}/tiny/${PICTURE}`), PICTURE);
      assert(sheet.width > 600 && sheet.height > 100, `${sheet.width}x${sheet.height}`);
    }),
});

Deno.test({
  name: "inpaint says in one line what does not fit",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await trainTiny(folder);
      const runs = `${folder}/runs`;
      const record = JSON.parse(await Deno.readTextFile(`${runs}/tiny/run.json`));
      const madeUp = async (name: string, script: string, dataset: string, model?: Uint8Array) => {
        const settings = { ...record.settings, dataset };
        await Deno.mkdir(`${runs}/${name}`);
        await Deno.writeTextFile(`${runs}/${name}/run.json`, JSON.stringify({ script, settings }));
        if (model) await Deno.writeFile(`${runs}/${name}/model.safetensors`, model);
      };
      const weights = await Deno.readFile(`${runs}/tiny/model.safetensors`);
      await madeUp("paper1", "paper1", "mnist");
      await madeUp("images", "paper2", "images", weights);
      await madeUp("empty", "paper2", "mnist");
      await madeUp("colour", "paper2", "mnist", await colourModel(folder, record.settings));
      const data = Uint8Array.from({ length: 4 * 144 }, (_, i) => i % 4 === 1 ? 9 : 255);
      await Deno.writeFile(`${runs}/pink.png`, writePng({ width: 12, height: 12, data }));
      await Deno.writeFile(`${folder}/outside.png`, writePng({ width: 12, height: 12, data }));

      const here = ["--resume", "runs/tiny"];
      const cases: [string[], RegExp][] = [
        [[], /--resume DIR/],
        [["--resume", "runs/none"], /runs\/none\/run\.json: there is no such file/],
        [["--resume", "runs/paper1"], /runs\/paper1\/run\.json is a run of paper1; .*paper2/],
        [["--resume", "runs/empty"], /runs\/empty\/model\.safetensors: there is no such file/],
        [["--resume", "runs/images"], /seen all images .*--image file\.png/],
        [["--resume", "runs/colour"], /mnist, is grey and the model's images are in colour/],
        [[...here, "--mask", "middle"], /--mask does not take 'middle'; allowed: box:x,y,w,h/],
        [[...here, "--mask", "random:2"], /--mask does not take 'random:2'/],
        [[...here, "--mask", "random:1"], /hides all of the 8x8 pixels/],
        [[...here, "--mask", "random:0"], /hides none of the 8x8 pixels/],
        [[...here, "--mask", "box:4,0,5,8"], /column 9 .*at most 8/],
        [[...here, "--mask", "runs/pink.png"], /runs\/pink\.png has 12x12 .*8x8/],
        [[...here, "--mask", "outside.png"], /outside\.png: this needs the permission/],
        [[...here, "--image", "runs/pink.png"], /pink\.png is in colour .* are grey/],
        [[...here, "--image", "runs/none.png"], /runs\/none\.png: there is no such file/],
        [[...here, "--image", "runs/pink.png", "--images", "2"], /--images 2 .*--image/],
        [[...here, "--images", "33"], /--images does not take '33'.*1 to 32/],
        [[...here, "--fillings", "1"], /--fillings does not take '1'.*2 to 16/],
        [[...here, "--sample-steps", "31"], /--sample-steps 31.*1 to 30/],
        [[...here, "--sample-steps", "5"], /--jump-length 5 with --sample-steps 5/],
        [[...here, "--data-dir", "runs"], /--dataset mnist: comes with the program/],
        [[...here, "--steps", "5"], /--steps is not a known flag/],
      ];
      for (const [args, message] of cases) {
        const flags = ["--backend", "cpu", "--workers", "1", ...args];
        if (!args.includes("--sample-steps")) flags.push("--sample-steps", "6");
        const ended = await runScript("paper_2_inpainting.ts", flags, folder);
        assertEquals(ended.code, 2, `${args}: ${ended.stderr}`);
        const lines = errorLines(ended.stderr);
        assertEquals(lines.length, 1, ended.stderr);
        assertMatch(lines[0], message);
        assert(!ended.stderr.includes("    at "), ended.stderr);
      }
      assertEquals((await contents(`${runs}/tiny`)).has(PICTURE), false);
    }),
});

/** The bytes of a model file like that of runs/tiny, for images in colour. */
async function colourModel(
  folder: string,
  settings: Parameters<typeof createModel>[0],
): Promise<Uint8Array> {
  await tf.setBackend("cpu");
  const { network } = createModel(settings, 3);
  const path = `${folder}/colour.safetensors`;
  await writeSafetensors(path, network.stateDict());
  network.dispose();
  return await Deno.readFile(path);
}
