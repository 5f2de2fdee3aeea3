/**
 * The flags of a training that several scripts share.
 *
 * @module
 */
import { choice, type Flag } from "./flags.ts";

/** The flag that says how the learning rate falls. */
export const decayFlag: Flag<"cosine" | "none"> = choice({
  help: "how the learning rate falls: to 0 along half a cosine, or not at all",
  of: ["cosine", "none"],
  default: "cosine",
});
