/**
 * The figures of a run of flows in the plane.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { gaussianNoise } from "../engine/noise.ts";
import { arrowsOf, diffusionFigure, fieldFigure } from "../plot/figures.ts";
import { lossFigure } from "../plot/loss_figure.ts";
import { distanceFigure, pathFigure } from "../plot/flow_figures.ts";
import { flowName, type FlowReport, type FlowRun } from "./flow_run.ts";

/** What is drawn. */
export interface FlowFigures {
  /** What is known of the run. */
  run: FlowRun;
  /** Its numbers. */
  report: FlowReport;
  /** Samples of each flow by each number of Euler steps. */
  byEuler: Float32Array[][];
  /** Points of each flow at every moment from t = 0 to t = 1. */
  ways: Float32Array[][];
}

/** Ways that are drawn, and points in a panel. */
const WAYS = 60;
const SHOWN = 3000;
/** When the field is drawn, and arrows along each side. */
const FIELD_TIMES = [0, 0.4, 0.7, 0.95];
const ARROWS = 17;

/** Writes the five figures into the run's folder. */
export async function drawFlows({ run, report, byEuler, ways }: FlowFigures): Promise<void> {
  const { folder, losses, lossPerT } = run;
  const paths = ways.map((moments, k) => ({
    title: `${flowName(k)}: S = ${report.straightness[k].toPrecision(2)}`,
    ways: Array.from({ length: WAYS }, (_, n) => moments.map((x) => x.subarray(2 * n, 2 * n + 2))),
    ends: moments.at(-1)!,
  }));
  await folder.write("paper4_paths.png", await pathFigure({ panels: paths }));
  await folder.write("paper4_samples.png", await drawSamples(report, byEuler));
  await folder.write("paper4_steps.png", await drawDistances(run, report));
  await folder.write("paper4_field.png", await drawField(run));
  const perT = { ...lossPerT, label: "loss of each t, flow 0" };
  const loss = await lossFigure({ lossLabel: "squared error of the velocity", losses, perT });
  await folder.write("paper4_loss.png", loss);
}

/** A row for each flow, a panel for each number of steps, with the distance above it. */
async function drawSamples(
  { steps, distanceOfFlow }: FlowReport,
  byEuler: Float32Array[][],
): Promise<Uint8Array> {
  const rows = byEuler.map((clouds, k) => ({
    label: flowName(k),
    panels: clouds.map((points, i) => ({
      title: `${steps[i]} ${steps[i] === 1 ? "step" : "steps"}: ${distanceOfFlow[k][i].toFixed(3)}`,
      points: points.subarray(0, 2 * SHOWN),
    })),
  }));
  return await diffusionFigure({ rows });
}

async function drawDistances(
  { beside }: FlowRun,
  { steps, distanceOfFlow, distanceByHeun, slicedWassersteinOfData }: FlowReport,
): Promise<Uint8Array> {
  return await distanceFigure({
    steps,
    lines: [
      ...distanceOfFlow.map((distances, k) => ({ name: flowName(k), distances })),
      { name: "flow, Heun's steps", distances: distanceByHeun },
    ],
    ofData: slicedWassersteinOfData,
    dot: beside && {
      name: "paper 1's chain",
      steps: beside.timesteps,
      distance: beside.slicedWasserstein,
    },
  });
}

/** v_θ of flow 0 on a grid, over the points as they are at that t. */
async function drawField({ data, seed, flows, line }: FlowRun): Promise<Uint8Array> {
  const panels = [];
  for (const t of FIELD_TIMES) {
    const tensors = tf.tidy(() => {
      const x0 = gaussianNoise<tf.Rank.R2>({ seed, stream: "figure x0" }, [SHOWN, 2]);
      const x1 = data.sample({ seed, stream: "figure x1" }, SHOWN);
      const xt = line(x0, tf.tensor2d(x1, [SHOWN, 2]), t);
      const ticks = tf.mul(tf.linspace(-1, 1, ARROWS), tf.max(tf.abs(xt))); // a square holding all
      const [x, y] = tf.meshgrid(ticks, ticks);
      const grid = tf.stack([tf.reshape(x, [-1]), tf.reshape(y, [-1])], 1) as tf.Tensor2D;
      return [xt, grid, flows[0](grid, t)];
    });
    const [points, from, by] = await Promise.all(
      tensors.map((tensor: tf.Tensor) => tensor.data<"float32">()),
    );
    tf.dispose(tensors);
    panels.push({ title: `t = ${t}`, points, arrows: arrowsOf(from, by) });
  }
  return await fieldFigure({ panels });
}
