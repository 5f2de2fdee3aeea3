// Past one process: a run goes to torchrun and comes back, and nothing shows it but the time. PyTorch takes
// seconds to start, so the runs are prepared first, and few processes train all of them.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inTemporaryFolder, mayRunCommands, root, runScript } from "./commands.ts";
import { findPython } from "./python.ts";
import { type ShortRun, shortRuns } from "./short_runs.ts";

const python = await findPython();
if (mayRunCommands && !python) console.error("the tests of torchrun are skipped: no PyTorch");

const UNET = [
  ...["--size", "8", "--channels", "8", "--groups", "4", "--channel-mults", "1,2"],
  ...["--batch", "7", "--warm-up", "5", "--dropout", "0.1", "--samples", "1"],
];
const IMAGES = [...UNET, "--timesteps", "50", "--sample-steps", "4"];
const POINTS = ["--hidden", "16", "--batch", "32", "--timesteps", "10"];
const FLOWS = ["--hidden", "16", "--batch", "32", "--pairs", "90", "--pair-steps", "3"];
/** A cosine depends on the last step. */
const EVEN = ["--decay", "none"];

interface Case {
  name: string;
  train: ShortRun;
  args: string[];
  /** Where the run's images come from; it needs none on points. */
  script?: string;
  /** Up to which step it is trained here, under torchrun, and here again. Default: 30, 80, 110. */
  ends?: number[];
}

const CASES: Case[] = [
  {
    name: "paper 1",
    train: shortRuns.paper1,
    args: [...POINTS, ...EVEN],
  },
  {
    name: "paper 1, one t a step",
    train: shortRuns.paper1,
    args: [...POINTS, ...EVEN, "--times", "one", "--parametrization", "direct", "--data", "moons"],
  },
  {
    name: "paper 2",
    train: shortRuns.paper2,
    args: [...IMAGES, ...EVEN, "--snr-gamma", "5"],
    script: "paper_2.ts",
  },
  {
    name: "paper 3",
    train: shortRuns.paper3,
    args: [...IMAGES, ...EVEN, "--attention-levels", "none", "--p-uncond", "0.3"],
    script: "paper_3.ts",
  },
  {
    name: "paper 4",
    train: shortRuns.paper4,
    args: [...FLOWS, ...EVEN, "--reflows", "0", "--sigma-min", "0.1"],
  },
  {
    name: "paper 4, reflows begun under torchrun", // at steps 56 and 83, along a cosine each
    train: shortRuns.paper4,
    args: [...FLOWS, "--reflows", "2", "--data", "circles"],
    ends: [30, 110],
  },
  {
    name: "paper 4 on digits",
    train: shortRuns.paper4Images,
    args: ["--data", "mnist", ...UNET, ...EVEN, "--reflows", "0"],
    script: "paper_4.ts",
  },
  {
    name: "paper 4 on digits, a reflow begun under torchrun", // at step 56
    train: shortRuns.paper4Images,
    args: ["--data", "mnist", ...UNET, "--reflows", "1", "--pairs", "21", "--pair-steps", "2"],
    script: "paper_4.ts",
    ends: [30, 110],
  },
];
const PAPER_2 = 2;

/** torchrun as a command. PyTorch 1.13 on Python 3.11 wants to be told where its output goes. */
function torchrun(folder: string, args: string[], processes: number): Deno.Command {
  const output = ["-r", "1", "-t", "1", "--log_dir", `${folder}/log`];
  const own = ["-m", "torch.distributed.run", "--standalone", ...output];
  return pythonCommand(folder, [...own, "--nproc_per_node", `${processes}`, ...args]);
}

function pythonCommand(folder: string, args: string[]): Deno.Command {
  return new Deno.Command(python!, {
    args,
    cwd: folder,
    env: { OMP_NUM_THREADS: "1" }, // threads that wait for each other crawl where cores are shared
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function endOf(command: Deno.Command): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function losses(folder: string): Promise<number[]> {
  const rows = (await Deno.readTextFile(`${folder}/loss.csv`)).trim().split("\n").slice(1);
  return rows.map((row) => Number(row.split(",")[1]));
}

/** The largest relative difference. */
function apart(a: number[], b: number[]): number {
  assertEquals(a.length, b.length);
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]) / Math.abs(b[i])));
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test({
  name: "runs go to torchrun and come back",
  ignore: !python,
  fn: (t) =>
    inTemporaryFolder(async (folder) => {
      const runs = `${folder}/runs`;
      const many = `${root}tests/train_many.py`;
      await Deno.mkdir(runs);
      const endsOf = ({ ends = [30, 80, 110] }: Case) => ends;

      const prepared = await t.step("the first steps here, and the images as files", async () => {
        for (const [i, { train, args, script, ends = [] }] of CASES.entries()) {
          await train([...args, "--steps", "110", "--out", `${runs}/${i}-here`]);
          const steps = ends.length === 2 ? "110" : "30";
          await train([...args, "--steps", steps, "--out", `${runs}/${i}`], 30);
          assertEquals((await losses(`${runs}/${i}`)).length, 30);
          if (!script) continue;
          const data = ["--export-data", `runs/${i}/data.safetensors`];
          const { code, stderr } = await runScript(
            script,
            ["--resume", `runs/${i}`, ...data],
            folder,
          );
          assertEquals(code, 0, stderr);
        }
        for (const copy of ["alone", "killed"]) {
          await copyFolder(`${runs}/${PAPER_2}`, `${runs}/${copy}`);
        }
      });

      const trained = prepared && await t.step("two processes train all of them", async () => {
        const all = CASES.map((run, i) => [`runs/${i}`, "--steps", `${endsOf(run)[1]}`]);
        const { code, output } = await endOf(torchrun(folder, [many, JSON.stringify(all)], 2));
        assertEquals(code, 0, output);
        all.forEach(([run, , end]) => assertStringIncludes(output, `${run}: steps 31 to ${end}`));
      });

      if (!trained) return;

      for (const [i, { name, train, ...run }] of CASES.entries()) {
        await t.step(`${name}: the same losses as here`, async () => {
          const [, , end] = endsOf({ name, train, ...run });
          if (end) await train(["--resume", `${runs}/${i}`, "--steps", `${end}`]);
          const [there, here] = [await losses(`${runs}/${i}`), await losses(`${runs}/${i}-here`)];
          const difference = apart(there, here);
          assert(difference < 1e-3, `${difference} apart`);
          assertEquals(there.slice(0, 30), here.slice(0, 30));
          assert(difference > 0, "nothing was computed elsewhere");
        });
      }

      await t.step("verify says which steps cannot be the same bits", async () => {
        const args = ["runs/0", "--steps", "110"];
        const { code, stdout } = await runScript("tests/verify.ts", args, folder);
        assertEquals(code, 0);
        assertMatch(
          stdout,
          /^runs\/0: reproduced: the losses of the first 30 steps are the same bits; from step 31 on they need not be, as the run went on with pytorch\/train\.py, PyTorch .*, 2 processes, gloo/,
        );
      });

      await t.step(
        "what cannot be taken over is said in one line; and 1 process alone",
        async () => {
          await copyFolder(`${runs}/alone`, `${runs}/bare`);
          await Deno.remove(`${runs}/bare/data.safetensors`);
          const refused = [
            [["runs/none", "--steps", "9"], /^error: cannot read runs\/none\/run\.json/m],
            [["runs/bare", "--steps", "30"], /^error: --steps 30: the run has 30 behind it/m],
            [
              ["runs/bare", "--steps", "99"],
              /^error: .*paper2 .*--export-data runs\/bare\/data\./m,
            ],
            [["runs/alone", "--steps", "99", "--backend", "nccl"], /^error: --backend nccl/m],
            [
              ["runs/5", "--steps", "300"],
              /^error: --steps 300: shared by 3 flows, step 110 would/m,
            ],
          ] as const;
          const all = [...refused.map(([args]) => args), ["runs/alone", "--steps", "110"]];
          const { code, output } = await endOf(pythonCommand(folder, [many, JSON.stringify(all)]));
          assertEquals(code, 0, output);
          for (const [, message] of refused) assertMatch(output, message);
          assert(!output.includes("Traceback"), output);
          const [two, alone] = [await losses(`${runs}/${PAPER_2}`), await losses(`${runs}/alone`)];
          assert(apart(alone.slice(0, 80), two.slice(0, 80)) < 1e-4);
        },
      );

      await t.step(
        "of 3 processes one is killed: the others go on from the checkpoint",
        async () => {
          const rest = ["runs/killed", "--steps", "110", "--checkpoint-every", "0"];
          const args = ["--max_restarts", "2", `${root}pytorch/train.py`, ...rest];
          const child = torchrun(folder, args, 3).spawn();
          const output = Promise.all(
            [child.stdout, child.stderr].map((stream) => new Response(stream).text()),
          );
          const steps = async () => (await losses(`${runs}/killed`).catch(() => [])).length;
          const ended = child.status.then(() => true);
          const moment = () => new Promise<false>((resume) => setTimeout(resume, 20, false));
          while (await steps() < 50 && !await Promise.race([ended, moment()]));
          const found = await new Deno.Command("pgrep", { args: ["-P", `${child.pid}`] }).output();
          const [, second] = new TextDecoder().decode(found.stdout).trim().split("\n").map(Number);
          assert(second > 0, "three processes");
          Deno.kill(second, "SIGKILL");
          const { code } = await child.status;
          const text = (await output).join("");
          assertEquals(code, 0, text);
          assertEquals(text.match(/from step \d+/g)?.length, 2, text);
          const [killed, alone] = [await losses(`${runs}/killed`), await losses(`${runs}/alone`)];
          assert(apart(killed, alone) < 1e-4);
        },
      );
    }),
});
