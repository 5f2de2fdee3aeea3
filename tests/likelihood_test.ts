// Bits per dimension: the terms of the bound against what is known of Gaussians, and the command.
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../common/data/images/image_set.ts";
import { normal } from "../common/random.ts";
import { measureLikelihood } from "../common/report/likelihood_report.ts";
import type { Denoiser } from "../common/reverse_process.ts";
import { cosineSchedule, linearSchedule } from "../common/schedule.ts";
import {
  discreteLogLikelihood,
  priorTerm,
  reverseVariance,
  VARIANCES,
} from "../common/variational_bound.ts";
import { on } from "./backends.ts";
import {
  assertRefused,
  contentsOf,
  inTemporaryFolder,
  mayRunCommands,
  runScript,
} from "./commands.ts";
import { shortRuns } from "./short_runs.ts";

const GREYS = Array.from({ length: 256 }, (_, v) => v / 127.5 - 1);

Deno.test("the discrete decoder gives all grey values together the probability 1", () => {
  for (const [mean, std] of [[0, 0.2], [0.9, 0.05], [-1.5, 0.4], [0.3, 0.003], [0, 5]]) {
    const total = GREYS.reduce((sum, x) => sum + Math.exp(discreteLogLikelihood(x, mean, std)), 0);
    assertAlmostEquals(total, 1, 1e-6, `${mean}, ${std}`);
  }
});

Deno.test("the discrete decoder is the density times the width, and stays finite far out", () => {
  const density = (z: number) => -z * z / 2 - Math.log(Math.sqrt(2 * Math.PI) * 0.1);
  for (const v of [100, 128, 160]) {
    const found = discreteLogLikelihood(GREYS[v], 0, 0.1);
    assertAlmostEquals(found, density(GREYS[v] / 0.1) + Math.log(2 / 255), 2e-3);
  }
  const far = discreteLogLikelihood(GREYS[200], -1, 0.01); // 157 standard deviations away
  assert(far < -10_000 && Number.isFinite(far), `${far}`);
});

Deno.test("L_T is the divergence of two Gaussians", () => {
  const schedule = linearSchedule(50, 1e-4, 0.02);
  const [x, variance] = [0.7, 1 - schedule.alphaBar(50)];
  // ∫ q·log(q/p) by a sum
  const mean = Math.sqrt(1 - variance) * x;
  let integral = 0;
  for (let z = -10; z < 10; z += 0.01) {
    const at = mean + z * Math.sqrt(variance);
    const q = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    integral += 0.01 * q * (-z * z / 2 - Math.log(variance) / 2 + at * at / 2);
  }
  assertAlmostEquals(priorTerm(schedule, Float32Array.of(x, x)), 2 * integral, 1e-5);
});

/** Images whose pixels are independent, each N(0, s²) rounded to a grey value. */
function gaussianImages(s: number, count: number): ImageSet {
  const z = normal({ seed: 5, stream: "images" }, 16 * count);
  const pixels = Uint8Array.from(z, (z) => Math.round((1 + s * z) * 127.5));
  return { name: "test", count, height: 4, width: 4, channels: 1, pixels, flips: false };
}

Deno.test("bits per dimension of Gaussian images under their best denoiser are what is known of them", () =>
  on("cpu", async () => {
    const [s, T] = [0.2, 200];
    const schedule = cosineSchedule(T);
    const denoiser: Denoiser = {
      schedule,
      network: {
        // E[x₀ | xₜ] = √ᾱₜ·s²/(ᾱₜ·s² + 1−ᾱₜ)·xₜ, and the ε that goes with it
        forward: (xt, t) => {
          const alphaBar = schedule.alphaBar(t.dataSync()[0]);
          const spread = alphaBar * s ** 2 + 1 - alphaBar;
          return tf.mul(xt, Math.sqrt(1 - alphaBar) / spread);
        },
      },
    };
    const images = gaussianImages(s, 200);
    const { codelength, decoding } = await measureLikelihood(denoiser, images, {
      images: 100,
      seed: 0,
    });
    // log₂(√(2πe)·s) bits of density, and 127.5 grey values for each unit
    const entropy = Math.log2(Math.sqrt(2 * Math.PI * Math.E) * s * 127.5);
    for (const of of VARIANCES) {
      const { sum, decoder, denoising } = codelength[of];
      assert(sum.mean > entropy - 3 * sum.error, `${of}: ${sum.mean} bits, entropy ${entropy}`);
      // E (x₀ − x̂₀)² = s²·(1−ᾱₜ)/(ᾱₜ·s² + 1−ᾱₜ) gives every term but the last
      let expected = 0;
      for (let t = 2; t <= T; t++) {
        const [alphaBar, { coefX0, std }] = [schedule.alphaBar(t), schedule.posterior(t)];
        const variance = reverseVariance(schedule, t, of);
        const squares = s ** 2 * (1 - alphaBar) / (alphaBar * s ** 2 + 1 - alphaBar);
        const ratio = std ** 2 / variance;
        expected +=
          (-Math.log2(ratio) + (ratio - 1 + coefX0 ** 2 * squares / variance) / Math.LN2) / 2;
      }
      assertAlmostEquals(denoising.mean, expected, 4 * denoising.error);
      if (of === "beta") assert(sum.mean < entropy + 0.1, `${sum.mean} bits, entropy ${entropy}`);
      assert(sum.error > 0 && sum.error < 0.1, `${sum.error}`);
      assert(decoder.mean > 0);
      const points = decoding[of];
      assertEquals(points.map(({ t }) => t), Array.from({ length: T + 1 }, (_, i) => T - i));
      assertAlmostEquals(points.at(-1)!.rate, sum.mean, 1e-9);
      points.slice(1).forEach(({ rate }, i) => assert(rate >= points[i].rate));
      // at T nothing is known of an image but its spread
      assertAlmostEquals(points[0].rmse, 127.5 * s, 0.1 * 127.5 * s);
    }
  }));

Deno.test({
  name: "--likelihood writes its numbers beside the run, and refuses what does not go together",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const paper2 = (args: string[]) =>
        runScript("paper_2.ts", [...args, "--backend", "wasm"], folder);
      await shortRuns.paper2([
        ...["--size", "8", "--channels", "8", "--channel-mults", "1", "--timesteps", "30"],
        ...["--attention-levels", "none", "--batch", "4", "--steps", "3", "--sample-steps", "4"],
        ...["--out", `${folder}/runs/x`],
      ]);
      const before = await contentsOf(`${folder}/runs/x`);
      const ended = await paper2(["--likelihood", "--resume", "runs/x", "--samples", "3"]);
      assertEquals(ended.code, 0, ended.stderr);
      assertMatch(
        ended.stdout,
        /in all, at most\n.*βₜ( +[\d.]+ ± [\d.]+){4}\n.*( +[\d.]+ ± [\d.]+){4}/,
      );
      assertEquals(await contentsOf(`${folder}/runs/x`), before);

      const out = `${folder}/runs/x-likelihood`;
      const rows = (await Deno.readTextFile(`${out}/rate_distortion.csv`)).trim().split("\n");
      assertEquals(rows.length, 32);
      assertMatch(rows[1], /^30,/);
      assertMatch(rows[31], /^0,.*,0$/);
      assert((await Deno.stat(`${out}/paper2_likelihood.png`)).size > 1000);
      const { results, drawnFrom } = JSON.parse(await Deno.readTextFile(`${out}/run.json`));
      assertEquals(drawnFrom.run, "runs/x");
      assertEquals(results.imagesPerTimestep, 3);
      const { prior, denoising, decoder, sum } = results.bitsPerDimension.beta;
      assertAlmostEquals(sum.mean, prior.mean + denoising.mean + decoder.mean, 1e-9);
      assertEquals(Number(rows[31].split(",")[1]), sum.mean);

      const both = await paper2(["--likelihood", "--sample-only", "--resume", "runs/x"]);
      assertRefused(both, /--sample-only and --likelihood are two things to do: give one/);
    }),
});
