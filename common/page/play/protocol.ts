/**
 * What the page to play with and its worker say to each other.
 *
 * @module
 */
import type { HostTensor } from "../../files/safetensors.ts";

/** The switches of the chapters on points: flags of paper 1 by their names, and the shape. */
export interface PointSwitches {
  /** swiss-roll, moons, circles, or own. */
  shape: string;
  /** The own shape as a table, two numbers a line. */
  own?: string;
  /** T. */
  timesteps: number;
  /** How the noise grows. */
  schedule: "sigmoid" | "linear" | "cosine";
  /** A tail for each t, or one for all. */
  tails: "each" | "shared";
  /** H. */
  hidden: number;
  /** Decides all random numbers. */
  seed: number;
}

/** Points on their way to noise; each [T+1, N, 2], but for the digit, [T+1, 28·28]. */
export interface Destruction {
  /** ᾱₜ for t = 0..T. */
  alphaBar: number[];
  /** βₜ for t = 0..T, with β₀ = 0. */
  beta: number[];
  /** Every t in one go from x₀, with the same ε. */
  closed: Float32Array;
  /** Step by step. */
  steps: Float32Array;
  /** The digit in one go, in [-1, 1]. */
  digitClosed: Float32Array;
  /** The digit step by step. */
  digitSteps: Float32Array;
}

/** What a training shows of itself about once a second. */
export interface Snapshot {
  /** Steps done. */
  step: number;
  /** The last step. */
  steps: number;
  /** Steps a second since the last snapshot, of training alone. */
  rate: number;
  /** T. */
  T: number;
  /** N, the points of the chains. */
  N: number;
  /** The losses since the last snapshot. */
  losses: number[];
  /** E KL(q‖p) for t = 2..T, in nats a point. */
  kl: number[];
  /** The reverse chain, [T+1, N, 2]. */
  reverse: Float32Array;
  /** The forward chain, [T+1, N, 2]. */
  forward: Float32Array;
  /** μ_θ(xₜ, t) − xₜ on a grid, [T, G·G, 2] for t = 1..T. */
  wind: Float32Array;
  /** Sliced Wasserstein distance of the samples to the data. */
  distance: number;
  /** The same between two draws of the data. */
  distanceOfData: number;
}

/** A training between two steps, to go on with elsewhere: weights and the optimizer's vectors by name. */
export type TrainingState = Map<string, HostTensor>;

/** What a training's first steps come to: the same numbers on every backend, but for rounding. */
export interface Rehearsal {
  /** The losses of the first steps. */
  losses: number[];
  /** The norm of each parameter's gradient in the first step. */
  gradientNorms: number[];
  /** Milliseconds that a step takes. */
  stepMs: number;
}

/** The grid that the wind is drawn on: G·G places from −reach to reach. */
export const WIND = { side: 15, reach: 2.8 };

/** How the training of the flows stands. */
export interface FlowProgress {
  step: number;
  steps: number;
  /** Steps a second. */
  rate: number;
  /** 1 while the first flow learns, 2 once the second one does, on the pairs of the first. */
  flows: number;
}

/** A flow that was followed from noise to data. */
export interface FollowedFlow {
  /** Ways of the first points, [n, S+1, 2]. */
  ways: Float32Array;
  /** Where all points end, [N, 2]. */
  ends: Float32Array;
  /** Sliced Wasserstein distance of the ends to the data. */
  distance: number;
  /** S(Z), 0 for straight ways at a constant speed. */
  straightness: number;
}

/** The chains of images that can be on their way, one of each name. */
export type ChainName = "draw" | "between" | "fill" | "ask" | "perfect" | "patches" | "network";

/** A point of a chain of images. */
export interface ImageChainPoint {
  /** Which chain. */
  name: ChainName;
  /** Whether it is the chain's first. */
  first: boolean;
  /** How much of the chain is done, 0..1. */
  share: number;
  /** t. */
  t: number;
  /** xₜ, [B, H, W] in about [-1, 1]. */
  xt: Float32Array;
  /** x̂₀, likewise. */
  x0Hat: Float32Array;
}

/** A model that comes with the page. */
export interface ModelFiles {
  /** Its file. */
  model: Uint8Array;
  /** Its run.json. */
  record: { settings: object };
}

/** What the worker can be asked for. */
export interface Calls {
  /** Starts WASM, with other kernels where the browser does not take the project's own. */
  open(options: {
    threads: number;
    shared: boolean;
    kernels?: Uint8Array<ArrayBuffer>;
  }): { threads: number };
  /** Chapter a. */
  destroy(options: { switches: PointSwitches; count: number; digit: Uint8Array }): Destruction;
  /** A new, untrained network for chapters b and c. */
  begin(options: { switches: PointSwitches; steps: number }): void;
  /** Trains, or pauses. */
  train(options: { on: boolean }): void;
  /** Sends a point of noise down several times: the ways, [count, T+1, 2] with t = 0 first. */
  walk(options: { from: [number, number]; count: number; seed: number }): {
    T: number;
    ways: Float32Array;
  };
  /** `count` samples of the network as it is. */
  samples(options: { count: number; seed: number }): Float32Array;
  /** Starts the GPU, in the worker that computes with it. */
  openGpu(options: { orSoftware: boolean }): void;
  /**
   * The first steps of such a training, thrown away again, and about so many seconds of timing. It is
   * an error if the numbers are not the expected ones.
   */
  rehearse(options: {
    switches: PointSwitches;
    steps: number;
    seconds: number;
    expected?: Rehearsal;
  }): Rehearsal;
  /** Pauses; the training as it stands, and what it shows then. */
  handOver(options: Record<string, never>): { state: TrainingState; snapshot: Snapshot };
  /** Takes a training over, paused. It is an error if it does not show what is expected. */
  takeOver(options: {
    switches: PointSwitches;
    steps: number;
    state: TrainingState;
    expected?: Snapshot;
  }): void;
  /** An untrained flow for chapter f. */
  beginFlow(options: { switches: PointSwitches; steps: number }): void;
  /** Trains, or pauses. */
  trainFlow(options: { on: boolean }): void;
  /** Follows the flows from noise to data in so many Euler steps. */
  follow(options: { steps: number }): { flows: FollowedFlow[]; distanceOfData: number };
  /** Takes the model of chapter d over. */
  loadDigits(files: ModelFiles): { size: number; T: number };
  /** Begins a chain from noise to digits. */
  draw(options: {
    sampler: "ddpm" | "ddim";
    sampleSteps: number;
    eta: number;
    seed: number;
    count: number;
  }): void;
  /** Begins a chain from the noises between two of a sheet of `of`, from `left` to `right` in `stops`. */
  between(options: {
    left: number;
    right: number;
    of: number;
    stops: number;
    sampleSteps: number;
    seed: number;
  }): void;
  /** Begins a chain that fills what is not known (0 in `known`) of an image in [-1, 1]. */
  fill(options: {
    image: Float32Array;
    known: Uint8Array;
    count: number;
    seed: number;
    sampleSteps: number;
    jumpLength: number;
    jumps: number;
  }): void;
  /** Takes the model of chapter e over. */
  loadAsked(files: ModelFiles): { size: number; T: number };
  /** Begins a chain from noise to the digit `label`; without one, to any. */
  ask(options: {
    label: number | undefined;
    w: number;
    sampleSteps: number;
    seed: number;
    count: number;
  }): void;
  /** Takes training digits over for chapter g: grey values, [N, size, size]. */
  loadTrainingDigits(options: { pixels: Uint8Array }): void;
  /** Begins three chains from the same noises, one after the other. */
  invent(options: { seed: number; count: number; sampleSteps: number }): void;
}

/** The name of a call. */
export type CallName = keyof Calls;
/** What a call takes. */
export type Given<C extends CallName> = Parameters<Calls[C]>[0];
/** What a call gives. */
export type Got<C extends CallName> = ReturnType<Calls[C]>;

/** What the worker says unasked. */
export interface Events {
  /** How the training stands. */
  snapshot: Snapshot;
  /** A training on a GPU as it stands, as GPUs may be lost. */
  state: TrainingState;
  /** How the training of the flows stands. */
  flow: FlowProgress;
  /** A point of a chain of images. */
  chain: ImageChainPoint;
  /** The loss is no number any more, or something was refused. */
  trouble: string;
}

/** A message to the worker. */
export interface Request {
  id: number;
  name: CallName;
  given: unknown;
}

/** A message from the worker: an answer, or an event. */
export type Message =
  | { id: number; got: unknown }
  | { id: number; error: string }
  | { [E in keyof Events]: { event: E; detail: Events[E] } }[keyof Events];
