/**
 * The settings of paper 1.
 *
 * @module
 */
import { SHAPES } from "../data/points/point_data.ts";
import { type MemorySetting, pointBytes } from "../network/memory.ts";
import { cosineSchedule, linearSchedule, type Schedule, sigmoidSchedule } from "../schedule.ts";
import { choice, type Command, type Flag, integer, number, type Settings, text } from "./flags.ts";
import { commonFlags } from "./settings.ts";
import { decayFlag, minutesFlag } from "./training_flags.ts";

/** The flag that names the points: a shape that comes with the program, or a file. */
export const pointDataFlag: Flag<string> = text({
  help: "swiss-roll, moons, circles, or a CSV file with two numeric columns",
  placeholder: "NAME|FILE.csv",
  default: "swiss-roll",
  allowed: "swiss-roll, moons, circles, or the name of a .csv file",
  accepts: (name) => SHAPES.some((shape) => shape === name) || /\.csv$/i.test(name),
});

/** The flags that decide what is learned, and by which network. */
const pointModelFlags = {
  hidden: integer({ help: "H, the network's width", default: 96, max: 4096 }),
  timesteps: integer({ help: "T, the steps of the chain", default: 40, min: 2, max: 1000 }),
  times: choice({
    help: "the t that one training step looks at",
    of: ["all", "one"],
    default: "all",
  }),
  schedule: choice({
    help: "how the noise grows with t; linear is Ho et al.'s, meant for T = 1000",
    of: ["sigmoid", "linear", "cosine"],
    default: "sigmoid",
  }),
  tails: choice({
    help: "a last part of the network for each t, or one that does not know t",
    of: ["each", "shared"],
    default: "each",
  }),
  parametrization: choice({
    help: "what the network's outputs are: a change, or mean and log-variance themselves",
    of: ["residual", "direct"],
    default: "residual",
  }),
};

const flags = {
  preset: choice({ help: "which defaults", of: ["quick", "paper"], default: "quick" }),
  data: pointDataFlag,
  steps: integer({ help: "training steps", default: 1200 }),
  minutes: minutesFlag,
  batch: integer({ help: "points for each t of a step", default: 128, max: 1_000_000 }),
  learningRate: number({ help: "Adam's α at the start", default: 5e-3, above: 0, max: 1 }),
  decay: decayFlag,
  ...pointModelFlags,
  ...commonFlags,
};
/** The settings of a run. */
export type PointSettings = Settings<typeof flags>;

/** The command line of paper 1. */
export const paper1: Command<typeof flags> = {
  name: "paper1",
  summary: "Paper 1, Sohl-Dickstein et al. 2015: a diffusion model of points in the plane.",
  flags,
  presets: {
    quick: {},
    // the settings of the original script: a random t a step, a very large batch
    paper: {
      ...{ steps: 5000, hidden: 128, batch: 64_000, learningRate: 1e-2, decay: "none" },
      ...{ times: "one", parametrization: "direct" },
    },
  },
};

/** What decides how much memory a run takes; see {@linkcode refuseTooLarge}. */
export function pointMemory(settings: PointSettings): MemorySetting[] {
  return (["batch", "hidden", "timesteps"] as const).map((name) => ({
    name,
    value: settings[name],
    bytes: (value) => {
      const { batch, ...shape } = { ...settings, [name]: value };
      return pointBytes(shape, batch);
    },
  }));
}

const SCHEDULES = { sigmoid: sigmoidSchedule, linear: linearSchedule, cosine: cosineSchedule };

/** The schedule that the settings ask for. */
export function pointSchedule({ schedule, timesteps }: PointSettings): Schedule {
  return SCHEDULES[schedule](timesteps);
}
