/**
 * Whether a training of the page comes out the same on a GPU as on WASM, and how long a step takes.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { PointData } from "../common/data/points/point_data.ts";
import { relativeDifference } from "../common/engine/operation_check.ts";
import type { Rehearsal, Snapshot } from "../common/page/play/protocol.ts";
import type { PointSettings } from "../common/run/point_settings.ts";
import { differenceOf, tryTraining } from "../common/run/trial.ts";
import { startTraining, train, type Training } from "../paper_1_partb.ts";

/** Steps whose losses are compared. */
const COMPARED = 4;
/** How far numbers may be apart, relative to their value; */
const TOLERANCE = 1e-3;
/** and a distance at the end of a chain, along which rounding errors grow. */
const TOLERANCE_OF_DISTANCE = 0.02;

/**
 * Trains an untrained network for a few steps on the active backend.
 *
 * @throws {Error} The numbers are not the expected ones; the message says which.
 */
export async function rehearse(
  settings: PointSettings,
  { data, seconds, expected }: { data: PointData; seconds: number; expected?: Rehearsal },
): Promise<Rehearsal> {
  const kept: tf.Tensor[] = [];
  const script = {
    start: (settings: PointSettings) => startTraining(settings, data),
    network: ({ model }: Training) => model,
    *train(training: Training) {
      for (const step of train(training)) {
        if (kept.length < COMPARED) kept.push(tf.keep(tf.clone(step.loss)));
        yield step;
      }
    },
  };
  const { gradientNorms, stepSeconds } = await tryTraining(script, settings, { seconds });
  const losses = (await Promise.all(kept.map((loss) => loss.data()))).map(([loss]) => loss);
  tf.dispose(kept);
  const found = { losses, gradientNorms, stepMs: 1000 * stepSeconds };
  const difference = expected && differenceOfRehearsals(found, expected);
  if (difference) throw new Error(difference);
  return found;
}

/** The losses of the later steps tell of the optimizer, too. */
function differenceOfRehearsals(found: Rehearsal, expected: Rehearsal): string | undefined {
  const { gradientNorms } = found;
  for (let i = 0; i < Math.min(found.losses.length, expected.losses.length); i++) {
    const difference = differenceOf(
      { loss: found.losses[i], gradientNorms },
      { loss: expected.losses[i], gradientNorms: expected.gradientNorms },
    );
    if (difference) return difference;
  }
}

/** In what the same network shows other things, in words, or undefined. */
export function differenceOfSnapshots(found: Snapshot, expected: Snapshot): string | undefined {
  const distance = Math.abs(found.distance - expected.distance);
  if (!(relativeDifference(found.kl, expected.kl) <= TOLERANCE)) {
    return "the KL of each t is another";
  }
  if (!(relativeDifference(found.wind, expected.wind) <= TOLERANCE)) {
    return "the chain's steps are others";
  }
  if (!(distance <= TOLERANCE_OF_DISTANCE * expected.distance)) return "the samples are others";
}
