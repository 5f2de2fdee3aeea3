import { assertMatch, assertThrows } from "@std/assert";
import { checkDenoVersion, LEAST_DENO } from "../common/run/deno_version.ts";
import { UserError } from "../common/user_error.ts";

Deno.test("an older Deno is told which one is needed, a later one is let pass", () => {
  for (const version of [LEAST_DENO, "2.7.20", "2.10.0", "3.0.0-rc.1", Deno.version.deno]) {
    checkDenoVersion(version);
  }
  for (const version of ["2.7.11", "2.6.99", "1.46.3", "2.7.1+abc"]) {
    const { message } = assertThrows(() => checkDenoVersion(version), UserError);
    assertMatch(message, new RegExp(`this is Deno .*; at least ${LEAST_DENO} is needed`));
  }
});
