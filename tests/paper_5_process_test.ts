// paper_5.ts as a whole: its files, with and without a network, and its answers to mistakes.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readSafetensors } from "../common/checkpoint.ts";
import type { PlaneResult } from "../common/report/plane_report.ts";
import { assertRefused, inTemporaryFolder, mayRunCommands, runScript } from "./commands.ts";

const tiny = [
  ...["--samples", "3", "--sample-steps", "4", "--training-images", "60", "--els-images", "9"],
  ...["--backend", "wasm"],
];

async function run(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runScript("paper_5.ts", [...tiny, ...args], folder);
  assertEquals(code, 0, stderr);
  return stdout;
}

Deno.test({
  name: "paper5 draws from the same noises with the model that ships and with that of a run",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await run(folder);
      const small = ["--size", "8", "--channels", "8", "--channel-mults", "1,2", "--batch", "4"];
      const quick = ["--steps", "2", "--samples", "1", "--timesteps", "30", "--sample-steps", "2"];
      const model = [...small, ...quick, "--backend", "wasm", "--out", "runs/tiny"];
      assertEquals((await runScript("paper_2.ts", model, folder)).code, 0);
      const said = await run(folder, "--resume", "runs/tiny", "--out", "runs/with");
      assertMatch(said, /els .* foretells the network's image with r² = -?[\d.]+ \(medians\)/);

      for (const [name, size] of [["paper5-quick-0", 16], ["with", 8]] as const) {
        const drawn = await readSafetensors(`${folder}/runs/${name}/samples.safetensors`);
        const names = ["els", "ls", "nearest", "network", "noise", "perfect"];
        assertEquals([...drawn.keys()].sort(), names);
        for (const tensor of drawn.values()) assertEquals(tensor.shape, [3, size, size, 1]);
      }
      const { results, status } = JSON.parse(
        await Deno.readTextFile(`${folder}/runs/with/run.json`),
      );
      assertEquals(status, "finished");
      assertEquals(results.r2.ls.each.length, 3);
      assertEquals(results.decided.length, 3);
      assert(results.distance.perfect < results.distance.network);
      for (const name of ["paper5_invention.png", "paper5_plane.png"]) {
        assert((await Deno.stat(`${folder}/runs/with/${name}`)).size > 1000);
      }
      // few points are copied, many are the spiral
      const [few, , , many] = results.plane as PlaneResult[];
      assert(few.toTraining < 0.01 && few.toTrainingReal > 0.1, JSON.stringify(few));
      assert(many.toTraining < 0.01 && many.toSpiral < 0.01, JSON.stringify(many));
    }),
});

Deno.test({
  name: "paper5 says in one line what does not fit",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await Deno.mkdir(`${folder}/runs/paper1`, { recursive: true });
      const record = { script: "paper1", settings: {} };
      await Deno.writeTextFile(`${folder}/runs/paper1/run.json`, JSON.stringify(record));
      const cases: [string[], RegExp][] = [
        [["--resume", "runs/none"], /runs\/none: there is no run; .*deno task paper2/],
        [["--resume", "runs/paper1"], /run of paper1; expected one of paper2/],
        [["--samples", "65"], /--samples does not take '65'.*1 to 64/],
        [["--sample-steps", "0"], /--sample-steps does not take '0'/],
        [["--training-images", "9001"], /--training-images 9001: mnist has 1 to 9000/],
        [["--els-images", "9001"], /--els-images 9001: mnist has 1 to 9000/],
      ];
      for (const [args, message] of cases) {
        assertRefused(await runScript("paper_5.ts", args, folder), message);
      }
    }),
});
