/**
 * A mistake that the user can mend: shown as one line, without a stack trace.
 *
 * @module
 */

/** Characters of a message: a file may give a name of megabytes. */
const LONGEST_MESSAGE = 1000;

/**
 * An error whose message says what was given, what is allowed, and what to do.
 *
 * @example What was given, and what is allowed
 * ```ts
 * import { UserError } from "./user_error.ts";
 * import { assertThrows } from "@std/assert";
 *
 * function checkBatch(batch: number): void {
 *   if (batch >= 1) return;
 *   throw new UserError(`--batch ${batch}; allowed are whole numbers from 1`);
 * }
 * assertThrows(() => checkBatch(0), UserError, "--batch 0");
 * ```
 */
export class UserError extends Error {
  /** As it is shown: "UserError". */
  override name = "UserError";
  /** 2 for a wrong setting or a bad file, 1 when reading or writing failed. */
  readonly exitCode: 1 | 2;

  /** The message is one line. Default of `exitCode`: 2. */
  constructor(message: string, options: ErrorOptions & { exitCode?: 1 | 2 } = {}) {
    super(oneLine(message), options);
    this.exitCode = options.exitCode ?? 2;
  }
}

/** A text that may hold words out of a file: in one line, without control characters, not too long. */
export function oneLine(text: string, longest = LONGEST_MESSAGE): string {
  const cut = text.length <= longest ? text : `${text.slice(0, longest)}…`;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}
