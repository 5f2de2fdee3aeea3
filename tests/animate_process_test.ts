// paper_2_animate.ts as a whole: the files it adds to a run, and its answers to mistakes.
import { assert, assertEquals, assertMatch } from "@std/assert";
import omggif from "omggif";
import { selectBackend } from "../common/backend.ts";
import { readSafetensors } from "../common/checkpoint.ts";
import { encodeSafetensors } from "../common/files/safetensors.ts";
import { normal } from "../common/random.ts";
import {
  assertRefused,
  contentsOf,
  inTemporaryFolder,
  mayRunCommands,
  runScript,
} from "./commands.ts";
import { assertShows, chunksOf, framesOfGif } from "./film_readers.ts";

const SCRIPT = "paper_2_animate.ts";
const tiny = ["--size", "8", "--channels", "8", "--channel-mults", "1,2", "--batch", "4"];

/** The names of the files that are new, and nothing else is different. */
function added(before: Map<string, string>, after: Map<string, string>): string[] {
  for (const [name, content] of before) assert(after.get(name) === content, `${name} changed`);
  return [...after.keys()].filter((name) => !before.has(name)).sort();
}

Deno.test({
  name: "paper_2_animate.ts shows how a run's own samples came about, and only adds its files",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const run = `${folder}/runs/test`;
      const train = [...tiny, "--backend", "wasm", "--steps", "3", "--sample-steps", "6"];
      const settings = [
        ...["--samples", "5", "--eta", "0.5", "--seed", "7", "--classifier-steps", "20"],
        ...["--out", "runs/test"],
      ];
      const trained = await runScript("paper_2.ts", [...train, ...settings], folder);
      assertEquals(trained.code, 0, trained.stderr);
      const before = await contentsOf(run);

      const animate = async (...args: string[]) => {
        const common = ["--resume", "runs/test", "--backend", "wasm", "--samples", "4"];
        const ended = await runScript(SCRIPT, [...common, ...args], folder);
        assertEquals(ended.code, 0, ended.stderr);
        return ended.stdout;
      };
      const said = await animate();
      assertMatch(said, /^runs\/test\/paper2_chain\.gif: 7 frames of .* pixels, .* 0\.\d+ MB, in /);
      await animate("--format", "apng", "--frames", "4");
      await animate("--format", "strip", "--sampler", "ddpm");
      await animate("--interpolate", "--frames", "6", "--sample-steps", "3");
      assertEquals(added(before, await contentsOf(run)), [
        "paper2_chain.apng",
        "paper2_chain.gif",
        "paper2_chain_strip.png",
        "paper2_interpolation.gif",
      ]);

      const gif = await Deno.readFile(`${run}/paper2_chain.gif`);
      const { frames } = framesOfGif(gif);
      const { width, height } = new omggif.GifReader(gif);
      const backend = await selectBackend("cpu");
      const samples = (await readSafetensors(`${run}/samples.safetensors`)).get("samples")!;
      assertShows({ width, height, data: frames.at(-1)! }, await samples.data());
      samples.dispose();
      backend.dispose();
      const between = framesOfGif(await Deno.readFile(`${run}/paper2_interpolation.gif`));
      assertEquals(between.delays, [800, 80, 80, 800, 80, 80]);
      const chunks = chunksOf(await Deno.readFile(`${run}/paper2_chain.apng`));
      assertEquals(chunks.filter(({ name }) => name === "fcTL").length, 4);
    }),
});

/** A folder that looks like a finished run of paper 1 as far as the animation looks at it. */
async function makePointRun(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const record = { script: "paper1", settings: { preset: "quick", seed: 0 } };
  await Deno.writeTextFile(`${folder}/run.json`, JSON.stringify(record));
  const [T, N] = [4, 50];
  const reverse = { shape: [T + 1, N, 2], data: normal({ seed: 0, stream: "p" }, (T + 1) * N * 2) };
  const figures = encodeSafetensors(new Map([["reverse", reverse]]));
  await Deno.writeFile(`${folder}/figures.safetensors`, figures);
}

Deno.test({
  name: "paper_2_animate.ts lets the points of a paper1 run flow",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await makePointRun(`${folder}/runs/points`);
      const before = await contentsOf(`${folder}/runs/points`);
      for (const more of [[], ["--format", "strip"], ["--format", "apng", "--frames", "5"]]) {
        const ended = await runScript(SCRIPT, ["--resume", "runs/points", ...more], folder);
        assertEquals(ended.code, 0, ended.stderr);
        assertMatch(ended.stdout, /^runs\/points\/paper1_chain/);
      }
      const files = ["paper1_chain.apng", "paper1_chain.gif", "paper1_chain_strip.png"];
      assertEquals(added(before, await contentsOf(`${folder}/runs/points`)), files);
      const gif = framesOfGif(await Deno.readFile(`${folder}/runs/points/paper1_chain.gif`));
      assertEquals([gif.delays.length, gif.delays.at(-1), gif.loop], [60, 2000, 0]);
    }),
});

Deno.test({
  name: "what cannot be animated is refused in one line",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const runs = `${folder}/runs`;
      await makePointRun(`${runs}/points`);
      await makePointRun(`${runs}/old`);
      await Deno.remove(`${runs}/old/figures.safetensors`);
      await makePointRun(`${runs}/broken`);
      await Deno.truncate(`${runs}/broken/figures.safetensors`, 300);
      await makePointRun(`${runs}/strange`);
      const flat = new Map([["reverse", { shape: [4, 2], data: new Float32Array(8) }]]);
      await Deno.writeFile(`${runs}/strange/figures.safetensors`, encodeSafetensors(flat));
      const args = [...tiny, "--backend", "wasm", "--steps", "1", "--timesteps", "25"];
      const draw = ["--sample-steps", "2", "--samples", "1", "--out", "runs/images"];
      const trained = await runScript("paper_2.ts", [...args, ...draw], folder);
      assertEquals(trained.code, 0, trained.stderr);
      const record = await Deno.readTextFile(`${runs}/images/run.json`);
      const withRecord = async (name: string, content: string, model = false) => {
        await Deno.mkdir(`${runs}/${name}`);
        await Deno.writeTextFile(`${runs}/${name}/run.json`, content);
        if (!model) return;
        await Deno.copyFile(
          `${runs}/images/model.safetensors`,
          `${runs}/${name}/model.safetensors`,
        );
      };
      await withRecord("unfinished", record);
      await withRecord("misfit", record.replace(/"channels": 8/, '"channels": 16'), true);
      await withRecord("foreign", record.replace('"paper2"', '"verify"'), true);
      await withRecord("odd", record.replace(/"eta": [^,]*/, '"eta": 7'), true);
      await withRecord("text", "hello");

      const cases: [string[], RegExp][] = [
        [["--samples", "3", "--interpolate"], /even numbers/],
        [
          ["--resume", "runs/none"],
          /runs\/none\/run\.json: there is no such file; runs\/none holds/,
        ],
        [["--resume", "runs/unfinished"], /model\.safetensors: .*go on with it: deno task paper2/],
        [["--resume", "runs/misfit"], /runs\/misfit\/model\.safetensors.* instead of /],
        [["--resume", "runs/foreign"], /a run of verify; expected one of paper1 to paper4/],
        [["--resume", "runs/odd"], /eta = 7; allowed/],
        [["--resume", "runs/text"], /not a run's record/],
        [
          ["--resume", "runs/old"],
          /run paper1 again: deno task paper1 --from runs\/old\/run\.json/,
        ],
        [["--resume", "runs/broken"], /runs\/broken\/figures\.safetensors/],
        [["--resume", "runs/strange"], /\[4,2\], expected \[T\+1, N, 2\]/],
        [["--resume", "runs/points", "--interpolate"], /--interpolate is for images/],
        [["--resume", "runs/points", "--seed", "1"], /--seed is for images/],
        [["--resume", "runs/points", "--frames", "1"], /--frames does not take '1'.*2 to 240/],
        [["--resume", "runs/images", "--format", "webp"], /gif, apng, strip/],
        [["--resume", "runs/images", "--format", "strip", "--frames", "65"], /2 to 64/],
        [["--resume", "runs/images", "--samples", "65"], /1 to 64/],
        [["--resume", "runs/images", "--sample-steps", "26"], /--sample-steps 26.*1 to 25/],
        [
          ["--resume", "runs/images", "--sampler", "ddpm", "--eta", "1"],
          /goes with --sampler ddim/,
        ],
        [["--resume", "runs/images", "--interpolate", "--eta", "1"], /--eta 1; allowed is 0/],
        [["--resume", "runs/images", "--interpolate", "--samples", "3"], /even numbers/],
        [["--resume", "runs/images", "--interpolate", "--sampler", "ddpm"], /--sampler ddim/],
        [["--resume", "runs/images", "--frame", "3"], /did you mean --frames/],
      ];
      for (const [args, message] of cases) {
        const ended = await runScript(SCRIPT, ["--backend", "cpu", ...args], folder);
        assertRefused(ended, message);
      }
    }),
});
