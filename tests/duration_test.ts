// How long a run takes: said before it begins, and turned round by --minutes.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { runSeconds, stepsWithin } from "../common/run/duration.ts";
import { planSteps } from "../common/run/plan.ts";
import { paper1 } from "../common/run/point_settings.ts";
import { readSettings } from "../common/run/settings.ts";
import { UserError } from "../common/user_error.ts";
import { assertRefused, inTemporaryFolder, mayRunCommands, runScript } from "./commands.ts";

const LENGTHS = [
  { stepSeconds: 0.2 },
  { stepSeconds: 0.2, after: { steps: 100, seconds: 30 }, draws: true },
  { stepSeconds: 0.003, after: { steps: 0, seconds: 5 } },
];

Deno.test("as many steps as fit into the time, and no more", () => {
  for (const length of LENGTHS) {
    for (const seconds of [60, 61.7, 3600]) {
      const steps = stepsWithin(seconds, length);
      assert(runSeconds(steps, length) <= seconds);
      assert(runSeconds(steps + 1, length) > seconds);
    }
  }
  assertThrows(() => stepsWithin(49, LENGTHS[1]), UserError, "50 s alone on this machine");
});

Deno.test("--minutes becomes a number of steps; quick runs and resumed ones are not measured", async () => {
  let measured = 0;
  const rehearsal = {
    numbers: () => Promise.reject(new Error("no numbers are needed")),
    stepSeconds: () => Promise.resolve(0.1 * ++measured),
  };
  const plan = (settings: { minutes?: number; preset: string; resume?: string }) =>
    planSteps({ steps: 7, ...settings }, { length: {}, rehearsal, backend: { name: "wasm" } });
  const spent = performance.now() / 1000;
  const { steps, minutes } = await plan({ minutes: spent / 60 + 1, preset: "quick" });
  assert(steps > 580 && steps <= 600, `${steps} steps of 0.1 s in a minute`);
  assertEquals([minutes, measured], [undefined, 1]);
  assertEquals((await plan({ preset: "quick" })).steps, 7);
  assertEquals((await plan({ preset: "paper", resume: "runs/x" })).steps, 7);
  assertEquals(measured, 1);
  assertEquals((await plan({ preset: "paper" })).steps, 7);
  assertEquals(measured, 2);
});

Deno.test("--minutes beside --steps or --resume is refused", async () => {
  for (const other of [["--steps", "5"], ["--resume", "runs/x"]]) {
    const read = () => readSettings(paper1, ["--minutes", "3", ...other]);
    await assertRejects(read, UserError, `with ${other[0]}`);
  }
});

Deno.test({
  name: "a run by the clock keeps its number of steps, and is repeated with it",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const small = ["--hidden", "8", "--timesteps", "8", "--batch", "16", "--backend", "wasm"];
      const args = [...small, "--minutes", "0.3", "--out", "runs/a"];
      const { code, stderr } = await runScript("paper_1_partb.ts", args, folder);
      assertEquals(code, 0, stderr);
      const record = async (name: string) =>
        JSON.parse(await Deno.readTextFile(`${folder}/runs/${name}/run.json`));
      const { settings } = await record("a");
      const [, said] = /--minutes 0.3: (\d+) training steps of/.exec(stderr)!;
      assertEquals([settings.steps, settings.minutes], [Number(said), undefined]);
      assertEquals(
        (await Deno.readTextFile(`${folder}/runs/a/loss.csv`)).trim().split("\n").length,
        settings.steps + 1,
      );
      const again = ["--from", "runs/a/run.json", "--steps", "3", "--out", "runs/b"];
      assertEquals((await runScript("paper_1_partb.ts", again, folder)).code, 0);
      assertEquals((await record("b")).settings.steps, 3);
      const both = ["--minutes", "1", "--steps", "3"];
      assertRefused(await runScript("paper_1_partb.ts", both, folder), /--minutes .* --steps/);
    }),
});
