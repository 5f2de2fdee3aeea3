/**
 * Drawing what is asked for with the model of a finished run: images of all classes, of one, or a number out
 * of digits.
 *
 * @module
 */
import type { ImageModel } from "../network/image_model.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import { labelOf, labelsOfDigits, recordedClasses } from "../run/classes.ts";
import type { Drawing, OpenOptions, RunFolder } from "../run/folder.ts";
import { loadModel } from "../run/model_settings.ts";
import { drawnFrom } from "../run/model_source.ts";
import { inRunFolder, onBackend, type ScriptSettings } from "../run/training_run.ts";
import type { SamplerSettings } from "../run/sampler_flags.ts";
import { UserError } from "../user_error.ts";
import { drawImages } from "./draw_images.ts";
import { chainLength } from "../run/sampler_flags.ts";
import { type GuidedChainOf, inTurn } from "./guidance_report.ts";
import { nameOf, writeNumbers, writeSamples } from "./image_figures.ts";
import { shapeOf } from "./image_report.ts";

/** The settings of a script that draws what is asked for. */
export type AskedSettings = ScriptSettings & SamplerSettings & {
  /** How many images to draw, where nothing else says so. */
  samples: number;
  /** w, the guidance strength. */
  w: number;
  /** Whether to draw images of all classes. */
  sampleOnly: boolean;
  /** The class to draw. */
  label: string | undefined;
  /** The number to draw. */
  draw: string | undefined;
  /** The file for the data that the run learns from. */
  exportData: string | undefined;
};

/** Images of one class. */
const OF_ONE = 64;
/** Pixels of a number's file for a pixel of a digit. */
const ENLARGED = 8;

/**
 * Carries out `--sample-only`, `--label` and `--draw` in a folder of their own: beside that of the run that
 * has the model, <run>-samples, <run>-label or <run>-draw, or `--out`. The run's folder is only read.
 * Without `--resume` the model is the one of paper 3 that ships.
 *
 * @returns The exit code.
 * @throws {UserError} There is no model in the run's folder, more than one thing is asked for, or the model
 * has not learned of what is asked for.
 */
export async function drawAsked({ command, settings, given, guidedChainOf }: {
  command: OpenOptions["command"];
  settings: AskedSettings;
  given: { samples?: number };
  guidedChainOf: GuidedChainOf;
}): Promise<number> {
  const { resume, label, draw } = settings;
  const asked = askedIn(settings);
  if (draw !== undefined && given.samples !== undefined) {
    throw new UserError(
      `--samples ${given.samples} does not go with --draw, which draws each digit once`,
    );
  }
  const classes = await recordedClasses(resume, asked);
  const labels = draw !== undefined
    ? labelsOfDigits(draw, classes)
    : label !== undefined
    ? new Array(given.samples ?? OF_ONE).fill(labelOf(label, classes))
    : inTurn(settings.samples, classes.length);
  return await onBackend(settings, async (backend) => {
    const model = await loadModel(resume, "paper3");
    if (resume !== undefined) refuseOther(model, classes, resume);
    const drawing: Drawing = {
      what: draw !== undefined ? "draw" : label !== undefined ? "label" : "samples",
      from: await drawnFrom(resume, "paper3"),
    };
    const asDrawn = { ...settings, samples: labels.length };
    return await inRunFolder({ command, settings: asDrawn, backend, drawing }, async (folder) => {
      folder.record.classes = classes;
      await drawInto(folder, { model, settings, labels, classes, guidedChainOf });
      return 0;
    });
  });
}

/** Draws an image for each label, writes them, and says where. */
async function drawInto(
  folder: RunFolder,
  { model, settings, labels, classes, guidedChainOf }: {
    model: ImageModel;
    settings: AskedSettings;
    labels: number[];
    classes: string[];
    guidedChainOf: GuidedChainOf;
  },
): Promise<void> {
  const { seed, w, draw } = settings;
  const started = performance.now();
  const shape = shapeOf(model, labels.length);
  const samples = await drawImages(
    shape,
    (part, index, first) => {
      const start = { shape: part, seed, name: `samples ${index}` };
      const guidance = { labels: labels.slice(first, first + part[0]), w };
      return guidedChainOf(model, settings, guidance, start);
    },
    chainLength(settings, model.schedule.T),
  );
  const seconds = (performance.now() - started) / 1000;
  folder.addSeconds("sampling", seconds);
  const [count, height, width, channels] = shape;
  const how = { sampler: settings.sampler, w: `${w}` };
  const drawn = { samples, shape, how, asked: { labels, classes } };
  if (draw === undefined) {
    await writeSamples(folder, drawn);
  } else { // the digits beside each other, as one image
    await writeNumbers(folder, drawn);
    const sheet = { images: samples, count, height, width, channels, columns: count };
    const number = imageSheet({ ...sheet, gap: 0, scale: ENLARGED });
    await folder.write(nameOf(folder, "draw"), number);
  }
  await folder.update({ status: "finished", results: { samples: count } });
  console.log(`${folder.path}: ${count} images with w = ${w} in ${seconds.toFixed(1)} s`);
}

/** What is asked for, as it stands on the command line. */
function askedIn({ sampleOnly, label, draw, exportData }: AskedSettings): string {
  const asked = [
    ...exportData !== undefined ? ["--export-data"] : [],
    ...sampleOnly ? ["--sample-only"] : [],
    ...label !== undefined ? [`--label ${label}`] : [],
    ...draw !== undefined ? [`--draw ${draw}`] : [],
  ];
  if (asked.length === 1) return asked[0];
  throw new UserError(`${asked.join(" and ")} are ${asked.length} things to do: give one of them`);
}

function refuseOther({ classes }: ImageModel, names: string[], folder: string): void {
  if (classes === names.length) return;
  throw new UserError(
    `${folder}/model.safetensors knows ${classes} classes, and its run.json names ${names.length}; ` +
      "they must be of the same run",
  );
}
