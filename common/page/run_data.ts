/**
 * What the page of a run shows: the folder's content, cut down to what fits into a page. Every part but
 * the record may be missing, as in a run that is still training.
 *
 * @module
 */
import type { Packed } from "./packed.ts";

/** Everything in the page that belongs to one run. */
export interface RunData {
  /** The folder's own name. */
  name: string;
  /** What run.json says. */
  record: RecordData;
  loss?: LossData;
  /** ᾱₜ for t = 0..T. */
  alphaBar?: Packed;
  perT?: PerTime;
  points?: PointChains;
  flows?: FlowWays;
  images?: ImageChains;
  guidance?: GuidanceData;
  /** In the order of their steps. */
  sheets: Sheet[];
  /** Sheets that the folder has and the page has no room for. */
  sheetsLeftOut: number;
  pictures: Picture[];
  /** Files that could not be used, a line each. */
  problems: string[];
}

/** run.json, checked for its form. */
export interface RecordData {
  script: string;
  status: string;
  /** ISO 8601, or nothing. */
  started: string;
  updated: string;
  /** As "WASM, 2 workers". */
  backend: string;
  settings: [name: string, value: string][];
  /** The names of the classes that were learned. */
  classes: string[];
  versions: [name: string, value: string][];
  seconds: [what: string, seconds: number][];
  results: [name: string, value: number | number[]][];
  /** The distance of each flow of paper 4 by each number of steps. */
  distanceOfFlow?: number[][];
}

/** The loss over training, in bins of so many steps each. */
export interface LossData {
  binSize: number;
  /** The last step there is. */
  steps: number;
  /** [bins, 4]: the bin's last step; mean, smallest and largest loss in it. */
  bins: Packed;
}

/** A value for some t. */
export interface PerTime {
  t: number[];
  value: number[];
}

/** Points in the plane at t = 0..T, all [T+1, N, 2]. */
export interface PointChains {
  forward: Packed;
  reverse: Packed;
  /** μ_θ(xₜ, t) of the reverse chain's points. */
  mean: Packed;
  /** Half the side of the square around the middle that holds all but stray points. */
  reach: number;
}

/** Points on the ways of flows, noise to data. */
export interface FlowWays {
  /** The numbers of Euler steps, rising. */
  steps: number[];
  /** For each flow and each number S of steps, [S+1, N, 2]. */
  ways: Packed[][];
  /** Half the side of the square around the middle that holds all but stray points. */
  reach: number;
}

/** Images along their chains, [K, N, H, W, C] each. */
export interface ImageChains {
  /** The K timesteps, falling to 0. */
  t: number[];
  xt: Packed;
  x0Hat: Packed;
}

/** What the same noises become under every label and with every guidance strength. */
export interface GuidanceData {
  /** The S strengths, rising. */
  w: number[];
  /** [S·classes, N, H, W, C]: all classes with the first strength, all with the second, … */
  images: Packed;
}

/** Samples in the middle of training. */
export interface Sheet {
  step: number;
  /** A PNG file as base64. */
  png: string;
}

/** A figure of the run that the page does not draw itself. */
export interface Picture {
  name: string;
  /** A PNG file as base64. */
  png: string;
}
