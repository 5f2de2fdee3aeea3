/**
 * Moving images of a trained model: how its images come out of noise (Ho et al. 2020, section 4.3),
 * how one turns into another (Song, Meng & Ermon 2021, section 5.3), for a run of paper 3 what a noise
 * becomes under each label, and for a run of paper 1 or 4 how its points or images flow.
 *
 *     deno task animate                                   with the model that ships, 10 s on 2 cores
 *     deno task animate --interpolate                     25 s
 *     deno task animate --resume runs/paper2-quick-0      with that of a run
 *     deno task animate --labels                          10 s: one noise, all labels
 *     deno task animate --label 7                         40 s: one label as w grows
 *     deno task animate --resume runs/paper1-quick-0                  5 s
 *     deno task animate --resume runs/paper4-quick-0                  10 s
 *
 * What it teaches: while t is large, x̂₀, the image that the network expects, is a blurred mean of many
 * digits (and where t is nearly T, nothing but the network's errors, divided by a √ᾱₜ that is nearly 0);
 * then the large shapes are decided, and the details at the end. And without noise along the way the
 * image is a function of the noise it starts from: noises between two noises give images between two
 * images.
 *
 * Into the run's folder, or runs/shipped, go paper2_chain.gif, paper2_interpolation.gif, paper3_labels.gif,
 * paper3_strength.gif, paper1_chain.gif or paper4_flow.gif (or .apng, or _strip.png: see --format); where one of that name is there,
 * paper2_chain-2.gif and so on. A GIF that would be larger than 2 MB is drawn with fewer colours.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { makeFolder } from "./common/files/writing.ts";
import { DATASETS } from "./common/data/images/load.ts";
import { guided } from "./common/network/guided.ts";
import type { ImageModel } from "./common/network/image_model.ts";
import { evenly } from "./common/plot/evenly.ts";
import { type Film, FORMATS, sideBySide } from "./common/plot/film/film.ts";
import { chainFilm, interpolationFilm } from "./common/plot/film/image_film.ts";
import { pointFilm } from "./common/plot/film/point_film.ts";
import { normal } from "./common/random.ts";
import {
  orAdvise,
  readImageWays,
  readPoints,
  withProgress,
  writeFilm,
} from "./common/report/animation.ts";
import { drawImages, recordChain } from "./common/report/draw_images.ts";
import { inTurn } from "./common/report/guidance_report.ts";
import { filmOfLabels, filmOfStrengths } from "./common/report/label_films.ts";
import {
  ddimStep,
  type Denoiser,
  fewerTimesteps,
  type ImageShape,
  reverseProcess,
} from "./common/reverse_process.ts";
import { labelOf, recordedClasses } from "./common/run/classes.ts";
import { parseCommandLine } from "./common/run/command_line.ts";
import {
  choice,
  type Command,
  integer,
  kebab,
  number,
  onOff,
  type Settings as SettingsOf,
  text,
} from "./common/run/flags.ts";
import { checkFilm, filmOfManyChains, framesOf } from "./common/run/film_checks.ts";
import { helpText } from "./common/run/help.ts";
import { runMain } from "./common/run/main.ts";
import { loadModel } from "./common/run/model_settings.ts";
import { modelSource, SHIPPED_DRAWINGS, SHIPPED_NAME } from "./common/run/model_source.ts";
import { inWords, readRecord, recordedValue } from "./common/run/record.ts";
import {
  chainLength,
  checkSampler,
  checkSampleSteps,
  recordedSampler,
  samplerFlags,
} from "./common/run/sampler_flags.ts";
import { commonFlags } from "./common/run/settings.ts";
import { onBackend } from "./common/run/training_run.ts";
import { slerp } from "./common/slerp.ts";
import { UserError } from "./common/user_error.ts";
import { chainOf } from "./paper_2.ts";

// ---------------------------------------------------------------------------------------------
// 1. The reverse chain of a sheet of images
// ---------------------------------------------------------------------------------------------

/**
 * The chain of the first images that paper2 draws with the same settings: the noises have the same
 * names, so these are the first images on its sheet.
 */
async function filmOfChain(
  model: ImageModel,
  denoiser: Denoiser,
  settings: Settings,
): Promise<Film> {
  const { samples: count, frames, seed } = settings;
  const { size, inChannels: channels, schedule: { T } } = model;
  const length = chainLength(settings, T);
  const shape: ImageShape = [count, size, size, channels];
  const chain = chainOf(denoiser, settings, { shape, seed, name: "samples 0" });
  const record = await recordChain(
    withProgress(chain, length),
    length,
    Math.min(frames, length + 1),
  );
  return await chainFilm({ count, height: size, width: size, channels, ...record });
}

// ---------------------------------------------------------------------------------------------
// 2. From one image to another
// ---------------------------------------------------------------------------------------------

/**
 * Pairs of images, and what lies between the noises of each: these are joined along a great circle (see
 * {@linkcode slerp}), so that every noise on the way is as long as noises are.
 */
async function filmOfInterpolation(
  model: ImageModel,
  denoiserOf: (images: number) => Denoiser,
  settings: Settings,
): Promise<Film> {
  const { samples, sampleSteps, frames, seed } = settings;
  const { size, inChannels: channels, schedule: { T } } = model;
  const [pairs, length] = [samples / 2, size * size * channels];
  const noises = normal({ seed, stream: "xT samples 0" }, samples * length);
  const noise = (n: number) => noises.subarray(n * length, (n + 1) * length);
  // the film goes there and back again
  const stops = Math.floor(frames / 2) + 1;
  const lambda = Array.from({ length: stops }, (_, i) => i / (stops - 1));
  const images = await drawImages(
    [stops * pairs, size, size, channels], // all pairs at the first λ, all pairs at the second, …
    (shape, _, first) => {
      const between = new Float32Array(shape[0] * length);
      for (let i = 0; i < shape[0]; i++) {
        const [stop, pair] = [Math.floor((first + i) / pairs), (first + i) % pairs];
        between.set(slerp(noise(2 * pair), noise(2 * pair + 1), lambda[stop]), i * length);
      }
      // η = 0: no noise but the first, so that the image is a function of it
      const xT = tf.tensor4d(between, shape);
      const denoiser = denoiserOf(shape[0]);
      return reverseProcess(
        xT,
        fewerTimesteps(T, sampleSteps),
        (xt, t, tNext) => ddimStep(denoiser, { xt, t, tNext, eta: 0 }),
      );
    },
    sampleSteps,
  );
  return await interpolationFilm({
    height: size,
    width: size,
    channels,
    lambda,
    images: lambda.map((_, i) => images.subarray(i * pairs * length, (i + 1) * pairs * length)),
  });
}

// ---------------------------------------------------------------------------------------------
// 3. The run: settings, then which film, and its file
// ---------------------------------------------------------------------------------------------

const { seed, backend, workers } = commonFlags;

/** All settings. Those of the sampling are the run's own unless they are given. */
const flags = {
  resume: text({
    help:
      "the folder of a run of paper1 to paper4; earlier films in it stay, a new one gets -2, -3, … [the model that ships, into runs/shipped]",
    placeholder: "DIR",
    default: undefined,
  }),
  format: choice({
    help: "the file: GIF, animated PNG, or a PNG with all frames beside each other",
    of: FORMATS,
    default: "gif",
  }),
  frames: integer({
    help: "frames of the film, at most one for each point of the chain; of a strip 8",
    default: 60,
    min: 2,
    max: 240,
  }),
  samples: integer({
    help: "images of a paper2 or paper3 run; for --interpolate they make pairs",
    default: 16,
    max: 64,
  }),
  interpolate: onOff({ help: "from one image to another, by the noises between their noises" }),
  labels: onOff({ help: "one noise through all labels, for a paper3 run" }),
  label: text({
    help: "one label as w grows from 0 to 8, for a paper3 run; with --interpolate of that class",
    placeholder: "CLASS",
    default: undefined,
  }),
  w: number({
    help: "guidance strength, for a paper3 run [that of the run]",
    default: 1,
    min: 0,
    max: 100,
  }),
  ...samplerFlags,
  sampleSteps: integer({
    help: "steps of a ddim chain; 25 for --interpolate, --labels and --label",
    default: 50,
  }),
  eta: number({
    help: "noise in a ddim chain: 0 none, 1 as in ddpm; --interpolate has none",
    default: 1,
    min: 0,
    max: 1,
  }),
  seed,
  backend,
  workers,
};
/** The settings of a film. */
export type Settings = SettingsOf<typeof flags>;

const command: Command<typeof flags> = {
  name: "animate",
  summary: "Makes moving images of a run: its reverse chain, or the way from one image to another.",
  flags,
  presets: {},
};

/** Steps of the chains of films that need many of them. */
const STEPS_BETWEEN = 25;
async function main(args: string[]): Promise<number> {
  const asked = parseCommandLine(command, args);
  if (asked.help) {
    console.log(helpText(command));
    return 0;
  }
  const { resume: folder, labels, label } = asked.settings;
  const shipped = labels || label !== undefined ? "paper3" : "paper2"; // one that has learned labels
  const { record: { script, settings: recorded }, recordPath: path } = await orAdvise(
    modelSource(folder, shipped),
    `${folder} holds no run`,
  );
  if (folder !== undefined && script === "paper4" && isOfImages(recorded)) {
    await animateFlowOfImages(folder, asked);
  } else if (folder !== undefined && (script === "paper1" || script === "paper4")) {
    await animatePoints(folder, script, asked);
  } else if (script === "paper2" || script === "paper3") {
    const sampler = recordedSampler(path, recorded ?? {}, commonFlags.seed);
    const w = recordedValue(flags.w, { name: "w", value: recorded?.w ?? flags.w.default, path });
    await animateImages(folder, script, parseCommandLine(command, args, { ...sampler, w }));
  } else {
    throw new UserError(
      `${path} is a run of ${inWords(script)}; expected one of paper1 to paper4`,
    );
  }
  return 0;
}

/** What the command line says. */
type Asked = { settings: Settings; given: Partial<Settings> };

/** Whether a run of paper 4 was one on images. */
function isOfImages(settings: Record<string, unknown> = {}): boolean {
  return DATASETS.some((name) => name === settings.data);
}

/** @throws {UserError} A flag was given by which something would be drawn anew. */
function refuseDrawing({ given }: Asked, what: string): void {
  const names = [
    ...["interpolate", "labels", "label", "w"] as const,
    ...["samples", "sampler", "sampleSteps", "eta", "seed"] as const,
  ];
  const wrong = names.find((name) => given[name] !== undefined);
  if (!wrong) return;
  throw new UserError(`--${kebab(wrong)} is for ${what} in its folder`);
}

/** The ways of the run's first images, which it has kept. */
async function animateFlowOfImages(folder: string, asked: Asked): Promise<void> {
  refuseDrawing(asked, `a run of paper2; ${folder} is one of paper4, whose images are`);
  const started = performance.now();
  const ways = await readImageWays(folder);
  const kept = evenly(ways.t.length, framesOf(asked));
  const some = <X>(all: X[]) => kept.map((i) => all[i]);
  const film = await chainFilm({
    ...ways,
    ...{ t: some(ways.t), xt: some(ways.xt), x0Hat: some(ways.x0Hat) },
  });
  await writeFilm(film, { folder, name: "paper4_flow", format: asked.settings.format, started });
}

async function animatePoints(
  folder: string,
  script: "paper1" | "paper4",
  asked: Asked,
): Promise<void> {
  refuseDrawing(asked, `images; ${folder} is a run of ${script}, whose points are`);
  const frames = framesOf(asked);
  const started = performance.now();
  const film = script === "paper1"
    ? await pointFilm(await readPoints(folder, script, "reverse"), frames)
    : await filmOfFlow(folder, frames);
  const name = script === "paper1" ? "paper1_chain" : "paper4_flow";
  await writeFilm(film, { folder, name, format: asked.settings.format, started });
}

/** A flow, and beside it the same noises after all reflows, where the run has any. */
async function filmOfFlow(folder: string, frames: number): Promise<Film> {
  const { reflows } = (await readRecord(`${folder}/run.json`)).settings as { reflows: number };
  const film = async (flow: number, name: string) => {
    const moments = await readPoints(folder, "paper4", `flow.${flow}`);
    const time = (i: number) => (1 - i / (moments.length - 1)).toFixed(2);
    return await pointFilm(moments.toReversed(), frames, (i) => `${name}, t = ${time(i)}`);
  };
  const first = await film(0, "flow");
  return reflows === 0 ? first : sideBySide(first, await film(reflows, "after reflow"));
}

async function animateImages(
  run: string | undefined,
  script: "paper2" | "paper3",
  asked: Asked,
): Promise<void> {
  const folder = run ?? SHIPPED_DRAWINGS;
  const settings = { ...asked.settings, frames: framesOf(asked) };
  const { interpolate, labels, label, samples, w } = settings;
  checkFilm(asked, { script, name: run === undefined ? SHIPPED_NAME : `the run in ${run}` });
  const hasManyChains = filmOfManyChains(settings) !== undefined;
  if (hasManyChains) settings.sampleSteps = asked.given.sampleSteps ?? STEPS_BETWEEN;
  const classes = script === "paper3" ? await recordedClasses(run, "--labels") : [];
  const one = label === undefined ? undefined : labelOf(label, classes);
  await onBackend(settings, async (backend) => {
    const model = await orAdvise(
      loadModel(run, script),
      `the run has no model yet, go on with it: deno task ${script} --resume ${folder}`,
    );
    const { T } = model.schedule;
    if (hasManyChains) checkSampleSteps(settings.sampleSteps, T);
    else checkSampler(settings, asked.given, T);
    console.error(`${backend.reason}\nwriting to ${folder}`);
    await makeFolder(folder);
    const started = performance.now();
    const film = async (): Promise<[name: string, film: Film]> => {
      if (labels) return ["labels", await filmOfLabels(model, classes, settings)];
      const towards = (of: number[]) => guided(model, { labels: of, w });
      if (interpolate) {
        const between = one === undefined
          ? () => model
          : (images: number) => towards(new Array(images).fill(one));
        return ["interpolation", await filmOfInterpolation(model, between, settings)];
      }
      if (one !== undefined) return ["strength", await filmOfStrengths(model, one, settings)];
      const each = inTurn(samples, classes.length);
      const denoiser = script === "paper3" ? towards(each) : model;
      return ["chain", await filmOfChain(model, denoiser, settings)];
    };
    const [name, made] = await film();
    const { format } = settings;
    await writeFilm(made, { folder, name: `${script}_${name}`, format, started });
  });
}

if (import.meta.main) await runMain(main);
