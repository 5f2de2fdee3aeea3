export { deepStrictEqual as assertEquals, ok as assert } from "node:assert";

import { match, ok, rejects, throws } from "node:assert";

/** `fn` throws an error of the class, whose message includes the text. */
export function assertThrows(
  fn: () => unknown,
  // deno-lint-ignore no-explicit-any
  ErrorClass: abstract new (...args: any[]) => Error = Error,
  msgIncludes = "",
): void {
  throws(
    fn,
    (error) => error instanceof ErrorClass && error.message.includes(msgIncludes),
  );
}

/** The promise of `fn` is rejected with an error of the class, whose message includes the text. */
export async function assertRejects<E extends Error>(
  fn: () => Promise<unknown>,
  // deno-lint-ignore no-explicit-any
  ErrorClass: abstract new (...args: any[]) => E,
  msgIncludes = "",
): Promise<E> {
  let rejection: unknown;
  await rejects(fn, (error) => {
    rejection = error;
    return error instanceof ErrorClass && error.message.includes(msgIncludes);
  });
  return rejection as E;
}

/** The two numbers differ by at most the tolerance, by default 1e-7 of the expected one. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance: number = isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7,
  msg = `${actual} is not within ${tolerance} of ${expected}`,
): void {
  ok(
    Object.is(actual, expected) || Math.abs(expected - actual) <= tolerance,
    msg,
  );
}

/** The text matches the pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  match(actual, expected, msg);
}
