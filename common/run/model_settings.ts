/**
 * The settings that decide the shape of a model of images, and the model that a run left behind.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createModel, type ImageModel, type ImageModelOptions } from "../network/image_model.ts";
import { type MemorySetting, unetBytes, unetNumbers } from "../network/memory.ts";
import { UserError } from "../user_error.ts";
import { choice, integer, kebab, number, type Settings, text } from "./flags.ts";
import { modelSource, sayWhichModel } from "./model_source.ts";
import type { ShippedScript } from "../shipped/half_precision.ts";
import { recordedValue, type RunRecord } from "./record.ts";

const LIST = /^\d+(,\d+)*$/;
/** Channels of an image in colour: the most there are before the data are known. */
const COLOURS = 3;
/** A network of so many weights is made without a second thought. */
const FEW_WEIGHTS = 50_000_000;
/** Many times more channels than at full size than any network has. */
const MOST_MULT = 1024;

/** The flags that decide the model's shape; the defaults are those of paper 2's preset `quick`. */
export const modelFlags = {
  size: integer({ help: "height and width of the images", default: 16, min: 4, max: 256 }),
  channels: integer({ help: "channels of the UNet at full size", default: 16, min: 4, max: 1024 }),
  channelMults: text({
    help: "channels of each level as multiples; each level has half the size of the one before",
    placeholder: "N,N,…",
    default: "1,2,4",
    allowed: `whole numbers from 1 to ${MOST_MULT} with commas between them, like 1,2,2`,
    accepts: (list) =>
      LIST.test(list) &&
      list.split(",").map(Number).every((mult) => mult >= 1 && mult <= MOST_MULT),
  }),
  attentionLevels: text({
    help:
      "levels with self-attention, 0 being the full size; none leaves it out of the middle, too",
    placeholder: "N,N,…|none",
    default: "1",
    allowed: "whole numbers with commas between them, like 1,2, or none",
    accepts: (list) => list === "none" || LIST.test(list),
  }),
  groups: integer({ help: "groups of the group normalization", default: 8 }),
  dropout: number({
    help: "share of the numbers dropped while training",
    default: 0,
    min: 0,
    max: 0.9,
  }),
  timesteps: integer({
    help: "T, steps from image to noise",
    default: 1000,
    min: 25,
    max: 100_000,
  }),
  schedule: choice({
    help: "how the noise grows with t",
    of: ["linear", "cosine"],
    default: "cosine",
  }),
};

/** Values of {@linkcode modelFlags}. */
export type ModelSettings = Settings<typeof modelFlags>;

/**
 * What the settings mean for {@linkcode createModel}.
 *
 * @param inChannels Channels of the images: 1 for grey, 3 for colour.
 * @throws {UserError} The settings do not go together.
 */
export function modelOptions(
  settings: ModelSettings & { seed: number },
  inChannels: number,
): ImageModelOptions {
  const { timesteps, schedule } = settings;
  return { ...unetOptions(settings, inChannels), timesteps, schedule };
}

/** The settings of the network alone. */
export type UNetSettings = Omit<ModelSettings, "timesteps" | "schedule">;

/**
 * What the settings mean for a {@linkcode UNet}, and the size of its images.
 *
 * @param inChannels Channels of the images: 1 for grey, 3 for colour.
 * @throws {UserError} The settings do not go together.
 */
export function unetOptions(
  settings: UNetSettings & { seed: number },
  inChannels: number,
): Omit<ImageModelOptions, "timesteps" | "schedule"> {
  const { size, channels, groups, dropout, seed } = settings;
  const channelMults = numbers(settings.channelMults);
  const attentionLevels = numbers(settings.attentionLevels);
  const levels = channelMults.length;
  if (channels % groups !== 0 || channels % 2 !== 0) {
    throw new UserError(
      `--channels ${channels} with --groups ${groups}: the channels must be an even multiple of the groups`,
    );
  }
  if (size % 2 ** (levels - 1) !== 0) {
    throw new UserError(
      `--size ${size} with --channel-mults ${settings.channelMults}: ${levels} levels halve the size ` +
        `${levels - 1} times, so it must divide by ${2 ** (levels - 1)}`,
    );
  }
  if (attentionLevels.some((level) => level >= levels)) {
    throw new UserError(
      `--attention-levels ${settings.attentionLevels}: there are levels 0 to ${levels - 1}`,
    );
  }
  return { channels, inChannels, channelMults, attentionLevels, groups, dropout, seed, size };
}

/**
 * What decides how much memory a training on such images takes; see {@linkcode refuseTooLarge}.
 *
 * @param classes Kinds of images that the network is told by a label. Default: none.
 */
export function imageMemory(
  settings: UNetSettings & { batch: number },
  { classes }: { classes?: number } = {},
): MemorySetting[] {
  const setting = (name: "batch" | "channels" | "size", multipleOf: number): MemorySetting => ({
    name,
    value: settings[name],
    multipleOf,
    bytes: (value) => {
      const { batch, ...shape } = { ...settings, [name]: value };
      const channelMults = numbers(shape.channelMults);
      const attentionLevels = numbers(shape.attentionLevels);
      const lists = { channelMults, attentionLevels };
      return unetBytes({ ...shape, ...lists, inChannels: COLOURS, classes }, batch);
    },
  });
  const halvings = numbers(settings.channelMults).length - 1;
  return [
    setting("batch", 1),
    setting("channels", 2 * settings.groups),
    setting("size", 2 ** halvings),
  ];
}

/**
 * The trained model in a run's folder: run.json says its shape, model.safetensors has the weights.
 *
 * @param folder Default: the model that ships; a line on stderr says so.
 * @param shipped Of which script that is.
 * @throws {UserError} One of them is missing, or they do not fit.
 */
export async function loadModel(
  folder?: string,
  shipped: ShippedScript = "paper2",
): Promise<ImageModel> {
  sayWhichModel(folder, shipped);
  const source = await modelSource(folder, shipped);
  const settings = recordedSettings(source.record, source.recordPath);
  return modelOf(settings, await source.weights(), source.modelPath);
}

/**
 * A trained model out of its settings and its weights.
 *
 * @param weights They are disposed of.
 * @param modelPath Their file, for messages.
 * @throws {UserError} They do not fit.
 */
export function modelOf(
  settings: ModelSettings,
  weights: Map<string, tf.Tensor>,
  modelPath: string,
): ImageModel {
  const inChannels = weights.get("conv1.weight")?.shape[1] ?? 1; // [C, in, 3, 3]
  if (inChannels !== 1 && inChannels !== 3) {
    tf.dispose([...weights.values()]);
    throw new UserError(
      `${modelPath} is for images of ${inChannels} channels; allowed are 1 and 3`,
    );
  }
  const rows = weights.get("label_emb.weight")?.shape[0] ?? 1; // a row for each class, and one for none
  const options = {
    ...modelOptions({ ...settings, seed: 0 }, inChannels),
    classes: rows - 1,
    middleAttention: weights.has("middle.1.Q.W"), // earlier networks had it in any case
  };
  refuseMoreWeights(options, weights, modelPath);
  const model = createModel(options);
  try {
    model.network.load(weights);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${modelPath}: ${error.message}`, { cause: error });
  } finally {
    tf.dispose([...weights.values()]);
  }
  return model;
}

/** Refuses a run.json whose network is far larger than the weights, before that network is made. */
function refuseMoreWeights(
  options: ImageModelOptions,
  weights: Map<string, tf.Tensor>,
  path: string,
): void {
  const { channelMults = [], attentionLevels = [] } = options;
  const expected = unetNumbers({ ...options, channelMults, attentionLevels }).weights;
  const found = [...weights.values()].reduce((sum, { size }) => sum + size, 0);
  if (expected <= Math.max(found, FEW_WEIGHTS)) return;
  tf.dispose([...weights.values()]);
  throw new UserError(
    `${path} has ${found} weights, and the network of its run.json ${expected}; ` +
      "they must be of the same run",
  );
}

/** The model's settings in a run.json. */
function recordedSettings(
  { settings: all = {} }: Partial<RunRecord>,
  path: string,
): ModelSettings {
  const settings: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(modelFlags)) {
    if (!Object.hasOwn(all, name)) {
      throw new UserError(
        `${path} has no ${
          kebab(name)
        }; allowed: ${flag.allowed}; expected the run.json of a paper2 or paper3 run`,
      );
    }
    settings[name] = recordedValue<unknown>(flag, { name, value: all[name], path });
  }
  return settings as ModelSettings;
}

/** The numbers of a list like "1,2,2" or "none". */
function numbers(list: string): number[] {
  return list === "none" ? [] : list.split(",").map(Number);
}
