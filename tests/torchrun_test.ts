// Past one process: a run goes to torchrun and comes back, and nothing shows it but the time.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { inTemporaryFolder, mayRunCommands, root, runScript } from "./commands.ts";
import { findPython } from "./python.ts";

const python = await findPython();
if (mayRunCommands && !python) console.error("the tests of torchrun are skipped: no PyTorch");

const IMAGES = [
  ...["--size", "8", "--channels", "8", "--groups", "4", "--channel-mults", "1,2"],
  ...["--batch", "7", "--timesteps", "50", "--warm-up", "5", "--dropout", "0.1"],
  ...["--samples", "1", "--sample-steps", "4"],
];
const POINTS = ["--hidden", "16", "--batch", "32", "--timesteps", "10"];
const PAPERS = [
  { name: "paper 2", script: "paper_2.ts", settings: IMAGES },
  { name: "paper 3", script: "paper_3.ts", settings: [...IMAGES, "--guidance-samples", "0"] },
  { name: "paper 1", script: "paper_1_partb.ts", settings: POINTS },
  {
    name: "paper 1, one t a step",
    script: "paper_1_partb.ts",
    settings: [...POINTS, "--times", "one", "--parametrization", "direct", "--data", "moons"],
  },
];

/** torchrun as a command. PyTorch 1.13 on Python 3.11 wants to be told where its output goes. */
function torchrun(folder: string, args: string[], processes = 2): Deno.Command {
  const output = ["-r", "1", "-t", "1", "--log_dir", `${folder}/log`];
  const own = ["-m", "torch.distributed.run", "--standalone", ...output];
  return new Deno.Command(python!, {
    args: [...own, "--nproc_per_node", `${processes}`, ...args],
    cwd: folder,
    env: { OMP_NUM_THREADS: "1" }, // threads that wait for each other crawl where cores are shared
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function train(folder: string, args: string[], processes?: number) {
  const command = torchrun(folder, [`${root}pytorch/train.py`, ...args], processes);
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function succeeds(folder: string, script: string, args: string[]): Promise<string> {
  const ended = await runScript(script, [...args, "--backend", "wasm"], folder);
  assertEquals(ended.code, 0, ended.stderr);
  return ended.stdout;
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

function torchTest(name: string, fn: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore: !python, fn: () => inTemporaryFolder(fn) });
}

for (const { name, script, settings } of PAPERS) {
  torchTest(`${name}: 30 steps here, 30 under torchrun, 30 here are 90 here`, async (folder) => {
    const runs = `${folder}/runs`;
    const constant = [...settings, "--decay", "none"]; // a cosine depends on the last step
    await succeeds(folder, script, [...constant, "--steps", "90", "--out", "runs/here"]);
    await succeeds(folder, script, [...constant, "--steps", "30", "--out", "runs/there"]);
    if (settings[0] === IMAGES[0]) {
      const data = "runs/there/data.safetensors";
      await succeeds(folder, script, ["--resume", "runs/there", "--export-data", data]);
    }
    const { code, output } = await train(folder, ["runs/there", "--steps", "60"]);
    assertEquals(code, 0, output);
    assertMatch(output, /runs\/there: steps 31 to 60/);
    assertEquals((await losses(`${runs}/there`)).length, 60);
    await succeeds(folder, script, ["--resume", "runs/there", "--steps", "90"]);
    const difference = apart(await losses(`${runs}/there`), await losses(`${runs}/here`));
    assert(difference < 1e-3, `${difference} apart`);
    assert(difference > 0, "nothing was computed elsewhere");
  });
}

torchTest("1, 2 and 3 processes give the same losses up to rounding", async (folder) => {
  const run = ["--steps", "5", "--out", "runs/x"];
  await succeeds(folder, "paper_2.ts", [...IMAGES, ...run]);
  const data = `${folder}/runs/data.safetensors`;
  const written = ["--resume", "runs/x", "--export-data", "runs/data.safetensors"];
  await succeeds(folder, "paper_2.ts", written);
  const all: number[][] = [];
  for (const processes of [1, 2, 3]) {
    const copy = `${folder}/runs/${processes}`;
    await Deno.mkdir(copy);
    for await (const { name } of Deno.readDir(`${folder}/runs/x`)) {
      await Deno.copyFile(`${folder}/runs/x/${name}`, `${copy}/${name}`);
    }
    const args = [`runs/${processes}`, "--steps", "55", "--data", data];
    const { code, output } = await train(folder, args, processes);
    assertEquals(code, 0, output);
    all.push(await losses(copy));
  }
  assert(apart(all[1], all[0]) < 1e-4);
  assert(apart(all[2], all[0]) < 1e-4);
});

torchTest("a process that is killed: torchrun starts again from the checkpoint", async (folder) => {
  const settings = [...POINTS, "--decay", "none"];
  const paper1 = (args: string[]) => succeeds(folder, "paper_1_partb.ts", [...settings, ...args]);
  await paper1(["--steps", "5", "--out", "runs/x"]);
  const rest = [`${root}pytorch/train.py`, "runs/x", "--steps", "300", "--checkpoint-every", "0"];
  const child = torchrun(folder, ["--max_restarts", "2", ...rest]).spawn();
  const output = Promise.all(
    [child.stdout, child.stderr].map((stream) => new Response(stream).text()),
  );
  const steps = async () => (await losses(`${folder}/runs/x`).catch(() => [])).length;
  while (await steps() < 40) await new Promise((resume) => setTimeout(resume, 50));
  const found = await new Deno.Command("pgrep", { args: ["-P", `${child.pid}`] }).output();
  const [, second] = new TextDecoder().decode(found.stdout).trim().split("\n").map(Number);
  assert(second > 0, "two processes");
  Deno.kill(second, "SIGKILL");
  const { code } = await child.status;
  const text = (await output).join("");
  assertEquals(code, 0, text);
  assertEquals(text.match(/from step \d+/g)?.length, 2, text);
  await paper1(["--steps", "60", "--out", "runs/y"]);
  const [there, here] = [await losses(`${folder}/runs/x`), await losses(`${folder}/runs/y`)];
  assertEquals(there.length, 300);
  assert(apart(there.slice(0, 60), here) < 1e-3);
});

torchTest("what cannot be taken over is said in one line", async (folder) => {
  const refused = async (args: string[], message: RegExp) => {
    const { code, output } = await train(folder, args, 1);
    assert(code !== 0);
    assertMatch(output, message);
  };
  await refused(["runs/none", "--steps", "9"], /error: cannot read runs\/none\/run\.json/);
  await succeeds(folder, "paper_2.ts", [...IMAGES, "--steps", "3", "--out", "runs/x"]);
  await refused(["runs/x", "--steps", "3"], /error: --steps 3: the run has 3 behind it/);
  await refused(["runs/x", "--steps", "9"], /error: .*--export-data runs\/x\/data\.safetensors/);
  await refused(["runs/x", "--steps", "9", "--backend", "nccl"], /error: /);
});
