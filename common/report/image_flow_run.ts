/**
 * A finished run of flows on images: what is reported on, and how it is drawn from.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../data/images/image_set.ts";
import { gaussianNoise } from "../engine/noise.ts";
import type { Velocity } from "../ode.ts";
import type { ChainPoint, ImageShape } from "../reverse_process.ts";
import type { ImageFlowSettings } from "../run/flow_settings.ts";
import type { RunFolder } from "../run/folder.ts";
import { asChain, type Follow, type FollowSettings } from "./flow_chain.ts";
import type { ChainOf } from "./image_report.ts";

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
  /** S of a flow, from noises on, which are disposed of. */
  straightness: (velocity: Velocity, z0: tf.Tensor2D) => Promise<number>;
  /** Starts the chains of paper 2. */
  chainOf: ChainOf;
}

/** A flow's way from a noise of paper 2: the same names are the same noises. */
export function chainOfFlow(
  { follow, settings: { seed } }: Pick<FlowDrawing, "follow" | "settings">,
  velocity: Velocity,
  how: FollowSettings,
  shape: ImageShape,
  name: string,
  { expects = false } = {},
): Iterable<ChainPoint> {
  const z0 = noiseOf(shape, { seed, name });
  return asChain(follow(velocity, z0, how), shape, expects ? velocity : undefined);
}

/** Paper 2's noise of this name, as points. */
export function noiseOf(
  [B, ...sides]: ImageShape,
  { seed, name }: { seed: number; name: string },
): tf.Tensor2D {
  const D = sides.reduce((product, side) => product * side, 1);
  return gaussianNoise<tf.Rank.R2>({ seed, stream: `xT ${name}` }, [B, D]);
}

/** The shape of so many of the images. */
export function shapeOf({ height, width, channels }: ImageSet, count: number): ImageShape {
  return [count, height, width, channels];
}

/** The same with the names that figures use. */
export function sizesOf(
  [count, height, width, channels]: ImageShape,
): { count: number; height: number; width: number; channels: number } {
  return { count, height, width, channels };
}
