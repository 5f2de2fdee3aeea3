/**
 * The settings of paper 4.
 *
 * @module
 */
import { type DatasetName, DATASETS } from "../data/images/load.ts";
import { flowBytes, type MemorySetting } from "../network/memory.ts";
import { datasetFlags } from "./dataset.ts";
import { choice, type Command, type Flag, integer, number, type Settings, text } from "./flags.ts";
import { modelFlags } from "./model_settings.ts";
import { pointDataFlag } from "./point_settings.ts";
import { readRecord } from "./record.ts";
import { commonFlags } from "./settings.ts";
import { decayFlag, minutesFlag } from "./training_flags.ts";

/** The help of `--steps`. */
const STEPS = "training steps: half for the first flow, the rest for its reflows";

/** The flags that flows of points and of images have in common. */
function flowFlags(
  defaults: { reflows: number; pairs: number; pairSteps: number; sampleSteps: number },
) {
  return {
    reflows: integer({
      help: "how often a flow is trained once more, on pairs of its own",
      default: defaults.reflows,
      min: 0,
      max: 5,
    }),
    sigmaMin: number({
      help: "σ_min, the width that a data point has at t = 1",
      default: 0,
      min: 0,
      max: 0.5,
    }),
    pairs: integer({
      help: "pairs of noise and sample that a reflow learns from",
      default: defaults.pairs,
      max: 1_000_000,
    }),
    pairSteps: integer({
      help: "Heun steps from one to the other",
      default: defaults.pairSteps,
      max: 1000,
    }),
    sampleSteps: integer({
      help: "steps of euler and heun",
      default: defaults.sampleSteps,
      max: 10_000,
    }),
  };
}

const flags = {
  preset: choice({ help: "which defaults", of: ["quick", "paper"], default: "quick" }),
  data: {
    ...pointDataFlag,
    help: `${pointDataFlag.help}; or images: mnist, …, whose flags --data mnist --help lists`,
    allowed: `${pointDataFlag.allowed}; for images ${DATASETS.join(", ")}`,
  },
  steps: integer({ help: STEPS, default: 3000 }),
  batch: integer({ help: "points of a step", default: 1024, max: 1_000_000 }),
  learningRate: number({
    help: "Adam's α at the start of each flow",
    default: 5e-3,
    above: 0,
    max: 1,
  }),
  decay: decayFlag,
  hidden: integer({ help: "H, the network's width", default: 96, max: 4096 }),
  ...flowFlags({ reflows: 2, pairs: 20_000, pairSteps: 16, sampleSteps: 40 }),
  solver: choice({
    help: "how the flow is followed for samples.csv",
    of: ["euler", "heun", "dormand-prince"],
    default: "dormand-prince",
  }),
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

/** What is taken over from paper 2, so that both train alike. */
export interface Paper2Command {
  /** Its flags, these among them. */
  flags:
    & Record<
      "steps" | "batch" | "learningRate" | "warmUp" | "emaDecay" | "samples" | "classifierSteps",
      Flag<number>
    >
    & { exportData: Flag<string | undefined> };
  /** Its presets. */
  presets: Record<string, object>;
}

const { timesteps: _T, schedule: _schedule, ...unetFlags } = modelFlags;

function imageFlags({ flags, presets }: Paper2Command) {
  const { steps, batch, learningRate, warmUp, emaDecay, samples, classifierSteps, exportData } =
    flags;
  return {
    preset: choice({
      help: "a set of settings, those of paper2, or quick with a reflow; standard is for a GPU",
      of: [...Object.keys(presets), "reflow"],
      default: "quick",
    }),
    data: choice({ help: "what to learn from", of: DATASETS, default: "mnist" }),
    dataDir: datasetFlags.dataDir,
    download: datasetFlags.download,
    ...unetFlags,
    steps: { ...steps, help: STEPS },
    minutes: minutesFlag,
    batch,
    learningRate: { ...learningRate, default: 4e-3 }, // tried for flows, see docs/paper_4.md
    warmUp,
    decay: decayFlag,
    emaDecay,
    ...flowFlags({ reflows: 0, pairs: 5120, pairSteps: 8, sampleSteps: 25 }),
    solver: choice({
      help: "how the flow is followed for samples.safetensors",
      of: ["euler", "heun"],
      default: "heun",
    }),
    samples,
    classifierSteps,
    compare: text({
      help: "the folder of a paper2 run on the same images, to compare with",
      placeholder: "DIR",
      default: undefined,
    }),
    exportData,
    ...commonFlags,
  };
}
/** The flags on images. */
export type ImageFlowFlags = ReturnType<typeof imageFlags>;
/** The settings of a run on images. */
export type ImageFlowSettings = Settings<ImageFlowFlags>;

/** The command line of paper 4 on images; what decides how the network is trained is paper 2's. */
export function imageFlowCommand(
  paper2: Paper2Command,
): Command<ImageFlowFlags> {
  const flags = imageFlags(paper2);
  const own = (preset: object) =>
    Object.fromEntries(Object.entries(preset).filter(([name]) => name in flags));
  return {
    name: "paper4",
    summary: "Paper 4, Lipman et al. 2023 and Liu et al. 2023: flow matching of images.",
    flags,
    presets: {
      ...Object.fromEntries(
        Object.entries(paper2.presets).map(([name, preset]) => [name, own(preset)]),
      ),
      /** Both flows are trained as long as paper 2's network. */
      reflow: { reflows: 1, steps: 2 * flags.steps.default },
    },
    mayChangeOnResume: [
      ...["solver", "sampleSteps", "samples", "classifierSteps", "compare"],
      ...["dataDir", "download", "exportData"],
    ],
  };
}

/** Whether the arguments are for images: by `--data`, or by the run that they go on with or repeat. */
export async function isOfImages(args: string[]): Promise<boolean> {
  const valueOf = (name: string) => {
    const at = args.findLastIndex((argument) => argument.split("=")[0] === name);
    return args[at]?.includes("=") ? args[at].split(/=(.*)/s)[1] : args[at + 1];
  };
  const given = (name: string) => args.some((argument) => argument.split("=")[0] === name);
  const isName = (name: unknown) => DATASETS.includes(name as DatasetName);
  for (const [flag, path] of [["--resume", "/run.json"], ["--from", ""]]) {
    if (!given(flag)) continue;
    const record = await readRecord(valueOf(flag) + path).catch(() => undefined);
    if (record) return isName(record.settings?.data);
  }
  return given("--data") && isName(valueOf("--data"));
}
