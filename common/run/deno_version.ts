/**
 * Which Deno the project needs.
 *
 * @module
 */
import { UserError } from "../user_error.ts";

/** The oldest that works, found by trying: those before it have no file locks, or fail with WebGPU. */
export const LEAST_DENO = "2.7.12";

/**
 * Refuses a Deno that is too old, before it fails over something that it lacks.
 *
 * @param version Default: that of this process.
 * @throws {UserError} Says which is needed.
 */
export function checkDenoVersion(version: string = Deno.version.deno): void {
  if (isAtLeast(version, LEAST_DENO)) return;
  throw new UserError(
    `this is Deno ${version}; at least ${LEAST_DENO} is needed: deno upgrade, or as in the README ` +
      "npx -y deno@2.9.6 in the place of deno",
    { exitCode: 1 },
  );
}

/** Whether a version is `least` or later. */
function isAtLeast(version: string, least: string): boolean {
  const [have, need] = [version, least].map((text) => text.split(/[.+-]/).slice(0, 3).map(Number));
  const at = need.findIndex((part, i) => have[i] !== part);
  return at < 0 || have[at] > need[at];
}
