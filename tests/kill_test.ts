// A process that is killed at any moment, again and again, loses nothing but the steps since its last
// checkpoint: the run ends with the bytes of one that nobody disturbed.
import { assert, assertEquals } from "@std/assert";
import { uniform } from "../common/random.ts";
import {
  assertRefused,
  errorLines,
  inTemporaryFolder,
  mayRunCommands,
  runScript,
  scriptCommand,
} from "./commands.ts";

const KILLS = 20;
/** Decides the moments; another number tries others. */
const SEED = Number(mayRunCommands && Deno.env.get("KILL_SEED") || 0);

interface Paper {
  script: string;
  flags: string[];
  steps: number;
  /** What must be the same in the end. */
  files: string[];
}

const PAPERS: Record<string, Paper> = {
  paper1: {
    script: "paper_1_partb.ts",
    flags: ["--hidden", "8", "--timesteps", "8", "--batch", "16"],
    steps: 600,
    files: [
      ...["model.safetensors", "loss.csv", "samples.csv", "figures.safetensors"],
      ...["paper1_diffusion.png", "paper1_loss.png", "paper1_field.png"],
      "state.safetensors",
    ],
  },
  paper2: {
    script: "paper_2.ts",
    flags: [
      ...["--size", "8", "--channels", "8", "--groups", "2", "--channel-mults", "1"],
      ...["--attention-levels", "none", "--batch", "2", "--timesteps", "30", "--dropout", "0.1"],
      ...["--samples", "1", "--sample-steps", "4"],
    ],
    steps: 200,
    files: [
      ...["model.safetensors", "loss.csv", "samples.safetensors", "figures.safetensors"],
      ...["paper2_samples.png", "paper2_chain.png", "paper2_loss.png"],
      "state.safetensors",
    ],
  },
};

/** So many milliseconds after something has happened. */
interface Moment {
  event: "the start" | "the record" | "the first checkpoint" | "the last step";
  after: number;
}

/**
 * The moment of the next kill: first at any time, start included; then among the checkpoints, which
 * are written after every step; at last among the figures and the files of the end.
 */
function momentOf(kills: number, random: number): Moment {
  if (kills < 5) return { event: "the start", after: 1500 * random };
  if (kills < 15) return { event: "the first checkpoint", after: 300 * random };
  return { event: "the last step", after: 700 * random };
}

for (const [name, paper] of Object.entries(PAPERS)) {
  Deno.test({
    name: `${name}, killed ${KILLS} times, ends with the bytes of a run that was not`,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        const { script, files, steps } = paper;
        const flags = [...paper.flags, "--backend", "wasm", "--steps", `${steps}`];
        const calm = await runScript(script, [...flags, "--out", "runs/calm"], folder);
        assertEquals(calm.code, 0, calm.stderr);

        const life = new Life(paper, folder);
        // with a checkpoint every 30 s this ends before the first one
        await life.endAt({ event: "the record", after: 200 }, [...flags, "--out", "runs/killed"]);
        assertEquals(await life.stepsDone(), 0);

        let reached = 0;
        for (let kills = 0, tries = 0; kills < KILLS; tries++) {
          const [random] = uniform({ seed: SEED, stream: `kill ${name}`, step: tries }, 1);
          const moment = momentOf(kills, random);
          const context = `seed ${SEED}, kill ${kills + 1}, ${moment.after.toFixed()} ms after ` +
            moment.event;
          assert(tries < 3 * KILLS, `${context}: the process ends by itself too often`);
          const { code, stderr } = await life.endAt(moment, await life.nextCommand(flags));
          assert(code === KILLED || code === 0, `${context}: ${stderr}`);
          if (code === KILLED) kills++;
          const left = await life.stepsDone();
          assert(left >= reached, `${context}: ${left} steps are left of ${reached}`);
          reached = left;
        }
        assertEquals(reached, steps);
        const end = await runScript(script, await life.nextCommand(flags), folder);
        assertEquals(end.code, 0, end.stderr);
        assertEquals(errorLines(end.stderr), []);
        for (const file of files) {
          const [a, b] = await Promise.all(
            ["calm", "killed"].map((run) => Deno.readFile(`${folder}/runs/${run}/${file}`)),
          );
          assert(equalBytes(a, b), `${file} differs (seed ${SEED})`);
        }
        const left = await Array.fromAsync(Deno.readDir(`${folder}/runs/killed`));
        assertEquals(left.filter((entry) => entry.name.endsWith(".part")), []);
      }),
  });
}

/** The exit code of a process that SIGKILL ended. */
const KILLED = 128 + 9;

/** A run in runs/killed that is started, killed and started again. */
class Life {
  readonly #paper: Paper;
  readonly #folder: string;

  constructor(paper: Paper, folder: string) {
    this.#paper = paper;
    this.#folder = folder;
  }

  /** What a person would type next: begin as long as there is no run, then resume. */
  async nextCommand(flags: string[]): Promise<string[]> {
    const often = ["--checkpoint-every", "0"];
    return await this.#isBegun()
      ? ["--resume", "runs/killed", ...often]
      : [...flags, ...often, "--out", "runs/killed"];
  }

  /** Starts a process and kills it at that moment, if it is still there. */
  async endAt({ event, after }: Moment, args: string[]): Promise<{ code: number; stderr: string }> {
    const before = await this.#curveChanged();
    const process = scriptCommand(this.#paper.script, args, this.#folder).spawn();
    let ended = false;
    const output = process.output().finally(() => ended = true);
    while (!ended && !await this.#happened(event, before)) await pause(5);
    await Promise.race([pause(after), output]);
    if (!ended) {
      try {
        process.kill("SIGKILL");
      } catch {
        // it ended in this moment
      }
    }
    const { code, stderr } = await output;
    return { code, stderr: new TextDecoder().decode(stderr) };
  }

  /** Steps in the loss curve, which is as long as the newest checkpoint or one behind. */
  async stepsDone(): Promise<number> {
    const curve = await Deno.readTextFile(this.#curve).catch(() => "step,loss\n");
    return curve.trim().split("\n").length - 1;
  }

  async #happened(event: Moment["event"], before: number): Promise<boolean> {
    if (event === "the start") return true;
    if (event === "the record") return await this.#isBegun();
    if (await this.#curveChanged() === before) return false;
    return event === "the first checkpoint" || await this.stepsDone() === this.#paper.steps;
  }

  async #isBegun(): Promise<boolean> {
    return await changed(`${this.#folder}/runs/killed/run.json`) > 0;
  }

  get #curve(): string {
    return `${this.#folder}/runs/killed/loss.csv`;
  }

  #curveChanged(): Promise<number> {
    return changed(this.#curve);
  }
}

/** When a file was last written, 0 where there is none. */
async function changed(path: string): Promise<number> {
  return await Deno.stat(path).then(({ mtime }) => mtime!.getTime(), () => 0);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}

/** assertEquals would print both. */
function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test({
  name: "a folder in which a run was only just begun, and an emptied record, are said in one line",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await Deno.mkdir(`${folder}/runs/x`, { recursive: true });
      await Deno.writeTextFile(`${folder}/runs/x/run.lock`, "");
      const resume = () => runScript(PAPERS.paper1.script, ["--resume", "runs/x"], folder);
      assertRefused(await resume(), /cannot read runs\/x\/run\.json: there is no such file/);
      await Deno.writeTextFile(`${folder}/runs/x/run.json`, "");
      assertRefused(await resume(), /runs\/x\/run\.json is not a run's record/);
      assertEquals(await Deno.readTextFile(`${folder}/runs/x/run.json`), "");
    }),
});

Deno.test({
  name: "two runs in one folder: the second refuses, and a killed one leaves no lock",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const { script, flags } = PAPERS.paper1;
      const begin = [...flags, "--backend", "wasm", "--steps", "3", "--out", "runs/x"];
      assertEquals((await runScript(script, begin, folder)).code, 0);
      const record = `${folder}/runs/x/run.json`;
      const before = await changed(record);
      const endless = ["--resume", "runs/x", "--steps", "1000000"];
      const first = scriptCommand(script, endless, folder).spawn();
      const output = first.output();
      try {
        for (let i = 0; await changed(record) === before; i++) {
          assert(i < 200, "the run was not resumed within 20 s");
          await pause(100);
        }
        for (const second of [["--resume", "runs/x", "--steps", "4"], ["--out", "runs/x"]]) {
          const refused = await runScript(script, second, folder);
          assertRefused(refused, /another process is working in runs\/x/);
        }
      } finally {
        first.kill("SIGKILL");
        await output;
      }
      // --resume alone would train the million steps that the killed one was given
      assertEquals(JSON.parse(await Deno.readTextFile(record)).settings.steps, 1000000);
      const next = await runScript(script, ["--resume", "runs/x", "--steps", "5"], folder);
      assertEquals(next.code, 0, next.stderr);
    }),
});
