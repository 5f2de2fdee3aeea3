/**
 * Drawing with the model of a finished run, without training: its samples once more, or the same noises
 * with several samplers.
 *
 * @module
 */
import { hasDigits, loadImages } from "../data/images/load.ts";
import { UserError } from "../user_error.ts";
import type { ImageModel } from "../network/image_model.ts";
import type { ImageShape } from "../reverse_process.ts";
import type { Drawing, OpenOptions, RunFolder } from "../run/folder.ts";
import { loadModel } from "../run/model_settings.ts";
import { drawnFrom } from "../run/model_source.ts";
import { kebab } from "../run/flags.ts";
import type { RecordedDataset } from "../run/dataset.ts";
import { inRunFolder, onBackend, type ScriptSettings } from "../run/training_run.ts";
import type { SamplerSettings } from "../run/sampler_flags.ts";
import { type RealDigits, withDigitMeasure } from "./digit_measure.ts";
import { type ChainOf, drawSamples, shapeOf } from "./image_report.ts";
import { reportLikelihood } from "./likelihood_report.ts";
import { compareSamplers, comparisonLines, type Sampler } from "./sampler_comparison.ts";

/** The settings of a script that draws with a model. */
export type DrawingSettings = ScriptSettings & SamplerSettings & RecordedDataset & {
  /** Height and width of the images. */
  size: number;
  /** T. */
  timesteps: number;
  /** How many images to draw. */
  samples: number;
  /** Steps of training of the classifier that digits are measured with. */
  classifierSteps: number;
  /** Whether the data set's files may be fetched. */
  download: boolean;
  /** Whether to draw one set of images. */
  sampleOnly: boolean;
  /** Whether to draw one set with each sampler. */
  compareSamplers: boolean;
  /** Whether to measure how well the model describes unseen images. */
  likelihood: boolean;
};

/** The switches that say what to do, and what the new folder is called after. */
const TASKS = {
  sampleOnly: "samples",
  compareSamplers: "samplers",
  likelihood: "likelihood",
} as const;
type Task = keyof typeof TASKS;

/** Images for each t that the likelihood is measured with, where nothing else is said. */
const LIKELIHOOD_IMAGES = 32;

/** Steps of the chains that are compared, and the default number of images of each. */
const COMPARED = { steps: [100, 50, 20, 10], samples: 128 };

/**
 * Carries out `--sample-only`, `--compare-samplers` and `--likelihood` in a folder of their own: beside that
 * of the run that has the model, <run>-samples, <run>-samplers or <run>-likelihood, or `--out`. The run's
 * folder is only read.
 * Without `--resume` the model is the one that ships.
 *
 * @returns The exit code.
 * @throws {UserError} There is no model in the run's folder, or more than one is asked for.
 */
export async function drawWithModel({ command, settings, given, chainOf }: {
  command: OpenOptions["command"];
  settings: DrawingSettings;
  given: { samples?: number };
  chainOf: ChainOf;
}): Promise<number> {
  const { resume } = settings;
  const [task, other] = (Object.keys(TASKS) as Task[]).filter((name) => settings[name]);
  if (other) {
    throw new UserError(
      `--${kebab(task)} and --${kebab(other)} are two things to do: give one of them`,
    );
  }
  if (task === "likelihood" && settings.dataset === "images") {
    throw new UserError(
      "--likelihood needs images that the model has not seen, and a folder of images has none",
    );
  }
  return await onBackend(settings, async (backend) => {
    const model = await loadModel(resume);
    const drawing: Drawing = {
      what: TASKS[task],
      from: await drawnFrom(resume),
    };
    const few = task === "likelihood" ? LIKELIHOOD_IMAGES : COMPARED.samples;
    const samples = task === "sampleOnly" ? settings.samples : given.samples ?? few;
    const asDrawn = { ...settings, samples };
    return await inRunFolder({ command, settings: asDrawn, backend, drawing }, async (folder) => {
      const run = { model, settings: asDrawn, folder, chainOf };
      const results = await { sampleOnly: sample, compareSamplers: compare, likelihood }[task](run);
      await folder.update({ status: "finished", results });
      return 0;
    });
  });
}

/** What draws, and into which folder. */
interface ModelDrawing {
  model: ImageModel;
  settings: DrawingSettings;
  folder: RunFolder;
  chainOf: ChainOf;
}

/** Draws samples, and nothing else. */
async function sample(drawing: ModelDrawing): Promise<Record<string, unknown>> {
  const started = performance.now();
  await drawSamples(drawing);
  const seconds = (performance.now() - started) / 1000;
  drawing.folder.addSeconds("sampling", seconds);
  const { folder, settings: { samples } } = drawing;
  console.log(`${folder.path}: ${samples} images in ${seconds.toFixed(1)} s`);
  return { samples };
}

/**
 * Algorithm 2 on all T steps and DDIM on fewer, from the same noises: the table of Song et al. 2021 in
 * small. With η = 0 chains of all lengths lead from a noise to about the same image.
 */
async function compare(
  { model, settings, folder, chainOf }: ModelDrawing,
): Promise<Record<string, unknown>> {
  const { seed, samples: count } = settings;
  const { T } = model.schedule;
  const chain = (how: SamplerSettings) => (shape: ImageShape, index: number) =>
    chainOf(model, how, { shape, seed, name: `compared ${index}` });
  const ddpm = { sampler: "ddpm", sampleSteps: T, eta: 1 } as const;
  const samplers: Sampler[] = [
    { name: `DDPM, ${T} steps`, steps: T, chain: chain(ddpm) },
    ...[0, 1].flatMap((eta) =>
      COMPARED.steps.filter((steps) => steps <= T).map((steps): Sampler => ({
        name: `DDIM, ${steps} steps, η = ${eta}`,
        steps,
        chain: chain({ sampler: "ddim", sampleSteps: steps, eta }),
      }))
    ),
  ];
  const shape = shapeOf(model, count);
  const digits = count > 1 ? await realDigits(settings) : undefined; // one image has no spread
  const results = digits
    ? await withDigitMeasure(
      digits,
      settings,
      (measure) => compareSamplers(samplers, { folder, shape, measure }),
    )
    : await compareSamplers(samplers, { folder, shape });
  console.log([folder.path, ...comparisonLines(results)].join("\n"));
  return { samplers: results };
}

/** Measures the variational bound on unseen images. */
async function likelihood(
  { model, settings, folder }: ModelDrawing,
): Promise<Record<string, unknown>> {
  const { samples: images, seed } = settings;
  const unseen = await loadImages({ ...settings, split: "test" });
  const { results, lines } = await reportLikelihood(model, unseen, { folder, images, seed });
  console.log([folder.path, ...lines].join("\n"));
  return { ...results };
}

/** What samples are measured with: the classifier and its report are made for digits. */
async function realDigits(settings: DrawingSettings): Promise<RealDigits | undefined> {
  if (!hasDigits(settings.dataset)) return undefined;
  return {
    train: await loadImages({ ...settings, split: "train" }),
    unseen: await loadImages({ ...settings, split: "test" }),
  };
}
