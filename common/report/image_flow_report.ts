/**
 * What a run of flows on images leaves behind besides its model: sheets while it trains, and at its end
 * images, figures, and how good they are by how often the network was asked.
 *
 * @module
 */
import { concatenated, encodeSafetensors, vector } from "../files/safetensors.ts";
import type { Velocity } from "../ode.ts";
import { chainSheet } from "../plot/chain_sheet.ts";
import { lossFigure } from "../plot/loss_figure.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import { endOfChain } from "../reverse_process.ts";
import { type AfterTraining, drawingSteps } from "../run/duration.ts";
import type { ImageFlowSettings } from "../run/flow_settings.ts";
import { type RunFolder, sheetName } from "../run/folder.ts";
import { inWords } from "../run/progress.ts";
import type { Conclusion } from "../run/training_run.ts";
import { withDigitMeasure } from "./digit_measure.ts";
import { drawImages, recordChain } from "./draw_images.ts";
import { evaluationLines, EVALUATIONS, type MethodResult } from "./few_evaluations.ts";
import type { FollowSettings } from "./flow_chain.ts";
import { compareWithFew } from "./flow_comparison.ts";
import { thinned, writeSamples } from "./image_figures.ts";
import {
  chainOfFlow,
  type FlowDrawing,
  type ImageFlowRun,
  noiseOf,
  shapeOf,
  sizesOf,
} from "./image_flow_run.ts";
import { reportLines, type SampleReport } from "./sample_report.ts";

/** How the sheets are drawn while a network trains, and images of one. */
const SHEET = { images: 36, columns: 6, how: { solver: "heun", sampleSteps: 10 } } as const;
/** Images whose way is kept, those of them that are in the figure, and moments and columns of it. */
const WAYS = { images: 16, shown: 8, moments: 41, columns: 11 };
/** Noises whose ways' straightness is measured. */
const MEASURED = 64;
/** With fewer images nothing can be said of the errors. */
const FEWEST = 16;
/** Seconds for figures and a classifier. */
const REPORT_SECONDS = 60;

/** Writes sheet-<step>.png: what the same 36 noises lead to after so many steps of training. */
export async function writeFlowSheet(
  run: FlowDrawing & { velocity: Velocity },
  step: number,
): Promise<void> {
  const shape = shapeOf(run.images, SHEET.images);
  const x1 = await endOfChain(chainOfFlow(run, run.velocity, SHEET.how, shape, "sheet"));
  const images = await x1.data<"float32">();
  x1.dispose();
  const sheet = { ...sizesOf(shape), images, columns: SHEET.columns };
  await run.folder.write(sheetName(step), imageSheet(sheet));
}

/** What a run does after its training, and before: the pairs of a reflow are drawn, too. */
export function afterImageTraining(
  { reflows, pairs, pairSteps, samples, sampleSteps, compare, batch }: ImageFlowSettings,
): AfterTraining {
  const methods = 1 + reflows + (compare === undefined ? 0 : 2);
  const passes = 2 * sampleSteps + methods * EVALUATIONS.reduce((sum, n) => sum + n, 0);
  const steps = drawingSteps(samples, passes, batch) +
    drawingSteps(reflows * pairs, 2 * pairSteps, batch);
  return { steps, seconds: REPORT_SECONDS };
}

/** Draws, measures, and writes the files of the run into its folder. */
export async function reportImageFlows(run: ImageFlowRun): Promise<Conclusion> {
  const { settings, images, unseen, folder } = run;
  const samples = await drawSamples(run);
  await writeWays(run);
  const straightness: number[] = [];
  for (const velocity of run.flows) {
    const z0 = noiseOf(shapeOf(images, MEASURED), { seed: settings.seed, name: "samples 0" });
    straightness.push(await run.straightness(velocity, z0));
  }
  const isMeasured = unseen !== undefined && settings.samples >= FEWEST;
  const { report, results } = isMeasured
    ? await withDigitMeasure(
      { train: images, unseen },
      settings,
      async (measure, classifier) => ({
        report: await measure(samples),
        results: await compareWithFew(run, { classifier, unseen }),
      }),
    )
    : { report: undefined, results: await compareWithFew(run) };
  return {
    results: {
      straightness,
      ...report,
      ...(isMeasured ? { evaluations: EVALUATIONS, methods: results } : {}),
    },
    lines: [
      ...linesOf(folder, settings, report, results),
      `straightness S ${straightness.map((S) => S.toPrecision(3)).join(", ")}`,
    ],
  };
}

function linesOf(
  folder: RunFolder,
  { solver, sampleSteps, samples }: ImageFlowSettings,
  report: SampleReport | undefined,
  results: MethodResult[],
): string[] {
  const { training } = folder.record.seconds;
  const how = `${samples} images drawn by ${sampleSteps} steps of ${solver}`;
  return [
    `trained in ${inWords(training)}; ${how}`,
    ...report ? reportLines(report) : [],
    ...results.length > 0 ? evaluationLines(results) : [],
  ];
}

/** Images of flow 0 by the solver of the settings, and after a reflow by two Euler steps. */
async function drawSamples(run: ImageFlowRun): Promise<Float32Array> {
  const { settings, images, folder, flows } = run;
  const shape = shapeOf(images, settings.samples);
  const draw = (velocity: Velocity, how: FollowSettings) =>
    drawImages(
      shape,
      (shape, index) => chainOfFlow(run, velocity, how, shape, `samples ${index}`),
      how.sampleSteps,
    );
  const texts = ({ solver, sampleSteps }: FollowSettings) => ({
    solver,
    sampleSteps: `${sampleSteps}`,
  });
  const samples = await draw(flows[0], settings);
  await writeSamples(folder, {
    ...{ samples, shape, how: texts(settings) },
    names: { numbers: "samples", sheet: "paper4_samples" },
  });
  if (flows.length > 1) {
    const how = { solver: "euler", sampleSteps: 2 } as const;
    await writeSamples(folder, {
      ...{ samples: await draw(flows[1], how), shape, how: texts(how) },
      names: { numbers: "samples_two_steps", sheet: "paper4_samples_two_steps" },
    });
  }
  return samples;
}

/** The ways of the first images of flow 0, as a figure and as numbers; and the loss. */
async function writeWays(run: ImageFlowRun): Promise<void> {
  const { settings, images, folder, flows, losses, lossPerT } = run;
  const shape = shapeOf(images, WAYS.images);
  const { t, xt, x0Hat } = await recordChain(
    chainOfFlow(run, flows[0], settings, shape, "samples 0", { expects: true }),
    settings.sampleSteps,
    WAYS.moments,
  );
  const times = t.map((left) => +(1 - left).toFixed(4)); // as in this paper, from the noise on
  const shownShape = shapeOf(images, WAYS.shown);
  const size = shownShape.reduce((product, side) => product * side, 1);
  const first = (moments: Float32Array[]) => moments.map((images) => images.subarray(0, size));
  const way = { ...sizesOf(shownShape), t: times, xt: first(xt), x0Hat: first(x0Hat) };
  const shown = thinned(way, WAYS.columns);
  const rounded = { ...shown, t: shown.t.map((t) => +t.toFixed(2)) };
  const names: [string, string] = ["xₜ", "x̂₁"];
  await folder.write("paper4_chain.png", await chainSheet({ ...rounded, names }));
  const perT = { ...lossPerT, label: "loss of each t, flow 0" };
  const loss = await lossFigure({ lossLabel: "squared error of the velocity", losses, perT });
  await folder.write("paper4_loss.png", loss);
  const of = (rows: Float32Array[]) => ({
    shape: [rows.length, ...shape],
    data: concatenated(rows),
  });
  const record = new Map([
    ["t", vector(times)],
    ["xt", of(xt)],
    ["x0Hat", of(x0Hat)],
    ["perT.t", vector(lossPerT.t)],
    ["perT.value", vector(lossPerT.value)],
  ]);
  await folder.write("figures.safetensors", encodeSafetensors(record));
}
