/**
 * A mistake that the user can mend: shown as one line, without a stack trace.
 *
 * @module
 */

/** An error whose message says what was given, what is allowed, and what to do. */
export class UserError extends Error {
  /** As it is shown: "UserError". */
  override name = "UserError";
  /** 2 for a wrong setting or a bad file, 1 when reading or writing failed. */
  readonly exitCode: 1 | 2;

  /** The message is one line; `exitCode` is 2 by default. */
  constructor(message: string, options: ErrorOptions & { exitCode?: 1 | 2 } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 2;
  }
}
