/**
 * The settings of paper 4.
 *
 * @module
 */
import { flowBytes, type MemorySetting } from "../network/memory.ts";
import { choice, type Command, integer, number, type Settings, text } from "./flags.ts";
import { pointDataFlag } from "./point_settings.ts";
import { commonFlags } from "./settings.ts";
import { decayFlag } from "./training_flags.ts";

const flags = {
  preset: choice({ help: "which defaults", of: ["quick", "paper"], default: "quick" }),
  data: pointDataFlag,
  steps: integer({
    help: "training steps: half for the first flow, the rest for its reflows",
    default: 3000,
  }),
  reflows: integer({
    help: "how often a flow is trained once more, on pairs of its own",
    default: 2,
    min: 0,
    max: 5,
  }),
  batch: integer({ help: "points of a step", default: 1024, max: 1_000_000 }),
  learningRate: number({
    help: "Adam's α at the start of each flow",
    default: 5e-3,
    above: 0,
    max: 1,
  }),
  decay: decayFlag,
  hidden: integer({ help: "H, the network's width", default: 96, max: 4096 }),
  sigmaMin: number({
    help: "σ_min, the width that a data point has at t = 1",
    default: 0,
    min: 0,
    max: 0.5,
  }),
  pairs: integer({
    help: "pairs of noise and sample that a reflow learns from",
    default: 20_000,
    max: 1_000_000,
  }),
  pairSteps: integer({ help: "Heun steps from one to the other", default: 16, max: 1000 }),
  solver: choice({
    help: "how the flow is followed for samples.csv",
    of: ["euler", "heun", "dormand-prince"],
    default: "dormand-prince",
  }),
  sampleSteps: integer({ help: "steps of euler and heun", default: 40, max: 10_000 }),
  tolerance: number({
    help: "the error that a step of dormand-prince may have",
    default: 1e-3,
    min: 1e-6,
    max: 1,
  }),
  beside: text({
    help: "the folder of a paper1 run on the same data, to compare with",
    placeholder: "DIR",
    default: undefined,
  }),
  ...commonFlags,
};
/** The settings of a run. */
export type FlowSettings = Settings<typeof flags>;

/** The command line of paper 4. */
export const paper4: Command<typeof flags> = {
  name: "paper4",
  summary: "Paper 4, Lipman et al. 2023 and Liu et al. 2023: flow matching of points in the plane.",
  flags,
  presets: {
    quick: {},
    // a long training at one rate, as Liu et al.'s on points
    paper: {
      ...{ steps: 30_000, hidden: 128, batch: 2048, learningRate: 1e-3, decay: "none" },
      ...{ pairs: 100_000, pairSteps: 50 },
    },
  },
  mayChangeOnResume: ["solver", "sampleSteps", "tolerance", "beside"],
};

/** What decides how much memory a run takes; see {@linkcode refuseTooLarge}. */
export function flowMemory(settings: FlowSettings): MemorySetting[] {
  return (["batch", "hidden"] as const).map((name) => ({
    name,
    value: settings[name],
    bytes: (value) => flowBytes({ ...settings, [name]: value }),
  }));
}
