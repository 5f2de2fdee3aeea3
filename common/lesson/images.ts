/**
 * Makes every figure of the README that a run draws anew, by the commands that the README shows, and
 * puts the runs' numbers into it.
 *
 *     deno task images                 about an hour and a half on 2 cores without a GPU
 *     deno task images --only paper1   only what the jobs of that name make
 *     deno task images --seeds 3       each experiment with the seeds 0, 1 and 2: about three hours
 *
 * The runs stay in runs/images. A job whose run is finished there is not done again: after an
 * interruption the task continues with the others. To start over, remove runs/images.
 *
 * @module
 */
import { parseCommandLine } from "../run/command_line.ts";
import { type Command, integer, text } from "../run/flags.ts";
import { helpText } from "../run/help.ts";
import { runMain } from "../run/main.ts";
import { readBytes, readText } from "../files/reading.ts";
import { makeFolder, writeAtomically } from "../files/writing.ts";
import { inWords } from "../run/progress.ts";
import { readRecord } from "../run/record.ts";
import { UserError } from "../user_error.ts";
import { imageExperiments, pointExperiments } from "./experiments.ts";
import { type Job, JOBS, PAPER_1, PAPER_2 } from "./jobs.ts";
import { NUMBERS, type Numbers, type RunNumbers } from "./numbers.ts";

const flags = {
  only: text({
    help: "only the runs whose names begin so",
    placeholder: "NAME",
    default: "",
  }),
  seeds: integer({ help: "how many seeds the experiments are done with", default: 1, max: 100 }),
};

const command: Command<typeof flags> = {
  name: "images",
  summary: "Makes every figure of the README anew, in about an hour and a half on 2 cores.",
  flags,
  presets: {},
};

async function main(args: string[]): Promise<void> {
  const { settings: { only, seeds }, help } = parseCommandLine(command, args);
  if (help) return console.log(helpText(command));
  const chosen = JOBS.filter(({ run }) => run.startsWith(only));
  if (chosen.length === 0) {
    const names = [...new Set(JOBS.map(({ run }) => run))].join(", ");
    throw new UserError(`--only ${only}: there is no such run; there are ${names}`);
  }
  const jobs = chosen.flatMap((job) => [job, ...withOtherSeeds(job, seeds)]);
  const minutes = jobs.reduce((sum, job) => sum + job.minutes, 0);
  console.error(
    `${jobs.length} command${jobs.length === 1 ? "" : "s"}, about ${
      inWords(60 * minutes)
    } on 2 cores`,
  );
  await makeFolder("images");
  await runTask(["drawings"]);
  for (const [i, job] of jobs.entries()) await carryOut(job, `${i + 1} of ${jobs.length}`);
  await compose();
  await collectNumbers(JOBS);
  await runTask(["numbers"]);
}

/** The same experiment with the seeds 1 to seeds − 1; nothing where it is none. */
function withOtherSeeds(job: Job, seeds: number): Job[] {
  if (!job.experiment) return [];
  return Array.from({ length: seeds - 1 }, (_, i) => ({
    ...{ run: `${job.run}-seed${i + 1}`, task: [...job.task, "--seed", `${i + 1}`] },
    ...{ pictures: [], minutes: job.minutes },
  }));
}

/** Writes the results of all finished runs into images/numbers.json; those of unfinished ones stay there. */
async function collectNumbers(jobs: Job[]): Promise<void> {
  const before: Numbers = await isThere(NUMBERS) ? JSON.parse(await readText(NUMBERS)) : {};
  const numbers: Numbers = {};
  for (const { run, experiment, numbers: named } of jobs) {
    if (!experiment && !named) continue;
    const name = named?.name ?? run;
    const files = named ? [named.file] : await runsOf(run);
    const kept: RunNumbers[] = [];
    for (const file of files) {
      if (!await isThere(`runs/images/${file}`)) continue;
      const { settings, results = {}, status } = await readRecord(`runs/images/${file}`);
      if (status === undefined || status === "finished") {
        kept.push({ seed: Number(settings?.seed ?? 0), results });
      }
    }
    numbers[name] = kept.length > 0 ? kept : before[name] ?? [];
  }
  const text = JSON.stringify(numbers, null, 1) + "\n";
  await writeAtomically(NUMBERS, text);
}

/** The records of a run and of those with other seeds. */
async function runsOf(run: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir("runs/images"), ({ name }) => name);
  const seeds = names.filter((name) => new RegExp(`^${run}-seed\\d+$`).test(name)).sort();
  return [run, ...seeds].map((name) => `${name}/run.json`);
}

/** Runs a job, if it was not finished before, and takes its figures over. */
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

/** The figures that show several runs, as far as these are there. */
async function compose(): Promise<void> {
  const points = await finished([
    { name: "as it is", folder: PAPER_1 },
    { name: "cosine, T = 40", folder: "paper1-cosine" },
    { name: "cosine, T = 5", folder: "paper1-short" },
    { name: "linear", folder: "paper1-linear" },
    { name: "one tail for all t", folder: "paper1-shared" },
  ]);
  if (points) {
    await writeAtomically("images/paper1_experiments.png", await pointExperiments(points));
  }
  const changes = await finished([
    { name: "as it is", folder: PAPER_2 },
    { name: "weighted loss", folder: "paper2-weighted" },
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
