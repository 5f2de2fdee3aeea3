/**
 * The history of a run: it may have been stopped, and gone on with other settings.
 *
 * @module
 */
import { cosineDecay, type RateSettings } from "../network/learning_rate.ts";
import { UserError } from "../user_error.ts";
import { isTable, type RunRecord, type Stretch } from "./record.ts";

/** What is trained from now on. */
export type Next = Pick<Stretch, "settings" | "backend" | "started">;

/**
 * A run's stretches up to its last step: those behind it, and those to come.
 *
 * A run that goes on with the same `steps` follows the rest of the plan that it has; with other ones it
 * gets a stretch of its own to the new end.
 *
 * @param recorded The stretches so far; none for a new run.
 * @param done Steps behind the run.
 * @param next With `settings.steps`, the last step.
 */
export function planStretches(recorded: Stretch[], done: number, next: Next): Stretch[] {
  const steps = next.settings.steps as number;
  const past = recorded.filter(({ fromStep }) => fromStep <= done)
    .map((stretch) => ({ ...stretch, toStep: Math.min(stretch.toStep, done) }));
  const isSamePlan = recorded.at(-1)?.settings.steps === steps;
  const rest = recorded.filter(({ toStep }) => isSamePlan && toStep > done);
  const planned = rest.length > 0 ? rest : [{ fromStep: 1, toStep: steps, settings: { steps } }];
  const future = planned.map((stretch): Stretch => ({
    ...next,
    fromStep: Math.max(stretch.fromStep, done + 1),
    toStep: stretch.toStep,
    settings: { ...next.settings, steps: stretch.settings.steps },
  })).filter(({ fromStep, toStep }) => fromStep <= toStep);
  return [...past, ...future].reduce(joined, []);
}

/** The stretches with one more, which prolongs the last where nothing has changed. */
function joined(stretches: Stretch[], next: Stretch): Stretch[] {
  const last = stretches.at(-1);
  const what = ({ settings, backend }: Stretch) => JSON.stringify([settings, backend]);
  if (!last || what(last) !== what(next)) return [...stretches, next];
  return [...stretches.slice(0, -1), { ...last, toStep: next.toStep }];
}

/**
 * The stretches in a run.json. A record from before there were any is one stretch.
 *
 * @param path Its name, for messages.
 * @throws {UserError} They are not of the form that a run writes.
 */
export function recordedStretches(record: Partial<RunRecord>, path: string): Stretch[] {
  const { stretches, settings = {}, backend, started } = record;
  if (stretches === undefined) {
    const toStep = Number(settings.steps);
    return [{ fromStep: 1, toStep, settings, backend, started } as Stretch];
  }
  const isStep = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 1;
  let expected = 1;
  const isSound = Array.isArray(stretches) && stretches.length > 0 &&
    stretches.every((stretch) => {
      if (!isTable(stretch) || !isTable(stretch.settings)) return false;
      const { fromStep, toStep, settings: { steps } } = stretch as unknown as Stretch;
      const follows = fromStep === expected && isStep(toStep) && toStep >= fromStep &&
        isStep(steps) && Number(steps) >= toStep;
      expected = toStep + 1;
      return follows;
    });
  if (isSound) return stretches;
  throw new UserError(
    `${path} has stretches that do not follow one another from step 1 on; ` +
      "expected the run.json that a run writes",
  );
}

/**
 * Trains stretch by stretch, from the step after the optimizer's last one.
 *
 * @param train Starts the training loop towards so many steps.
 */
export function* stretchByStretch<S extends { step: number }>(
  stretches: Stretch[],
  done: number,
  train: (steps: number) => Iterable<S>,
): Generator<S> {
  for (const { toStep, settings } of stretches) {
    if (toStep <= done) continue;
    for (const step of train(settings.steps as number)) {
      yield step;
      if (step.step >= toStep) break;
    }
  }
}

/**
 * What other steps do to a learning rate that falls to 0, in one line.
 *
 * @param before The steps that the training went towards.
 * @param done Steps behind the run.
 * @returns Undefined where nothing changes.
 */
export function rateChange(
  before: number,
  done: number,
  { decay, steps }: Pick<RateSettings, "decay" | "steps">,
): string | undefined {
  if (decay !== "cosine" || before === steps || done === 0 || done >= steps) return undefined;
  const percent = (steps: number, at: number) => `${(100 * cosineDecay(at, steps)).toFixed(1)} %`;
  return `--decay cosine falls to 0 at the last step: at step ${done} of ${before} the learning ` +
    `rate was at ${percent(before, done)} of its highest; with ${steps} steps it goes on at ` +
    `${percent(steps, done + 1)}, and the end differs from a run of ${steps} steps from the start`;
}
