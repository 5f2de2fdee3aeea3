/**
 * A model's numbers of merit in the words of Ho et al. 2020: bits per dimension of unseen images (table 2), and
 * how an image comes to a receiver bit by bit (section 4.3).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { batch, type ImageSet } from "../data/images/image_set.ts";
import { gaussianNoise } from "../engine/noise.ts";
import { type DecodingPoint, rateFigure } from "../plot/rate_figure.ts";
import { integers } from "../random.ts";
import type { Denoiser } from "../reverse_process.ts";
import type { RunFolder } from "../run/folder.ts";
import { Progress } from "../run/progress.ts";
import type { Conclusion } from "../run/training_run.ts";
import { type Measured, measuredMean } from "./metrics/measured.ts";
import { boundTerm, priorTerm, type Variance, VARIANCES } from "../variational_bound.ts";

/** The bound with one choice of σₜ²: means over images, in bits per dimension. */
export interface Codelength {
  /** L_T, the prior. */
  prior: Measured;
  /** L₁ to L_{T−1} together. */
  denoising: Measured;
  /** L₀, the discrete decoder. */
  decoder: Measured;
  /** All of them: what an image takes without loss. */
  sum: Measured;
}

/** What {@linkcode measureLikelihood} finds. */
export interface Likelihood {
  /** By the choice of σₜ². */
  codelength: Record<Variance, Codelength>;
  /** What a receiver has at each t, from T down to 0. */
  decoding: Record<Variance, DecodingPoint[]>;
}

/** Grey values that a difference of 1 in [-1, 1] is. */
const GREY = 127.5;
/** Where on the way from 0 to T the rows of the table are that is printed. */
const ROWS = [1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0];
/** The names of the variances, of one width. */
const NAMES: Record<Variance, string> = { beta: "βₜ  ", posterior: "β̃ₜ  " };

/**
 * Measures the bound on images that the model has not seen: for every t on others of them, at random, so
 * that all T terms together see many.
 *
 * @param options.images Images for each t.
 */
export async function measureLikelihood(
  denoiser: Denoiser,
  unseen: ImageSet,
  { images: B, seed }: { images: number; seed: number },
): Promise<Likelihood> {
  const { height, width, channels, count } = unseen;
  const { schedule } = denoiser;
  const { T } = schedule;
  const D = height * width * channels;
  const inBits = (nats: number) => nats / (D * Math.LN2);
  const draw = (t: number) =>
    batch(unseen, integers({ seed, stream: "bound", step: t }, B, 0, count));
  const first = draw(0);
  const prior = measuredMean(
    Float64Array.from(
      { length: B },
      (_, b) => inBits(priorTerm(schedule, first.subarray(b * D, (b + 1) * D))),
    ),
  );
  const terms: Record<Variance, Measured[]> = { beta: [], posterior: [] }; // of t = T, …, 1
  const rmse: number[] = [];
  const progress = new Progress({ label: "bound", total: T });
  for (let t = T; t >= 1; t--) {
    const x0 = tf.tensor4d(draw(t), [B, height, width, channels]);
    const eps = gaussianNoise<tf.Rank.R4>({ seed, stream: "bound eps", step: t }, x0.shape);
    const term = await boundTerm(denoiser, { x0, t, eps });
    tf.dispose([x0, eps]);
    for (const of of VARIANCES) terms[of].push(measuredMean(term.nats[of].map(inBits)));
    rmse.push(GREY * Math.sqrt(measuredMean(term.distortion).mean));
    progress.update(rmse.length);
  }
  progress.finish();
  const each = <R>(of: (variance: Variance) => R) =>
    Object.fromEntries(VARIANCES.map((name) => [name, of(name)])) as Record<Variance, R>;
  return {
    codelength: each((of) => {
      const denoising = sumOf(terms[of].slice(0, -1));
      const decoder = terms[of][T - 1];
      return { prior, denoising, decoder, sum: sumOf([prior, denoising, decoder]) };
    }),
    decoding: each((of) => {
      let rate = prior.mean; // until x_T is there
      const points = terms[of].map(({ mean }, i) => {
        const point = { t: T - i, rate, rmse: rmse[i] };
        rate += mean;
        return point;
      });
      return [...points, { t: 0, rate, rmse: 0 }];
    }),
  };
}

/**
 * Measures, and writes rate_distortion.csv, with a row for each t, and paper2_likelihood.png.
 */
export async function reportLikelihood(
  denoiser: Denoiser,
  unseen: ImageSet,
  { folder, images, seed }: { folder: RunFolder; images: number; seed: number },
): Promise<Conclusion> {
  const { codelength, decoding } = await measureLikelihood(denoiser, unseen, { images, seed });
  const points = decoding.posterior;
  await folder.write("paper2_likelihood.png", await rateFigure(points));
  const rows = points.map(({ t, rate, rmse }, i) =>
    `${t},${decoding.beta[i].rate},${rate},${rmse}\n`
  );
  await folder.write("rate_distortion.csv", "t,rateOfBeta,rateOfPosterior,rmse\n" + rows.join(""));
  const T = points.length - 1;
  const some = [...new Set(ROWS.map((share) => T - Math.round(share * T)))].map((i) => points[i]);
  return {
    results: { imagesPerTimestep: images, bitsPerDimension: codelength, rateDistortion: some },
    lines: [...codelengthLines(codelength), "", ...decodingLines(some)],
  };
}

function codelengthLines(codelength: Record<Variance, Codelength>): string[] {
  const cell = ({ mean, error }: Measured) =>
    `${mean.toFixed(4)} ± ${error.toFixed(4)}`.padStart(17);
  return [
    "bits per dimension of unseen images, with the standard error:",
    `  σₜ² ${
      ["L_T", "L₁ to L_{T−1}", "L₀", "in all, at most"].map((name) => name.padStart(17)).join("")
    }`,
    ...VARIANCES.map((of) => {
      const { prior, denoising, decoder, sum } = codelength[of];
      return `  ${NAMES[of]}${[prior, denoising, decoder, sum].map(cell).join("")}`;
    }),
  ];
}

function decodingLines(points: DecodingPoint[]): string[] {
  return [
    "what a receiver has (σₜ² = β̃ₜ): x̂₀ at t, after so many bits, is so many grey values off",
    "     t   bits per dimension    RMSE of x̂₀",
    ...points.map(({ t, rate, rmse }) =>
      `${String(t).padStart(6)}${rate.toFixed(4).padStart(21)}${rmse.toFixed(2).padStart(14)}`
    ),
  ];
}

/** The sum of independent means. */
function sumOf(parts: Measured[]): Measured {
  return {
    mean: parts.reduce((sum, { mean }) => sum + mean, 0),
    error: Math.sqrt(parts.reduce((sum, { error }) => sum + error ** 2, 0)),
  };
}
