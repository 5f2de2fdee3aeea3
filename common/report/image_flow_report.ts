/**
 * What a run of flows on images leaves behind besides its model: sheets while it trains, and at its end
 * images, figures, and how good they are by how often the network was asked.
 *
 * @module
 */
import { type ImageSet } from "../data/images/image_set.ts";
import { gaussianNoise } from "../engine/noise.ts";
import type * as tf from "@tensorflow/tfjs";
import { concatenated, encodeSafetensors, vector } from "../files/safetensors.ts";
import { askForFolder } from "../files/writing.ts";
import type { Velocity } from "../ode.ts";
import { chainSheet } from "../plot/chain_sheet.ts";
import { evaluationFigure } from "../plot/evaluation_figure.ts";
import { lossFigure } from "../plot/figures.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import { labelledRows } from "../plot/labelled_rows.ts";
import { type ChainPoint, endOfChain, type ImageShape } from "../reverse_process.ts";
import { type AfterTraining, drawingSteps } from "../run/duration.ts";
import type { ImageFlowSettings } from "../run/flow_settings.ts";
import type { RunFolder } from "../run/folder.ts";
import { loadModel } from "../run/model_settings.ts";
import { inWords } from "../run/progress.ts";
import { inWords as valueInWords, readRecord } from "../run/record.ts";
import type { Conclusion } from "../run/training_run.ts";
import { UserError } from "../user_error.ts";
import { withDigitMeasure } from "./digit_measure.ts";
import { drawImages, recordChain } from "./draw_images.ts";
import {
  compareEvaluations,
  evaluationLines,
  EVALUATIONS,
  evaluationsAsCsv,
  type Method,
  type MethodResult,
  type Ruler,
} from "./few_evaluations.ts";
import { asChain, type Follow, type FollowSettings } from "./flow_chain.ts";
import { flowName } from "./flow_run.ts";
import { thinned, writeSamples } from "./image_figures.ts";
import type { ChainOf } from "./image_report.ts";
import { reportLines, type SampleReport } from "./sample_report.ts";

/** What draws images. */
export interface FlowDrawing {
  /** What the model was trained on. */
  images: ImageSet;
  /** How images are drawn, and how many. */
  settings: ImageFlowSettings;
  /** Where the files go. */
  folder: RunFolder;
  /** Follows a flow. */
  follow: Follow;
}

/** What is reported on. */
export interface ImageFlowRun extends FlowDrawing {
  /** Images that it has not seen, with labels, where they are digits. */
  unseen?: ImageSet;
  /** The loss of every step. */
  losses: number[];
  /** The loss of flow 0 at single t. */
  lossPerT: { t: number[]; value: number[] };
  /** v of each flow, flow 0 first. */
  flows: Velocity[];
  /** Starts the chains of paper 2. */
  chainOf: ChainOf;
}

/** How the sheets are drawn while a network trains, and images of one. */
const SHEET = { images: 36, columns: 6, how: { solver: "heun", sampleSteps: 10 } } as const;
/** Images whose way is kept, those of them that are in the figure, and moments and columns of it. */
const WAYS = { images: 16, shown: 8, moments: 41, columns: 11 };
/** Images of each method in the figure, and evaluations that have a row there. */
const SHOWN = { images: 16, evaluations: [1, 2, 5, 50] };
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
  await run.folder.write(`sheet-${String(step).padStart(7, "0")}.png`, imageSheet(sheet));
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

/**
 * Refuses to compare with a run that cannot be compared with.
 *
 * @throws {UserError} `--compare` names no run of paper 2 with a model of the same images.
 */
export async function checkCompared(
  { compare, data, size }: Pick<ImageFlowSettings, "compare" | "data" | "size">,
): Promise<void> {
  if (compare === undefined) return;
  await askForFolder(compare);
  const { script, status, settings } = await readRecord(`${compare}/run.json`);
  const isFit = script === "paper2" && status === "finished" && settings?.dataset === data &&
    settings?.size === size;
  if (isFit) return;
  const found = `a run of ${valueInWords(script)} on ${valueInWords(settings?.dataset)} of size ` +
    `${valueInWords(settings?.size)}, ${valueInWords(status)}`;
  throw new UserError(
    `--compare ${compare}: ${found}; expected a finished run of paper2 on ${data} of size ${size}`,
  );
}

/** Draws, measures, and writes the files of the run into its folder. */
export async function reportImageFlows(run: ImageFlowRun): Promise<Conclusion> {
  const { settings, images, unseen, folder } = run;
  const samples = await drawSamples(run);
  await writeWays(run);
  const isMeasured = unseen !== undefined && settings.samples >= FEWEST;
  const { report, results } = isMeasured
    ? await withDigitMeasure(
      { train: images, unseen },
      settings.seed,
      async (measure, classifier) => ({
        report: await measure(samples),
        results: await compare(run, { classifier, unseen }),
      }),
    )
    : { report: undefined, results: await compare(run) };
  return {
    results: { ...report, ...(isMeasured ? { evaluations: EVALUATIONS, methods: results } : {}) },
    lines: linesOf(folder, settings, report, results),
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

/** The table and the figures of few evaluations, with a model of paper 2 where there is one. */
async function compare(run: ImageFlowRun, ruler?: Ruler): Promise<MethodResult[]> {
  const { settings, images, folder, flows, chainOf } = run;
  const model = settings.compare === undefined ? undefined : await loadModel(settings.compare);
  try {
    const methods: Method[] = flows.map((velocity, k) => ({
      name: flowName(k),
      chain: (sampleSteps, shape, index) =>
        chainOfFlow(run, velocity, { solver: "euler", sampleSteps }, shape, `compared ${index}`),
    }));
    if (model) {
      const { seed } = settings;
      methods.unshift(...[0, 1].map((eta): Method => ({
        name: `DDIM, η = ${eta}`,
        chain: (sampleSteps, shape, index) =>
          chainOf(model, { sampler: "ddim", sampleSteps, eta }, {
            ...{ shape, seed, name: `compared ${index}` },
          }),
      })));
    }
    const shape = shapeOf(images, settings.samples);
    const shown = Math.min(SHOWN.images, settings.samples);
    const compared = await compareEvaluations(methods, { shape, shown, ruler });
    const rows = methods.flatMap(({ name }, m) =>
      SHOWN.evaluations.map((evaluations) => ({
        label: [name, evaluations === 1 ? "1 evaluation" : `${evaluations} evaluations`],
        images: compared.images[m][EVALUATIONS.indexOf(evaluations)],
      }))
    );
    const { count: _count, ...sizes } = sizesOf(shape);
    await folder.write(
      "paper4_few_steps.png",
      await labelledRows({ ...sizes, columns: shown, rows }),
    );
    if (ruler) {
      const figure = { evaluations: EVALUATIONS, methods: compared.results };
      await folder.write("paper4_evaluations.png", await evaluationFigure(figure));
      await folder.write("paper4_evaluations.csv", evaluationsAsCsv(compared.results));
    }
    return compared.results;
  } finally {
    model?.network.dispose();
  }
}

/** A flow's way from a noise of paper 2: the same names are the same noises. */
function chainOfFlow(
  { follow, settings: { seed } }: Pick<FlowDrawing, "follow" | "settings">,
  velocity: Velocity,
  how: FollowSettings,
  shape: ImageShape,
  name: string,
  { expects = false } = {},
): Iterable<ChainPoint> {
  const [B, ...sides] = shape;
  const D = sides.reduce((product, side) => product * side, 1);
  const z0 = gaussianNoise<tf.Rank.R2>({ seed, stream: `xT ${name}` }, [B, D]);
  return asChain(follow(velocity, z0, how), shape, expects ? velocity : undefined);
}

function shapeOf({ height, width, channels }: ImageSet, count: number): ImageShape {
  return [count, height, width, channels];
}

function sizesOf([count, height, width, channels]: ImageShape) {
  return { count, height, width, channels };
}
