// The comparison of samplers: rows that fit their numbers, and the real command.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { comparisonLines } from "../common/report/sampler_comparison.ts";
import { inTemporaryFolder, mayRunCommands, runScript } from "./commands.ts";
import { shortRuns } from "./short_runs.ts";

Deno.test("without a measure the table of samplers has times alone", () => {
  const lines = comparisonLines([
    { name: "DDPM, 1000 steps", steps: 1000, seconds: 12.34 },
    { name: "DDIM, 10 steps", steps: 10, seconds: 0.1 },
  ]);
  assertEquals(lines.length, 3);
  assertMatch(lines[1], /^DDPM, 1000 steps {2}12\.3 s\s*$/);
});

Deno.test({
  name: "--compare-samplers sends the same noises through every sampler",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const paper2 = (args: string[]) =>
        runScript("paper_2.ts", [...args, "--backend", "wasm"], folder);
      const tiny = ["--size", "8", "--channels", "8", "--channel-mults", "1", "--timesteps", "30"];
      await shortRuns.paper2([
        ...[...tiny, "--attention-levels", "none", "--batch", "4", "--steps", "3"],
        ...["--sample-steps", "4", "--out", `${folder}/runs/x`],
      ]);
      const model = await Deno.readFile(`${folder}/runs/x/model.safetensors`);
      const record = await Deno.readFile(`${folder}/runs/x/run.json`);

      const few = ["--samples", "3", "--classifier-steps", "20"];
      const compared = await paper2(["--compare-samplers", "--resume", "runs/x", ...few]);
      assertEquals(compared.code, 0, compared.stderr);
      // T = 30: the chains of 100 and of 50 steps do not exist
      const names = ["DDPM, 30 steps", "DDIM, 20 steps, η = 0", "DDIM, 10 steps, η = 0"];
      for (const name of names) assert(compared.stdout.includes(name), compared.stdout);
      assert(!compared.stdout.includes("50 steps"), compared.stdout);
      const table = await Deno.readTextFile(`${folder}/runs/x-samplers/paper2_samplers.csv`);
      assertEquals(table.trim().split("\n").length, 6);
      assertMatch(table, /^"DDIM, 20 steps, η = 0",20,[\d.]+,[\d.e+]+,[\d.]+$/m);
      assert((await Deno.stat(`${folder}/runs/x-samplers/paper2_samplers.png`)).size > 1000);
      assertEquals(await Deno.readFile(`${folder}/runs/x/model.safetensors`), model);
      assertEquals(await Deno.readFile(`${folder}/runs/x/run.json`), record);

      const one = await paper2(["--compare-samplers", "--resume", "runs/x", "--samples", "1"]);
      assertEquals(one.code, 0, one.stderr); // one image is too few to be measured
    }),
});
