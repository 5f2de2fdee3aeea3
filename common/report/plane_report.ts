/**
 * The perfect denoiser in the plane, where one sees what it knows: with few points it leads back to them,
 * with many to the curve that they come from.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { distanceToSpiral, sampleSwissRoll } from "../data/points/swiss_roll.ts";
import { gaussianNoise } from "../engine/noise.ts";
import { arrowsOf } from "../plot/figures.ts";
import { planeFigure } from "../plot/plane_figure.ts";
import { type ChainPoint, endOfChain } from "../reverse_process.ts";
import type { RunFolder } from "../run/folder.ts";
import { median } from "./metrics/r_squared.ts";

/** The perfect denoiser of some points, and its chain. */
export interface PlaneDenoiser {
  /** x̂₀(xₜ), both [B, 1, 1, 2]. */
  expectation: (xt: tf.Tensor4D, alphaBar: number) => tf.Tensor4D;
  /** The chain of so many noises, the same for all points. */
  chain: (count: number) => Iterable<ChainPoint>;
}

/** What it does with so many training points. */
export interface PlaneResult {
  /** Training points. */
  points: number;
  /** Median distance of a sample from the training point nearest to it. */
  toTraining: number;
  /** The same of fresh points of the spiral. */
  toTrainingReal: number;
  /** Median distance of a sample from the spiral. */
  toSpiral: number;
}

/** Training points, from few to many. */
const COUNTS = [10, 100, 1000, 10_000];
/** Samples, arrows along a side, and ᾱₜ where the field is drawn. */
const [SAMPLES, ARROWS, FIELD_AT] = [500, 15, 0.9];
/** The field reaches from −it to it along both axes. */
const REACH = 1.6;

/** Draws with the perfect denoiser of ever more points of the spiral; writes paper5_plane.png. */
export async function reportPlane(
  { folder, seed, denoiserOf }: {
    folder: RunFolder;
    seed: number;
    denoiserOf: (points: Float32Array) => PlaneDenoiser;
  },
): Promise<{ results: PlaneResult[]; lines: string[] }> {
  const all = sampleSwissRoll({ seed, stream: "plane" }, COUNTS.at(-1)!);
  const fresh = sampleSwissRoll({ seed, stream: "plane fresh" }, SAMPLES);
  const columns = [];
  const results: PlaneResult[] = [];
  for (const count of COUNTS) {
    const points = all.subarray(0, 2 * count);
    const { expectation, chain } = denoiserOf(points);
    const ends = await endOfChain(chain(SAMPLES));
    const samples = await ends.data<"float32">();
    ends.dispose();
    results.push({
      points: count,
      toTraining: median(distances(samples, points)),
      toTrainingReal: median(distances(fresh, points)),
      toSpiral: median(distanceToSpiral(samples)),
    });
    columns.push({ count, points, samples, arrows: await field(expectation) });
  }
  await folder.write("paper5_plane.png", await planeFigure(columns, await noisy(all, seed)));
  const fixed = (x: number) => x.toFixed(4);
  return {
    results,
    lines: results.map(({ points, toTraining, toTrainingReal, toSpiral }) =>
      `the spiral from ${points} points: samples ${
        fixed(toTraining)
      } away from one of them (fresh ` +
      `points of the spiral: ${fixed(toTrainingReal)}), ${
        fixed(toSpiral)
      } from the spiral (medians)`
    ),
  };
}

/** Points of the spiral with the noise that the field is drawn at. */
async function noisy(all: Float32Array, seed: number): Promise<Float32Array> {
  const count = 2000;
  const eps = gaussianNoise({ seed, stream: "plane field" }, [2 * count]);
  const noise = await eps.data();
  eps.dispose();
  return all.slice(-2 * count).map((x, i) =>
    Math.sqrt(FIELD_AT) * x + Math.sqrt(1 - FIELD_AT) * noise[i]
  );
}

/** Where x̂₀ lies from places on a grid. */
async function field(expectation: PlaneDenoiser["expectation"]) {
  const ticks = Array.from({ length: ARROWS }, (_, i) => REACH * (2 * i / (ARROWS - 1) - 1));
  const grid = Float32Array.from(ticks.flatMap((y) => ticks.flatMap((x) => [x, y])));
  const x0Hat = tf.tidy(() => expectation(tf.tensor4d(grid, [grid.length / 2, 1, 1, 2]), FIELD_AT));
  const to = await x0Hat.data<"float32">();
  x0Hat.dispose();
  return arrowsOf(grid, to.map((x, i) => x - grid[i]));
}

/** How far each point is from the nearest of others. */
function distances(points: Float32Array, others: Float32Array): Float32Array {
  return Float32Array.from({ length: points.length / 2 }, (_, k) => {
    let nearest = Infinity;
    for (let i = 0; i < others.length; i += 2) {
      const [dx, dy] = [points[2 * k] - others[i], points[2 * k + 1] - others[i + 1]];
      nearest = Math.min(nearest, dx * dx + dy * dy);
    }
    return Math.sqrt(nearest);
  });
}
