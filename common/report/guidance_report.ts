/**
 * What a run of paper 3 leaves behind besides its model: images of every class, what guidance does to them,
 * and how good they are.
 *
 * @module
 */
import type { ImageSet } from "../data/images/image_set.ts";
import type { HostTensor } from "../files/safetensors.ts";
import { vector } from "../files/safetensors.ts";
import type { Guidance } from "../network/guided.ts";
import type { ImageModel } from "../network/image_model.ts";
import { tradeOffFigure } from "../plot/guidance_figures.ts";
import { labelledRows } from "../plot/labelled_rows.ts";
import type { ChainPoint, ChainStart } from "../reverse_process.ts";
import type { SamplerSettings } from "../run/sampler_flags.ts";
import type { RunFolder } from "../run/folder.ts";
import { inWords } from "../run/progress.ts";
import type { Conclusion } from "../run/training_run.ts";
import { type ClassifierSettings, withDigitMeasure } from "./digit_measure.ts";
import { drawImages } from "./draw_images.ts";
import { type GuidanceReport, measureGuidance, type StrengthSamples } from "./guidance_measure.ts";
import { type Measured, measuredShare } from "./metrics/measured.ts";
import { nameOf, writeFigures } from "./image_figures.ts";
import { type Drawing, drawSamples, lossAtEnd, recordedChain, shapeOf } from "./image_report.ts";
import { lossByT } from "./loss_by_t.ts";
import { reportNearest } from "./nearest_report.ts";
import { reportLines } from "./sample_report.ts";

/** The strengths that are compared. */
export const STRENGTHS = [0, 0.5, 1, 2, 4, 8];
/** Seeds of the samples that they are compared with, and steps of their chains. */
const COMPARED = { seeds: 3, steps: 20 };
/** Images of each strength in the figure. */
const SHOWN = 20;
/** Images of each class that the page has. */
const ON_PAGE = 8;

/** Starts the chain of a sampler that is guided. */
export type GuidedChainOf = (
  model: ImageModel,
  sampler: SamplerSettings,
  guidance: Guidance,
  start: ChainStart,
) => Iterable<ChainPoint>;

/** What is reported on. */
export interface GuidedRun extends Drawing {
  /** w of the samples, and how many images each strength is measured with for each seed. */
  settings: Drawing["settings"] & ClassifierSettings & { w: number; guidanceSamples: number };
  /** Starts chains of any guidance. */
  guidedChainOf: GuidedChainOf;
  /** What the model was trained on, with labels. */
  images: ImageSet;
  /** Digits that it has not seen, with labels, where they are digits. */
  unseen?: ImageSet;
  /** The loss of every step. */
  losses: number[];
}

/** The class of each image where every class has its turn. */
export function inTurn(count: number, classes: number, first = 0): number[] {
  return Array.from({ length: count }, (_, n) => (first + n) % classes);
}

/** Passes of an image through the network that the comparison of strengths takes. */
export function comparisonPasses(): number {
  const halves = STRENGTHS.reduce((sum, w) => sum + (w === 0 ? 1 : 2), 0);
  return COMPARED.seeds * COMPARED.steps * halves;
}

/** Draws the run's samples and what every strength makes of the same noises; writes figures, and measures. */
export async function reportGuided(run: GuidedRun): Promise<Conclusion> {
  const { settings, model, images, unseen, folder, losses } = run;
  const labels = inTurn(settings.samples, model.classes);
  const started = performance.now();
  const samples = await drawSamples({ ...run, asked: { labels, classes: images.classes! } });
  folder.addSeconds("sampling", (performance.now() - started) / 1000);
  const compared = settings.guidanceSamples > 0 ? await drawStrengths(run) : [];
  await writeFigures(folder, {
    chain: await recordedChain(run),
    losses,
    perT: await lossByT(model, unseen ?? images, settings.seed),
    schedule: model.schedule,
    others: strengthTensors(run, compared),
  });
  const measured = await measure(run, { samples, labels, compared });
  if (measured.guidance) await writeGuidance(run, compared, measured.guidance);
  const nearest = await reportNearest(samples, { train: images, unseen, folder });
  const { loss, line } = lossAtEnd(losses);
  const { training, sampling, guidance } = folder.record.seconds;
  const others = guidance === undefined ? "" : `, those of other w in ${inWords(guidance)}`;
  const trained = `trained in ${inWords(training)} ${line}; ${settings.samples} images with ` +
    `w = ${settings.w} drawn in ${inWords(sampling)}${others}`;
  return {
    results: { loss, ...measured.results, ...nearest.results },
    lines: [trained, ...measured.lines, ...nearest.lines],
  };
}

/** The same noises and labels with every strength, for each seed. */
async function drawStrengths(run: GuidedRun): Promise<StrengthSamples[]> {
  const { model, guidedChainOf, folder, settings: { guidanceSamples: count, seed } } = run;
  const steps = Math.min(COMPARED.steps, model.schedule.T);
  const started = performance.now();
  const compared: StrengthSamples[] = [];
  for (const w of STRENGTHS) {
    const seeds: Float32Array[] = [];
    for (let k = 1; k <= COMPARED.seeds; k++) {
      const chain: Parameters<typeof drawImages>[1] = (shape, index, first) => {
        const labels = inTurn(shape[0], model.classes, first);
        const start = { shape, seed, name: `guidance ${k} ${index}` };
        const sampler = { sampler: "ddim", sampleSteps: steps, eta: 1 } as const;
        return guidedChainOf(model, sampler, { labels, w }, start);
      };
      seeds.push(await drawImages(shapeOf(model, count), chain, steps, `w = ${w}, ${k}`));
    }
    compared.push({ w, seeds });
  }
  folder.addSeconds("guidance", (performance.now() - started) / 1000);
  return compared;
}

/** Measures with a classifier where the images are digits, and what needs none in any case. */
async function measure(
  { model, settings, images, unseen }: GuidedRun,
  { samples, labels, compared }: {
    samples: Float32Array;
    labels: number[];
    compared: StrengthSamples[];
  },
): Promise<{ results: object; lines: string[]; guidance?: GuidanceReport }> {
  const ruler = { labels: inTurn(settings.guidanceSamples, model.classes), train: images };
  const isMeasurable = settings.samples > 1 || settings.guidanceSamples > 1;
  if (!unseen || !isMeasurable) {
    if (compared.length === 0) return { results: {}, lines: [] };
    const guidance = await measureGuidance(compared, ruler);
    return { results: inRecord(guidance), lines: guidanceLines(guidance), guidance };
  }
  return await withDigitMeasure(
    { train: images, unseen },
    settings,
    async (measureDigits, classifier) => {
      const guidance = settings.guidanceSamples > 1
        ? await measureGuidance(compared, { ...ruler, digits: { unseen, classifier } })
        : undefined;
      const lines = guidance ? guidanceLines(guidance) : [];
      if (settings.samples < 2) {
        return { results: guidance ? inRecord(guidance) : {}, lines, guidance };
      }
      const report = await measureDigits(samples);
      const { label } = await classifier.classify(samples);
      const count = labels.length;
      const hits = labels.filter((wanted, n) => label[n] === wanted).length;
      const asked = measuredShare(hits / count, count);
      return {
        results: { ...report, asked: asked.mean, ...guidance && inRecord(guidance) },
        lines: [
          `taken for the digit that was asked for: ${percent(asked)} of ${count} samples with ` +
          `w = ${settings.w} (of real unseen digits the classifier gets ` +
          `${(100 * report.accuracyReal).toFixed(1)} % right)`,
          ...reportLines(report),
          ...lines,
        ],
        guidance,
      };
    },
  );
}

/** The lists that run.json keeps, one number for each strength. */
function inRecord({ strengths, real }: GuidanceReport): object {
  const lists: Record<string, number[]> = { w: strengths.map(({ w }) => w) };
  for (const name of ["asked", "frechet", "spread"] as const) {
    const measured = strengths.flatMap((strength) => strength[name] ?? []);
    if (measured.length === 0) continue;
    lists[`${name}ByW`] = measured.map(({ mean }) => mean);
    lists[`${name}ErrorByW`] = measured.map(({ error }) => error);
  }
  const { frechet, spread } = real;
  return { ...lists, spreadReal: spread, ...frechet !== undefined && { frechetRealByW: frechet } };
}

/** A table with a line for each strength. */
function guidanceLines({ strengths, real }: GuidanceReport): string[] {
  const withError = ({ mean, error }: Measured) => `${mean.toFixed(2)} ± ${error.toFixed(2)}`;
  const rows = strengths.map(({ w, asked, frechet, spread }) => [
    String(w),
    asked ? percent(asked) : "",
    frechet ? withError(frechet) : "",
    withError(spread),
  ]);
  const ofReal = ["real", "", real.frechet?.toFixed(2) ?? "", real.spread.toFixed(2)];
  const table = [["w", "as asked", "Fréchet", "within a class"], ...rows, ofReal];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) => row.map((cell, i) => cell.padStart(widths[i])).join("  "));
}

function percent({ mean, error }: Measured): string {
  return `${(100 * mean).toFixed(1)} ± ${(100 * error).toFixed(1)} %`;
}

/** Writes <script>_guidance.png, the same noises under every w, and <script>_tradeoff.png. */
async function writeGuidance(
  { folder, model }: { folder: RunFolder; model: ImageModel },
  compared: StrengthSamples[],
  { strengths, real }: GuidanceReport,
): Promise<void> {
  const { size, inChannels: channels } = model;
  const length = size * size * channels;
  const rows = compared.map(({ w, seeds: [images] }, i) => {
    const { asked } = strengths[i];
    return {
      label: [`w = ${w}`, ...asked ? [`${(100 * asked.mean).toFixed(1)} % as asked`] : []],
      images: images.subarray(0, SHOWN * length),
    };
  });
  const columns = Math.min(SHOWN, compared[0].seeds[0].length / length);
  const sheet = await labelledRows({ height: size, width: size, channels, columns, rows });
  await folder.write(nameOf(folder, "guidance"), sheet);
  await folder.write(nameOf(folder, "tradeoff"), await tradeOffFigure({ points: strengths, real }));
}

/** `guidance.w`, [S], and `guidance.images`, [S, classes, n, H, W, C]: what the page's sliders show. */
function strengthTensors(
  { model: { size, inChannels, classes } }: GuidedRun,
  compared: StrengthSamples[],
): [string, HostTensor][] {
  if (compared.length === 0) return [];
  const length = size * size * inChannels;
  const n = Math.min(ON_PAGE, Math.floor(compared[0].seeds[0].length / length / classes));
  if (n === 0) return [];
  const shape = [compared.length, classes, n, size, size, inChannels];
  const data = new Float32Array(shape.reduce((product, side) => product * side));
  let at = 0;
  for (const { seeds: [images] } of compared) {
    for (let label = 0; label < classes; label++) {
      for (let k = 0; k < n; k++, at += length) {
        const from = (k * classes + label) * length; // the classes have their turns
        data.set(images.subarray(from, from + length), at);
      }
    }
  }
  return [
    ["guidance.w", vector(compared.map(({ w }) => w))],
    ["guidance.images", { shape, data }],
  ];
}
