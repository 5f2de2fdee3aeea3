/**
 * Makes every picture of the README anew, by the commands that the README shows.
 *
 *     deno task images                 about an hour and a half on 2 cores without a GPU
 *     deno task images --only paper1   only what the jobs of that name make
 *
 * The runs stay in runs/images. A job whose run is finished there is not done again: after an
 * interruption the task continues with the others. To start over, remove runs/images.
 *
 * @module
 */
import { parseCommandLine } from "../run/command_line.ts";
import { type Command, text } from "../run/flags.ts";
import { helpText } from "../run/help.ts";
import { runMain } from "../run/main.ts";
import { readBytes } from "../files/reading.ts";
import { makeFolder, writeAtomically } from "../files/writing.ts";
import { inWords } from "../run/progress.ts";
import { readRecord } from "../run/record.ts";
import { UserError } from "../user_error.ts";
import { imageExperiments, pointExperiments } from "./experiments.ts";

/** A command, and the pictures that it leaves in its folder. */
interface Job {
  /** The folder in runs/images. */
  run: string;
  /** `deno task …` without the folder. */
  task: string[];
  /** Whether it takes up the finished run, and does not train one. */
  resumes?: true;
  /** The folder in runs/images for what it draws, where that is none of the run's. */
  drawsInto?: string;
  /** Pictures to take over into images/. */
  pictures: string[];
  /** About how long it takes on 2 cores. */
  minutes: number;
}

const PAPER_1 = "paper1";
const PAPER_2 = "paper2";
const PAPER_3 = "paper3";
const PAPER_4 = "paper4";

const JOBS: Job[] = [
  {
    run: PAPER_1,
    task: ["paper1"],
    pictures: ["paper1_diffusion.png", "paper1_loss.png", "paper1_field.png"],
    minutes: 0.3,
  },
  { run: PAPER_1, task: ["animate"], resumes: true, pictures: ["paper1_chain.gif"], minutes: 0.1 },
  { run: "paper1-short", task: ["paper1", "--timesteps", "5"], pictures: [], minutes: 0.1 },
  { run: "paper1-linear", task: ["paper1", "--schedule", "linear"], pictures: [], minutes: 0.3 },
  { run: "paper1-shared", task: ["paper1", "--tails", "shared"], pictures: [], minutes: 0.3 },
  {
    run: PAPER_2,
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
    run: "paper2-attention",
    task: ["paper2", "--attention-levels", "none"],
    pictures: [],
    minutes: 9,
  },
  { run: "paper2-linear", task: ["paper2", "--schedule", "linear"], pictures: [], minutes: 9.5 },
  {
    run: "paper2-short",
    task: ["paper2", "--decay", "none", "--steps", "1500"],
    pictures: [],
    minutes: 4,
  },
  {
    run: "paper2-raw",
    task: ["paper2", "--decay", "none", "--steps", "1500", "--ema-decay", "0"],
    pictures: [],
    minutes: 4,
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
];

const flags = {
  only: text({
    help: "only the runs whose names begin so",
    placeholder: "NAME",
    default: "",
  }),
};

const command: Command<typeof flags> = {
  name: "images",
  summary: "Makes every picture of the README anew, in about an hour and a half on 2 cores.",
  flags,
  presets: {},
};

async function main(args: string[]): Promise<void> {
  const { settings: { only }, help } = parseCommandLine(command, args);
  if (help) return console.log(helpText(command));
  const jobs = JOBS.filter(({ run }) => run.startsWith(only));
  if (jobs.length === 0) {
    const names = [...new Set(JOBS.map(({ run }) => run))].join(", ");
    throw new UserError(`--only ${only}: there is no such run; there are ${names}`);
  }
  const minutes = jobs.reduce((sum, job) => sum + job.minutes, 0);
  console.error(`${jobs.length} commands, about ${inWords(60 * minutes)} on 2 cores`);
  await makeFolder("images");
  await runTask(["drawings"]);
  for (const [i, job] of jobs.entries()) await carryOut(job, `${i + 1} of ${jobs.length}`);
  await compose();
}

/** Runs a job, if it was not finished before, and takes its pictures over. */
async function carryOut(
  { run, task, resumes, drawsInto, pictures, minutes }: Job,
  which: string,
): Promise<void> {
  const model = `runs/images/${run}`;
  const folder = drawsInto ? `runs/images/${drawsInto}` : model;
  const isDone = resumes
    ? (await Promise.all(pictures.map((name) => isThere(`${folder}/${name}`)))).every(Boolean)
    : await isFinished(folder);
  if (isDone) {
    console.error(`${which}: ${folder} has ${resumes ? pictures.join(", ") : "a finished run"}`);
  } else {
    const interrupted = !resumes && await isThere(`${folder}/run.json`);
    const own = drawsInto ? ["--out", folder] : [];
    if (drawsInto) await Deno.remove(folder, { recursive: true }).catch(() => {}); // broken off
    const where = resumes || interrupted ? ["--resume", model, ...own] : ["--out", folder];
    const typed = interrupted ? [task[0], ...where] : [...task, ...where];
    console.error(`${which}: deno task ${typed.join(" ")}   (about ${inWords(60 * minutes)})`);
    await runTask(typed);
  }
  for (const name of pictures) {
    await writeAtomically(`images/${name}`, await readBytes(`${folder}/${name}`));
  }
}

/** Runs `deno task …`, showing its numbers; its errors when it fails. */
async function runTask(typed: string[]): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), { args: ["task", ...typed] });
  const { code, stdout, stderr } = await command.output();
  Deno.stdout.writeSync(stdout);
  if (code === 0) return;
  Deno.stderr.writeSync(stderr);
  throw new UserError(`deno task ${typed.join(" ")} failed`, { exitCode: 1 });
}

/** The pictures that show several runs, as far as these are there. */
async function compose(): Promise<void> {
  const points = await finished([
    { name: "T = 40", folder: PAPER_1 },
    { name: "T = 5", folder: "paper1-short" },
    { name: "linear schedule", folder: "paper1-linear" },
    { name: "one tail for all t", folder: "paper1-shared" },
  ]);
  if (points) {
    await writeAtomically("images/paper1_experiments.png", await pointExperiments(points));
  }
  const changes = await finished([
    { name: "as it is", folder: PAPER_2 },
    { name: "no attention", folder: "paper2-attention" },
    { name: "linear schedule", folder: "paper2-linear" },
  ]);
  if (changes) {
    await writeAtomically("images/paper2_experiments.png", await imageExperiments(changes));
  }
  const averages = await finished([
    { name: "averaged weights", folder: "paper2-short" },
    { name: "last weights", folder: "paper2-raw" },
  ]);
  if (averages) {
    await writeAtomically("images/paper2_ema.png", await imageExperiments(averages));
  }
}

/** The runs with their whole paths, if all of them are finished. */
async function finished(runs: { name: string; folder: string }[]) {
  const whole = runs.map(({ name, folder }) => ({ name, folder: `runs/images/${folder}` }));
  const done = await Promise.all(whole.map(({ folder }) => isFinished(folder)));
  return done.every(Boolean) ? whole : undefined;
}

async function isFinished(folder: string): Promise<boolean> {
  if (!await isThere(`${folder}/run.json`)) return false;
  return (await readRecord(`${folder}/run.json`)).status === "finished";
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

if (import.meta.main) await runMain(main);
