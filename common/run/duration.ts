/**
 * How long a run takes on this machine: by the time of one of its training steps.
 *
 * @module
 */
import { UserError } from "../user_error.ts";
import { inWords } from "./progress.ts";

/** What a run does after its training: as much as so many training steps, and so many seconds. */
export interface AfterTraining {
  /** Training steps that take as long. */
  steps: number;
  /** Seconds on two cores; they do not depend on the network. */
  seconds: number;
}

/** A run, as far as its length is concerned. */
export interface RunLength {
  /** Seconds of a training step. */
  stepSeconds: number;
  /** What comes after the training. Default: nothing. */
  after?: AfterTraining;
  /** Whether something is drawn while it trains. */
  draws?: boolean;
}

/** What is drawn while a run trains takes at most this part of the time; see `followTraining`. */
export const DRAWING_SHARE = 0.1;

/** A forward pass takes about this part of a training step (measured: 0.27 on WASM). */
const FORWARD = 0.27;

/** Drawing so many images by so many forward passes each, in training steps of `batch` images. */
export function drawingSteps(images: number, passes: number, batch: number): number {
  return FORWARD * images * passes / batch;
}

/** About how many seconds a run of so many training steps takes in all. */
export function runSeconds(steps: number, length: RunLength): number {
  return steps * secondsOfStep(length) + secondsAfter(length);
}

/**
 * The number of training steps with which a run takes about so many seconds in all.
 *
 * @throws {UserError} What comes after the training alone takes as long.
 */
export function stepsWithin(seconds: number, length: RunLength): number {
  const after = secondsAfter(length);
  const steps = Math.floor((seconds - after) / secondsOfStep(length));
  if (steps >= 1) return steps;
  throw new UserError(
    `--minutes ${+(seconds / 60).toPrecision(2)}: what follows the training takes about ` +
      `${inWords(after)} alone on this machine; give at least ${Math.ceil(after / 60) + 1}`,
  );
}

function secondsOfStep({ stepSeconds, draws }: RunLength): number {
  return draws ? stepSeconds * (1 + DRAWING_SHARE) : stepSeconds;
}

function secondsAfter({ stepSeconds, after }: RunLength): number {
  return after ? after.steps * stepSeconds + after.seconds : 0;
}
