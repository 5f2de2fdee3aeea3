// A process that is killed at any moment, again and again, loses nothing but the steps since its last
// checkpoint: the run ends with the bytes of one that nobody disturbed.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { uniform } from "../common/random.ts";
import {
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
  /** What must be the same in the end. */
  files: string[];
}

const PAPERS: Record<string, Paper> = {
  paper1: {
    script: "paper_1_partb.ts",
    flags: ["--hidden", "8", "--timesteps", "8", "--batch", "16", "--steps", "1500"],
    files: [
      ...["model.safetensors", "loss.csv", "samples.csv", "figures.safetensors"],
      ...["paper1_diffusion.png", "paper1_loss.png", "paper1_field.png"],
    ],
  },
  paper2: {
    script: "paper_2.ts",
    flags: [
      ...["--size", "8", "--channels", "8", "--groups", "2", "--channel-mults", "1"],
      ...["--attention-levels", "none", "--batch", "2", "--timesteps", "30", "--dropout", "0.1"],
      ...["--samples", "1", "--sample-steps", "4", "--steps", "400"],
    ],
    files: [
      ...["model.safetensors", "loss.csv", "samples.safetensors", "figures.safetensors"],
      ...["paper2_samples.png", "paper2_chain.png", "paper2_loss.png"],
    ],
  },
};

for (const [name, paper] of Object.entries(PAPERS)) {
  Deno.test({
    name: `${name}, killed ${KILLS} times, ends with the bytes of a run that was not`,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        const { script, files } = paper;
        const flags = [...paper.flags, "--backend", "wasm", "--checkpoint-every", "0"];
        const calm = await runScript(script, [...flags, "--out", "runs/calm"], folder);
        assertEquals(calm.code, 0, calm.stderr);

        const moments = uniform({ seed: SEED, stream: `kill ${name}` }, KILLS);
        let reached = 0;
        for (const [i, moment] of moments.entries()) {
          // the process needs most of a second to start; some are killed before that
          await killAfter(300 + 1100 * moment, script, await goOn(flags, folder), folder);
          const steps = await stepsDone(folder);
          const context = `kill ${i + 1} of seed ${SEED}, after ${
            (300 + 1100 * moment).toFixed()
          } ms`;
          assert(steps >= reached, `${context}: ${steps} steps are left of ${reached}`);
          reached = steps;
        }
        assert(reached > 0, "no life was long enough for a step");
        const end = await runScript(script, await goOn(flags, folder), folder);
        assertEquals(end.code, 0, end.stderr);
        assertEquals(errorLines(end.stderr), []);
        for (const file of files) {
          const [a, b] = await Promise.all(
            ["calm", "killed"].map((run) => Deno.readFile(`${folder}/runs/${run}/${file}`)),
          );
          assertEquals(b, a, `${file} differs (seed ${SEED})`);
        }
        const left = await Array.fromAsync(Deno.readDir(`${folder}/runs/killed`));
        assertEquals(left.filter((entry) => entry.name.endsWith(".part")), []);
      }),
  });
}

/** What a person would type next: begin as long as there is no run, then resume. */
async function goOn(flags: string[], folder: string): Promise<string[]> {
  const begun = await Deno.stat(`${folder}/runs/killed/run.json`).then(() => true, () => false);
  return begun
    ? ["--resume", "runs/killed", "--checkpoint-every", "0"]
    : [...flags, "--out", "runs/killed"];
}

async function killAfter(
  milliseconds: number,
  script: string,
  args: string[],
  folder: string,
): Promise<void> {
  const process = scriptCommand(script, args, folder).spawn();
  const output = process.output();
  const timer = setTimeout(() => process.kill("SIGKILL"), milliseconds);
  const { code, stderr } = await output;
  clearTimeout(timer);
  // a process that ended by itself must have ended well
  const wasKilled = code === 137;
  assert(wasKilled || code === 0, new TextDecoder().decode(stderr));
}

/** Steps in the loss curve, which is as long as the newest checkpoint or one behind. */
async function stepsDone(folder: string): Promise<number> {
  const curve = await Deno.readTextFile(`${folder}/runs/killed/loss.csv`).catch(() =>
    "step,loss\n"
  );
  return curve.trim().split("\n").length - 1;
}

Deno.test({
  name: "two runs in one folder: the second refuses, and a killed one leaves no lock",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const { script, flags } = PAPERS.paper1;
      const endless = flags.with(flags.indexOf("--steps") + 1, "1000000");
      const args = [...endless, "--backend", "wasm", "--out", "runs/x"];
      const first = scriptCommand(script, args, folder).spawn();
      const output = first.output();
      await appears(`${folder}/runs/x/run.json`);
      for (const second of [["--resume", "runs/x"], ["--out", "runs/x"]]) {
        const refused = await runScript(script, second, folder);
        assertEquals(refused.code, 2, refused.stderr);
        assertMatch(errorLines(refused.stderr)[0], /another process is working in runs\/x/);
      }
      first.kill("SIGKILL");
      await output;
      const next = await runScript(script, ["--resume", "runs/x", "--steps", "3"], folder);
      assertEquals(next.code, 0, next.stderr);
    }),
});

async function appears(path: string): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await Deno.stat(path).then(() => true, () => false)) return;
    await new Promise((resume) => setTimeout(resume, 100));
  }
  assert(false, `${path} did not appear within 10 s`);
}
