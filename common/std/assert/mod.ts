/**
 * The assertions of the standard library's `assert` package that this project's tests use, with the
 * same signatures, over `node:assert`.
 *
 * @module
 */
import * as node from "node:assert";

/** What a failed assertion throws. */
export const AssertionError: typeof node.AssertionError = node.AssertionError;

/** A class of errors, abstract or not. */
// deno-lint-ignore no-explicit-any
export type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** `value` is truthy. */
export function assert(value: unknown, message?: string): asserts value {
  node.ok(value, message!);
}

/** Always fails. */
export function fail(message?: string): never {
  node.fail(message);
}

/** Both have the same structure and values. NaN equals NaN, and 0 equals −0. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  node.deepStrictEqual(withoutNegativeZero(actual), withoutNegativeZero(expected), message!);
}

/** The opposite of {@linkcode assertEquals}. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  node.notDeepStrictEqual(withoutNegativeZero(actual), withoutNegativeZero(expected), message!);
}

/** The numbers differ by at most `tolerance`. Default: 10⁻⁷ of the expected one. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance: number = Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7,
  message = `${actual} is not within ${tolerance} of ${expected}`,
): void {
  if (Object.is(actual, expected)) return;
  node.ok(Math.abs(expected - actual) <= tolerance, message!);
}

/** `actual` > `expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  node.ok(actual > expected, message ?? `${actual} is not greater than ${expected}`);
}

/** `actual` < `expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  node.ok(actual < expected, message ?? `${actual} is not less than ${expected}`);
}

/** The text matches the expression. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  node.match(actual, expected, message!);
}

/** The text contains the other. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  node.ok(actual.includes(expected), message ?? `'${actual}' does not contain '${expected}'`);
}

/** `fn` throws an error of the class whose message contains the text; it is returned. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  expected?: ErrorClass<E>,
  messageIncludes?: string,
  message?: string,
): E {
  try {
    fn();
  } catch (error) {
    return checked(error, expected, messageIncludes, message!);
  }
  node.fail(message ?? "expected the function to throw");
}

/** The promise of `fn` is rejected with an error of the class whose message contains the text. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  expected?: ErrorClass<E>,
  messageIncludes?: string,
  message?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checked(error, expected, messageIncludes, message!);
  }
  node.fail(message ?? "expected the promise to be rejected");
}

function checked<E extends Error>(
  error: unknown,
  expected: ErrorClass<E> | undefined,
  messageIncludes = "",
  message?: string,
): E {
  node.ok(error instanceof (expected ?? Error), message ?? `an unexpected error: ${error}`);
  const found = (error as Error).message;
  node.ok(
    found.includes(messageIncludes),
    message ?? `the error's message is '${found}'; it should contain '${messageIncludes}'`,
  );
  return error as E;
}

/** The value with every −0 as 0: node:assert tells them apart. */
function withoutNegativeZero<T>(value: T): T {
  if (value === 0) return 0 as T;
  if (Array.isArray(value)) return value.map(withoutNegativeZero) as T;
  if (value instanceof Float32Array || value instanceof Float64Array) {
    return value.map((x) => x === 0 ? 0 : x) as T;
  }
  if (typeof value === "object" && value !== null && value.constructor === Object) {
    const entries = Object.entries(value).map(([key, x]) => [key, withoutNegativeZero(x)]);
    return Object.fromEntries(entries) as T;
  }
  return value;
}
