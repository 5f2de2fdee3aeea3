/**
 * The Python of the tests with PyTorch.
 *
 * @module
 */
import { mayRunCommands } from "./commands.ts";

/** A Python that has PyTorch, e.g. Debian's with python3-torch. */
export async function findPython(): Promise<string | undefined> {
  if (!mayRunCommands) return undefined;
  for (const name of ["python3", "/usr/bin/python3"]) {
    try {
      const args = ["-c", "import torch"];
      const { success } = await new Deno.Command(name, { args, stderr: "null" }).output();
      if (success) return name;
    } catch {
      // not installed
    }
  }
}
