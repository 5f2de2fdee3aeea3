/**
 * The flags that say how images are drawn from a model, and which of them go together.
 *
 * @module
 */
import { UserError } from "../user_error.ts";
import { recordedValue } from "./record.ts";
import { choice, type Flag, integer, kebab, number, type Settings } from "./flags.ts";

/** Which chain leads from noise to an image, and how long it is. */
export const samplerFlags = {
  sampler: choice({
    help: "Algorithm 2, or the shorter chains of Song et al.",
    of: ["ddpm", "ddim"],
    default: "ddim",
  }),
  sampleSteps: integer({ help: "steps of a ddim chain", default: 50 }),
  eta: number({
    help: "noise in a ddim chain: 0 none, 1 as in ddpm; it mends what a young network gets wrong",
    default: 1,
    min: 0,
    max: 1,
  }),
};

/** Values of {@linkcode samplerFlags}. */
export type SamplerSettings = Settings<typeof samplerFlags>;

/** Steps of the chain that the settings ask for; T is the length of the whole one. */
export function chainLength({ sampler, sampleSteps }: SamplerSettings, T: number): number {
  return sampler === "ddpm" ? T : sampleSteps;
}

/**
 * Checks that the flags go together.
 *
 * @param T Steps of the model's whole chain.
 * @throws {UserError} A flag of DDIM's chains was given for a chain of Algorithm 2, or DDIM's chain is
 * longer than the whole one.
 */
export function checkSampler(
  settings: SamplerSettings,
  given: Partial<SamplerSettings>,
  T: number,
): void {
  for (const name of ["sampleSteps", "eta"] as const) {
    if (settings.sampler === "ddpm" && given[name] !== undefined) {
      throw new UserError(`--${kebab(name)} ${given[name]} goes with --sampler ddim, not ddpm`);
    }
  }
  if (settings.sampler === "ddim") checkSampleSteps(settings.sampleSteps, T);
}

/**
 * Refuses a chain that is too long.
 *
 * @param S Its steps.
 * @param T Steps of the model's whole chain.
 * @throws {UserError} S is larger than T.
 */
export function checkSampleSteps(S: number, T: number): void {
  if (S <= T) return;
  throw new UserError(`--sample-steps ${S}: the chain has ${T} steps; allowed are 1 to ${T}`);
}

/**
 * The sampler's settings of a run, from its record.
 *
 * @param path The run.json, for messages.
 * @param recorded Its settings.
 * @param seedFlag The flag of the seed, which decides the noise.
 * @throws {UserError} A setting has a value that is not allowed.
 */
export function recordedSampler(
  path: string,
  recorded: Record<string, unknown>,
  seedFlag: Flag<number>,
): SamplerSettings & { seed: number } {
  const settings: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries({ ...samplerFlags, seed: seedFlag })) {
    const value = Object.hasOwn(recorded, name) ? recorded[name] : undefined;
    settings[name] = value === undefined
      ? flag.default
      : recordedValue<unknown>(flag, { name, value, path });
  }
  return settings as SamplerSettings & { seed: number };
}
