/**
 * What went wrong while reading or writing a file, as one line in plain words.
 *
 * @module
 */
import { UserError } from "../user_error.ts";

/** The error of a file or folder that could not be read. */
export function readingFailed(
  path: string,
  error: unknown,
  expected: "file" | "folder" = "file",
): UserError {
  const why = missingPermission(error) ?? readingFault(error, expected) ?? systemWords(error);
  return new UserError(`cannot read ${path}: ${why}`, { cause: error });
}

/** The error of a file or folder that could not be written (exit code 1). */
export function writingFailed(path: string, error: unknown): UserError {
  const why = missingPermission(error) ?? systemWords(error);
  return new UserError(`cannot write ${path}: ${why}`, { cause: error, exitCode: 1 });
}

function readingFault(error: unknown, expected: "file" | "folder"): string | undefined {
  if (error instanceof Deno.errors.NotFound) return `there is no such ${expected}`;
  if (error instanceof Deno.errors.NotADirectory) return "it is not a folder; expected one";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder; expected a file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return `this user may not read it; change the ${expected}'s permissions`;
  }
  return undefined;
}

/** Which flag would have allowed it, where a missing permission is the reason. */
function missingPermission(error: unknown): string | undefined {
  if (!(error instanceof Deno.errors.NotCapable)) return undefined;
  const [, kind, path] = /Requires (\w+) access to "(.*?)"/.exec(error.message) ?? [];
  if (!kind) return error.message;
  return `this needs the permission --allow-${kind}=${path}; the tasks give those for runs/`;
}

/** The operating system's words: Deno's message without the call that it names before or after them. */
function systemWords(error: unknown): string {
  const [message] = (error instanceof Error ? error.message : String(error)).split("\n");
  const [words] = message.split(/ \(os error \d+\)/);
  return words.replace(/^.*?: (?=\w)/, "");
}
