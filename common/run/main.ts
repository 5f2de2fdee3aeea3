/**
 * How a script starts and ends as a process.
 *
 * @module
 */
import { checkDenoVersion } from "./deno_version.ts";
import { UserError } from "../user_error.ts";

/**
 * Runs a script's main function and ends the process: with 0, with the code that it returns, or, for
 * a mistake that the user can mend, with one line on stderr and the error's exit code.
 */
export async function runMain(
  main: (args: string[]) => Promise<number | void>,
): Promise<never> {
  try {
    checkDenoVersion();
    Deno.exit(await main(Deno.args) ?? 0);
  } catch (error) {
    const known = explain(error);
    if (!known) {
      console.error(error); // a mistake of the program: with its stack
      Deno.exit(70);
    }
    console.error(`error: ${known.message}`);
    Deno.exit(known.exitCode);
  }
}

/** The error as one line for the user, or undefined for one that the user cannot mend. */
function explain(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error;
  if (error instanceof WebAssembly.RuntimeError && /memory/.test(error.message)) {
    const what = "WASM's memory, 4 GB in all, did not suffice; make --batch or the network smaller";
    return new UserError(what, { exitCode: 1 });
  }
  const kinds = [
    Deno.errors.NotCapable,
    Deno.errors.PermissionDenied,
    Deno.errors.NotFound,
    Deno.errors.AlreadyExists,
    Deno.errors.NotADirectory,
    Deno.errors.IsADirectory,
  ];
  const isKnown = kinds.some((kind) => error instanceof kind) ||
    (error instanceof Error && /os error/.test(error.message)); // a full disk has no class of its own
  if (!isKnown) return undefined;
  return new UserError((error as Error).message.split("\n")[0], {
    exitCode: 1,
  });
}
