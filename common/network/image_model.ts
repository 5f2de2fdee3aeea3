/**
 * The model of the scripts on images: ε_θ, the schedule it goes with, and the images it is for.
 *
 * @module
 */
import { UNet, type UNetOptions } from "../../unet.ts";
import type { Denoiser } from "../reverse_process.ts";
import { cosineSchedule, linearSchedule, type Schedule } from "../schedule.ts";

/** A network with its schedule, and the images it is for. */
export interface ImageModel extends Denoiser {
  /** ε_θ. */
  network: UNet;
  /** Height and width of the images. */
  size: number;
  /** Channels of the images: 1 for grey, 3 for colour. */
  inChannels: number;
  /** Kinds of images that it can be told by a label; 0 for none. */
  classes: number;
}

/** What an {@linkcode ImageModel} is built from. */
export interface ImageModelOptions extends UNetOptions {
  /** Height and width of the images. */
  size: number;
  /** T. */
  timesteps: number;
  /** How the noise grows with t. */
  schedule: "linear" | "cosine";
}

/**
 * Builds a model with untrained weights; the caller disposes of its network.
 *
 * @throws {RangeError} The options do not go together; see {@linkcode UNet}.
 */
export function createModel(options: ImageModelOptions): ImageModel {
  const { size, timesteps: _timesteps, schedule: _schedule, ...unet } = options;
  const { inChannels, classes = 0 } = unet;
  return { network: new UNet(unet), schedule: scheduleOf(options), size, inChannels, classes };
}

/** Ho et al.'s β, from 10⁻⁴ to 0.02, are for T = 1000: with fewer steps each must do more. */
function scheduleOf({ schedule, timesteps: T }: ImageModelOptions): Schedule {
  return schedule === "cosine" ? cosineSchedule(T) : linearSchedule(T, 0.1 / T, 20 / T);
}
