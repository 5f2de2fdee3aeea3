/**
 * The commands whose runs the README shows.
 *
 * @module
 */

/** A command, and the figures that it leaves in its folder. */
export interface Job {
  /** The folder in runs/images; with another seed than 0, `-seed1` and so on follow. */
  run: string;
  /** `deno task …` without the folder. */
  task: string[];
  /** Whether a table of experiments shows it; it may be done with several seeds. */
  experiment?: true;
  /** Whether it needs the finished run, and does not train one. */
  resumes?: true;
  /** The folder in runs/images for what it draws, where that is none of the run's. */
  drawsInto?: string;
  /** Figures to take over into images/. */
  pictures: string[];
  /** What its numbers are called, and the file that has them; for an experiment, the run's own. */
  numbers?: { name: string; file: string };
  /** About how long it takes on 2 cores. */
  minutes: number;
}

/** The run of paper 1 that the others are compared with. */
export const PAPER_1 = "paper1";
/** The run of paper 2 that the others are compared with. */
export const PAPER_2 = "paper2";
const PAPER_3 = "paper3";
const PAPER_4 = "paper4";

/** In the order in which each finds the runs that it needs. */
export const JOBS: Job[] = [
  {
    run: PAPER_1,
    experiment: true,
    task: ["paper1"],
    pictures: ["paper1_diffusion.png", "paper1_loss.png", "paper1_field.png"],
    minutes: 0.3,
  },
  { run: PAPER_1, task: ["animate"], resumes: true, pictures: ["paper1_chain.gif"], minutes: 0.1 },
  {
    run: "paper1-cosine",
    experiment: true,
    task: ["paper1", "--schedule", "cosine"],
    pictures: [],
    minutes: 0.3,
  },
  {
    run: "paper1-short",
    experiment: true,
    task: ["paper1", "--schedule", "cosine", "--timesteps", "5"],
    pictures: [],
    minutes: 0.1,
  },
  {
    run: "paper1-linear",
    experiment: true,
    task: ["paper1", "--schedule", "linear"],
    pictures: [],
    minutes: 0.3,
  },
  {
    run: "paper1-shared",
    experiment: true,
    task: ["paper1", "--tails", "shared"],
    pictures: [],
    minutes: 0.3,
  },
  {
    run: PAPER_2,
    experiment: true,
    task: ["paper2"],
    pictures: ["paper2_samples.png", "paper2_chain.png", "paper2_loss.png", "nearest.png"],
    minutes: 9.5,
  },
  {
    run: PAPER_2,
    task: ["paper2", "--compare-samplers", "--samples", "256"],
    resumes: true,
    drawsInto: "paper2-samplers",
    pictures: ["paper2_samplers.png"],
    numbers: { name: "paper2-samplers", file: "paper2-samplers/run.json" },
    minutes: 7,
  },
  {
    run: PAPER_2,
    task: ["paper2", "--likelihood"],
    resumes: true,
    drawsInto: "paper2-likelihood",
    pictures: ["paper2_likelihood.png"],
    minutes: 1.5,
  },
  {
    run: PAPER_2,
    task: ["paper5"],
    resumes: true,
    drawsInto: "paper5",
    pictures: ["paper5_invention.png", "paper5_plane.png"],
    minutes: 1.2,
  },
  {
    run: PAPER_2,
    task: ["inpaint"],
    resumes: true,
    pictures: ["paper2_inpainting.png"],
    numbers: { name: "paper2-inpainting", file: "paper2/inpainting.json" },
    minutes: 0.9,
  },
  { run: PAPER_2, task: ["animate"], resumes: true, pictures: ["paper2_chain.gif"], minutes: 0.2 },
  {
    run: PAPER_2,
    task: ["animate", "--interpolate"],
    resumes: true,
    pictures: ["paper2_interpolation.gif"],
    minutes: 0.4,
  },
  {
    run: PAPER_3,
    task: ["paper3"],
    pictures: ["paper3_samples.png", "paper3_guidance.png", "paper3_tradeoff.png"],
    minutes: 12,
  },
  {
    run: PAPER_3,
    task: ["paper3", "--draw", "2026"],
    resumes: true,
    drawsInto: "paper3-draw",
    pictures: ["paper3_draw.png"],
    minutes: 0.1,
  },
  {
    run: PAPER_3,
    task: ["animate", "--labels"],
    resumes: true,
    pictures: ["paper3_labels.gif"],
    minutes: 0.3,
  },
  {
    run: PAPER_3,
    task: ["animate", "--label", "7"],
    resumes: true,
    pictures: ["paper3_strength.gif"],
    minutes: 0.8,
  },
  {
    run: PAPER_4,
    task: ["paper4", "--beside", `runs/images/${PAPER_1}`],
    pictures: ["paper4_paths.png", "paper4_samples.png", "paper4_steps.png", "paper4_field.png"],
    minutes: 1,
  },
  { run: PAPER_4, task: ["animate"], resumes: true, pictures: ["paper4_flow.gif"], minutes: 0.2 },
  {
    run: "paper4-digits",
    task: [
      ...["paper4", "--data", "mnist", "--preset", "reflow"],
      ...["--compare", `runs/images/${PAPER_2}`],
    ],
    pictures: ["paper4_evaluations.png", "paper4_few_steps.png", "paper4_chain.png"],
    minutes: 22,
  },
  {
    run: "paper2-weighted",
    experiment: true,
    task: ["paper2", "--snr-gamma", "1", "--learning-rate", "4e-3"],
    pictures: [],
    minutes: 8,
  },
  {
    run: "paper2-linear",
    experiment: true,
    task: ["paper2", "--schedule", "linear"],
    pictures: [],
    minutes: 8,
  },
  {
    run: "paper2-convolutions",
    experiment: true,
    task: ["paper2", "--attention-levels", "none"],
    pictures: [],
    minutes: 7,
  },
  {
    run: "paper2-short",
    experiment: true,
    task: ["paper2", "--decay", "none", "--steps", "1500"],
    pictures: [],
    minutes: 3,
  },
  {
    run: "paper2-raw",
    experiment: true,
    task: ["paper2", "--decay", "none", "--steps", "1500", "--ema-decay", "0"],
    pictures: [],
    minutes: 3,
  },
];
