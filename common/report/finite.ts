/**
 * What is said when a chain ends in no numbers.
 *
 * @module
 */
import { UserError } from "../user_error.ts";

/**
 * The error of a reverse chain that has left the finite numbers.
 *
 * @param what What it was drawing.
 * @param t Where that was first seen.
 */
export function leftFiniteNumbers(what: string, t: number): UserError {
  return new UserError(
    `the ${what} are no finite numbers any more at t = ${t}: the model has learned too little, has gone ` +
      "astray or is damaged; train it with more --steps or a lower --learning-rate",
    { exitCode: 1 },
  );
}
