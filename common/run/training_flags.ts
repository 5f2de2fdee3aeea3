/**
 * The flags of a training that several scripts share.
 *
 * @module
 */
import { UserError } from "../user_error.ts";
import { choice, type Flag, integer, number } from "./flags.ts";

/** The flag that says how the learning rate falls. */
export const decayFlag: Flag<"cosine" | "none"> = choice({
  help: "how the learning rate falls: to 0 along half a cosine, or not at all",
  of: ["cosine", "none"],
  default: "cosine",
});

/** The flag that sets the number of steps by the clock; run.json keeps the number itself. */
export const minutesFlag: Flag<number | undefined> = {
  ...number({
    help: "as many steps as fit into a run of so many minutes on this machine",
    default: 0,
    above: 0,
    max: 1_000_000,
  }),
  default: undefined,
};

/** The flag that says how long the classifier is trained that drawn digits are measured with. */
export const classifierStepsFlag: Flag<number> = integer({
  help: "steps of the classifier that digits are measured with; with fewer it errs more",
  default: 1200,
});

/**
 * Refuses two ways to say how long to train.
 *
 * @throws {UserError} `--minutes` stands beside `--steps` or `--resume`.
 */
export function checkMinutes(
  { minutes, steps, resume }: { minutes?: unknown; steps?: unknown; resume?: unknown },
): void {
  if (minutes === undefined) return;
  const other = steps !== undefined ? "--steps" : resume !== undefined ? "--resume" : undefined;
  if (!other) return;
  const advice = other === "--steps" ? "give one of them" : "go on with a run by --steps";
  throw new UserError(`--minutes sets the number of steps of a new run: with ${other}, ${advice}`);
}
