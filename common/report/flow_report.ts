/**
 * What a finished run of flows in the plane leaves behind: samples, figures, and the numbers that say how
 * good they are. It knows nothing of the model but the velocities.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { pointsAsCsv } from "../data/points/csv.ts";
import type { PointData } from "../data/points/point_data.ts";
import { gaussianNoise } from "../engine/noise.ts";
import { concatenated, encodeSafetensors, type HostTensor, vector } from "../files/safetensors.ts";
import { eulerStep, heunStep, type Moment, solve, type Step, type Velocity } from "../ode.ts";
import { asPointChain, type Follow } from "./flow_chain.ts";
import { drawFlows } from "./flow_drawings.ts";
import { flowName, type FlowReport, type FlowRun } from "./flow_run.ts";
import { inBits, nullLogLikelihood } from "./metrics/gaussian_bits.ts";
import { distancesToData, MEASURED } from "./point_distances.ts";
import { type SheetOfPoints, writePointSheet } from "./point_sheet.ts";

/** Numbers of steps that are compared. */
const STEPS = [1, 2, 4, 8, 16, 40];
/** Draws of the data that each distance is a mean over, and directions for each: there are many clouds. */
const MEANS = { draws: 3, directions: 100 };
/** Points for a likelihood. */
const LIKELY = 1000;
/** Points whose whole way is kept. */
const KEPT = 1000;
/** How a sheet is drawn while a network trains: in as few steps as each flow should need. */
const SHEET = {
  first: { solver: "heun", sampleSteps: 10 },
  reflowed: { solver: "euler", sampleSteps: 2 },
} as const;

/**
 * Writes sheet-<step>.png: where the flow that is being trained takes the same noises after so many steps
 * of training.
 *
 * @param run.velocity The velocity of that flow.
 * @param run.reflow How many reflows it has behind it.
 */
export async function writeFlowPointSheet(
  { velocity, reflow, follow, ...sheet }: Omit<SheetOfPoints, "reverse"> & {
    velocity: Velocity;
    reflow: number;
    follow: Follow;
  },
  step: number,
): Promise<void> {
  const how = reflow === 0 ? SHEET.first : SHEET.reflowed;
  const reverse = (count: number) => asPointChain(follow(velocity, noise(sheet.seed, count), how));
  await writePointSheet({ ...sheet, reverse }, step);
}

/** Samples and measures, and writes the files of the run into its folder. */
export async function reportFlows(run: FlowRun): Promise<FlowReport> {
  const { folder, data, seed, flows, beside } = run;
  const { points, evaluations } = await endOf(run.sample(flows[0], MEASURED));
  await folder.write("samples.csv", pointsAsCsv(points));
  const byEuler = await inTurn(flows, (velocity) => samplesBy(eulerStep, velocity, seed));
  const byHeun = await samplesBy(heunStep, flows[0], seed);
  if (flows.length > 1) {
    await folder.write("samples_two_steps.csv", pointsAsCsv(byEuler[1][STEPS.indexOf(2)]));
  }
  const distances = distancesToData([points, ...byHeun, ...byEuler.flat()], data, {
    seed,
    ...MEANS,
  });
  const [slicedWasserstein, ...others] = distances.ofSamples;
  const [distanceByHeun, ...distanceOfFlow] = [undefined, ...flows].map((_, i) =>
    others.slice(i * STEPS.length, (i + 1) * STEPS.length)
  );
  const fresh = data.sample({ seed, stream: "likelihood" }, LIKELY);
  const report: FlowReport = {
    slicedWasserstein,
    slicedWassersteinOfData: distances.ofData,
    evaluations,
    meanDistance: data.distance && mean(data.distance(points)),
    steps: STEPS,
    distanceOfFlow,
    distanceByHeun,
    straightness: await inTurn(
      flows,
      (velocity) => run.straightness(velocity, noise(seed, LIKELY)),
    ),
    logLikelihood: await inTurn(
      flows,
      async (velocity) =>
        inBits(await run.logLikelihood(velocity, tf.tensor2d(fresh, [LIKELY, 2]))),
    ),
    nullModel: nullLogLikelihood(fresh),
    paper1K: beside?.K,
    paper1SlicedWasserstein: beside?.slicedWasserstein,
  };
  const ways = await inTurn(flows, (v) => inTurn(STEPS, (steps) => waysOf(v, seed, steps)));
  await drawFlows({ run, report, byEuler, ways: ways.map((bySteps) => bySteps.at(-1)!) });
  await folder.write("figures.safetensors", encodeSafetensors(record(run, ways)));
  return report;
}

/** The report as the last lines of a run. */
export function flowInLines(report: FlowReport, data: PointData): string[] {
  const { slicedWasserstein, slicedWassersteinOfData, evaluations, distanceOfFlow } = report;
  const digits = (values: number[], n: number) => values.map((x) => x.toFixed(n)).join(", ");
  const table = distanceOfFlow.map((row, k) =>
    `${flowName(k)}: distance after ${report.steps.join(", ")} Euler steps ${digits(row, 4)}`
  );
  return [
    `sliced Wasserstein distance ${slicedWasserstein.toFixed(4)} with ${evaluations} evaluations ` +
    `(two draws of the data: ${slicedWassersteinOfData.toFixed(4)})`,
    ...table,
    `flow by Heun steps: ${digits(report.distanceByHeun, 4)}`,
    `straightness S ${digits(report.straightness, 4)}; log likelihood ${
      digits(report.logLikelihood, 2)
    } bits a point (${data.scale}; N(0, I): ${report.nullModel.toFixed(2)})`,
    ...(report.paper1K === undefined ? [] : [
      `paper 1: K = ${report.paper1K.toFixed(2)} bits a point, sliced Wasserstein distance ${
        report.paper1SlicedWasserstein!.toFixed(4)
      }`,
    ]),
  ];
}

function noise(seed: number, count: number): tf.Tensor2D {
  return gaussianNoise<tf.Rank.R2>({ seed, stream: "z0" }, [count, 2]);
}

/** The same noises followed in each number of steps, [5000·2] each. */
async function samplesBy(step: Step, velocity: Velocity, seed: number): Promise<Float32Array[]> {
  return await inTurn(STEPS, async (steps) => {
    return (await endOf(solve(velocity, noise(seed, MEASURED), { steps, step }))).points;
  });
}

/** Points at each of so many Euler steps from t = 0 to t = 1, [1000·2] each. */
async function waysOf(velocity: Velocity, seed: number, steps: number): Promise<Float32Array[]> {
  const ways: Float32Array[] = [];
  for (const { x } of solve(velocity, noise(seed, KEPT), { steps })) {
    ways.push(await x.data<"float32">());
  }
  return ways;
}

async function endOf(moments: Iterable<Moment> | AsyncIterable<Moment>) {
  let end = { points: new Float32Array(), evaluations: 0 };
  for await (const { t, x, evaluations } of moments) {
    if (t === 1) end = { points: new Float32Array(await x.data()), evaluations };
  }
  return end;
}

/**
 * What the animation and the page show: `flow.{k}`, the points of each flow on their ways by 40 Euler
 * steps, [41, N, 2], and `flow.{k}.{S}` by S steps, [S+1, N, 2].
 */
function record({ lossPerT }: FlowRun, ways: Float32Array[][][]): Map<string, HostTensor> {
  return new Map([
    ...ways.flatMap((bySteps, k) =>
      bySteps.map((rows, i): [string, HostTensor] => [
        i === STEPS.length - 1 ? `flow.${k}` : `flow.${k}.${STEPS[i]}`,
        { shape: [rows.length, KEPT, 2], data: concatenated(rows) },
      ])
    ),
    ["perT.t", vector(lossPerT.t)],
    ["perT.value", vector(lossPerT.value)],
  ]);
}

/** One after the other: each keeps the backend busy by itself. */
async function inTurn<T, R>(items: T[], of: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await of(item));
  return results;
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
