/**
 * Films of a model that has learned of labels: one noise through all of them, and one label asked for ever more
 * strongly.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { gaussianNoise } from "../engine/noise.ts";
import { type Guidance, guided } from "../network/guided.ts";
import type { ImageModel } from "../network/image_model.ts";
import type { Film } from "../plot/film/film.ts";
import { sheetFilm } from "../plot/film/image_film.ts";
import { ddimStep, fewerTimesteps, type ImageShape, reverseProcess } from "../reverse_process.ts";
import { drawImages } from "./draw_images.ts";
import { shapeOf } from "./image_report.ts";

/** How the films are drawn. */
export interface LabelFilmSettings {
  /** How many noises are followed. */
  samples: number;
  /** Steps of a chain of DDIM. */
  sampleSteps: number;
  /** η, the noise along the way: the same in every frame. */
  eta: number;
  /** Decides the noises: those of the run's first samples. */
  seed: number;
}

/** The largest w of a film. */
const STRONGEST = 8;

/** A frame for each class: what the same noises become when it is asked for, with strength w. */
export async function filmOfLabels(
  model: ImageModel,
  classes: string[],
  settings: LabelFilmSettings & { w: number },
): Promise<Film> {
  const frames: { caption: string; images: Float32Array }[] = [];
  for (const [label, caption] of classes.entries()) {
    const guidance = { labels: new Array(settings.samples).fill(label), w: settings.w };
    frames.push({ caption, images: await drawFrom(model, guidance, settings, caption) });
  }
  return await sheetFilm({ ...sizesIn(model, settings), frames, slowly: true });
}

/** A frame for each w from 0 to 8: what the same noises become when one class is asked for. */
export async function filmOfStrengths(
  model: ImageModel,
  label: number,
  settings: LabelFilmSettings & { frames: number },
): Promise<Film> {
  const frames: { caption: string; images: Float32Array }[] = [];
  for (let i = 0; i < settings.frames; i++) {
    const w = STRONGEST * i / (settings.frames - 1);
    const caption = `w = ${w.toFixed(2)}`;
    const guidance = { labels: new Array(settings.samples).fill(label), w };
    frames.push({ caption, images: await drawFrom(model, guidance, settings, caption) });
  }
  return await sheetFilm({ ...sizesIn(model, settings), frames });
}

/** The noises of the run's first samples, those along the way, too: only the guidance differs between frames. */
async function drawFrom(
  model: ImageModel,
  guidance: Guidance,
  { samples, sampleSteps, eta, seed }: LabelFilmSettings,
  caption: string,
): Promise<Float32Array> {
  const chain = (shape: ImageShape) => {
    const noise = (what: string, step = 0) =>
      gaussianNoise<tf.Rank.R4>({ seed, stream: `${what} samples 0`, step }, shape);
    const denoiser = guided(model, guidance);
    return reverseProcess(
      noise("xT"),
      fewerTimesteps(model.schedule.T, sampleSteps),
      (xt, t, tNext) => ddimStep(denoiser, { xt, t, tNext, eta, z: noise("z", t) }),
    );
  };
  return await drawImages(shapeOf(model, samples), chain, sampleSteps, caption);
}

function sizesIn({ size, inChannels }: ImageModel, { samples }: LabelFilmSettings) {
  return { count: samples, height: size, width: size, channels: inChannels };
}
