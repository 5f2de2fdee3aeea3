// paper_2_inpainting.ts as a whole: its files, its repeatability, and its answers to mistakes.
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { writeSafetensors } from "../common/checkpoint.ts";
import { readPng, writePng } from "../common/data/images/png.ts";
import { modelOptions } from "../common/run/model_settings.ts";
import { createModel } from "../common/network/image_model.ts";
import {
  assertRefused,
  contentsOf,
  inTemporaryFolder,
  mayRunCommands,
  runScript,
} from "./commands.ts";
import { shortRuns } from "./short_runs.ts";

const tiny = ["--size", "8", "--channels", "8", "--channel-mults", "1,2", "--batch", "4"];
const short = ["--sample-steps", "6", "--jump-length", "2", "--jumps", "2", "--backend", "wasm"];
const SHEET = "paper2_inpainting.png";
const FILES = [SHEET, "inpainting.json", "inpainting.csv"];

/** Trains a model for two steps into runs/tiny. */
async function trainTiny(folder: string): Promise<void> {
  const quick = ["--steps", "2", "--timesteps", "30"];
  await shortRuns.paper2([...tiny, ...quick, "--out", `${folder}/runs/tiny`]);
}

/** Runs the script on a run; gives what it says. */
async function inpaint(folder: string, run: string, ...flags: string[]): Promise<string> {
  const args = ["--resume", run, ...short, ...flags];
  const { code, stdout, stderr } = await runScript("paper_2_inpainting.ts", args, folder);
  assertEquals(code, 0, stderr);
  return stdout;
}

Deno.test({
  name: "inpaint leaves three files in the run's folder and touches no other",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await trainTiny(folder);
      const before = await contentsOf(`${folder}/runs/tiny`);
      const few = ["--images", "3", "--fillings", "2", "--classifier-steps", "20"];
      const said = await inpaint(folder, "runs/tiny", ...few);
      assertMatch(said, /3 images with 32 of 64 pixels hidden, each filled 2 times/);
      assertMatch(said, /same digit as the original: [\d.]+ % of 6 fillings/);
      assertMatch(said, /mean squared error in the hole: \d/);
      const after = await contentsOf(`${folder}/runs/tiny`);
      assertEquals([...after.keys()].sort(), [...before.keys(), ...FILES].sort());
      for (const [name, hash] of before) assertEquals(after.get(name), hash, name);
    }),
});

Deno.test({
  name: "inpaint fills an image of one's own, the same way for the same seed",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await trainTiny(folder);
      const runs = `${folder}/runs`;
      // a run on a folder of images: nothing is measured by a classifier of digits
      await Deno.mkdir(`${runs}/own`);
      const data = Uint8Array.from({ length: 4 * 120 }, (_, i) => i % 4 === 3 ? 255 : i >> 2);
      await Deno.writeFile(`${runs}/own/a.png`, writePng({ width: 12, height: 10, data }));
      const record = JSON.parse(await Deno.readTextFile(`${runs}/tiny/run.json`));
      Object.assign(record.settings, { dataset: "images", dataDir: "runs/own" });
      await Deno.writeTextFile(`${runs}/tiny/run.json`, JSON.stringify(record));

      const own = ["--image", "runs/own/a.png", "--mask", "box:2,3,4,1"];
      const said = await inpaint(folder, "runs/tiny", ...own);
      assertMatch(said, /1 image with 4 of 64 pixels hidden, filled 6 times/);
      assert(!said.includes("digit"), said);
      const first = await contentsOf(`${runs}/tiny`);
      await inpaint(folder, "runs/tiny", ...own, "--workers", "1");
      const second = await contentsOf(`${runs}/tiny`);
      for (const name of [SHEET, "inpainting.csv"]) {
        assertEquals(second.get(name), first.get(name), "the earlier files stay");
        assertEquals(second.get(name.replace(".", "-2.")), first.get(name), name);
      }
      await inpaint(folder, "runs/tiny", ...own, "--seed", "1", "--out", "runs/other");
      const other = await contentsOf(`${runs}/other`);
      assertEquals([...other.keys()].sort(), [...FILES].sort());
      for (const name of FILES) assert(other.get(name) !== first.get(name), name);
      assertEquals(await contentsOf(`${runs}/tiny`), second);

      // a longer list of fillings begins with those of a shorter one
      const errors = async (file: string) =>
        (await Deno.readTextFile(`${runs}/other/${file}`)).split("\n").slice(1, 4)
          .map((row) => Number(row.split(",")[2]));
      const few = await errors("inpainting.csv");
      await inpaint(
        folder,
        "runs/tiny",
        ...own,
        "--fillings",
        "9",
        "--seed",
        "1",
        "--out",
        "runs/other",
      );
      for (const [k, error] of (await errors("inpainting-2.csv")).entries()) {
        assertAlmostEquals(error, few[k], 1e-4);
      }
      const sheet = readPng(await Deno.readFile(`${runs}/tiny/${SHEET}`), SHEET);
      assert(sheet.width > 600 && sheet.height > 100, `${sheet.width}x${sheet.height}`);
    }),
});

Deno.test({
  name: "inpaint says in one line what does not fit",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await trainTiny(folder);
      const runs = `${folder}/runs`;
      const record = JSON.parse(await Deno.readTextFile(`${runs}/tiny/run.json`));
      const madeUp = async (name: string, script: string, dataset: string, model?: Uint8Array) => {
        const settings = { ...record.settings, dataset };
        await Deno.mkdir(`${runs}/${name}`);
        await Deno.writeTextFile(`${runs}/${name}/run.json`, JSON.stringify({ script, settings }));
        if (model) await Deno.writeFile(`${runs}/${name}/model.safetensors`, model);
      };
      const weights = await Deno.readFile(`${runs}/tiny/model.safetensors`);
      await madeUp("paper1", "paper1", "mnist");
      await madeUp("images", "paper2", "images", weights);
      await madeUp("empty", "paper2", "mnist");
      await madeUp("colour", "paper2", "mnist", await colourModel(folder, record.settings));
      const data = Uint8Array.from({ length: 4 * 144 }, (_, i) => i % 4 === 1 ? 9 : 255);
      await Deno.writeFile(`${runs}/pink.png`, writePng({ width: 12, height: 12, data }));
      await Deno.writeFile(`${folder}/outside.png`, writePng({ width: 12, height: 12, data }));

      const here = ["--resume", "runs/tiny"];
      const cases: [string[], RegExp][] = [
        [["--sample-steps", "1001"], /the chain has 1000 steps/],
        [["--resume", "runs/none"], /runs\/none\/run\.json: there is no such file/],
        [["--resume", "runs/paper1"], /runs\/paper1\/run\.json is a run of paper1; .*paper2/],
        [["--resume", "runs/empty"], /runs\/empty\/model\.safetensors: there is no such file/],
        [["--resume", "runs/images"], /seen all images .*--image file\.png/],
        [["--resume", "runs/colour"], /mnist, is grey and the model's images are in colour/],
        [[...here, "--mask", "middle"], /--mask does not take 'middle'; allowed: box:x,y,w,h/],
        [[...here, "--mask", "random:2"], /--mask does not take 'random:2'/],
        [[...here, "--mask", "random:1"], /hides all of the 8x8 pixels/],
        [[...here, "--mask", "random:0"], /hides none of the 8x8 pixels/],
        [[...here, "--mask", "box:4,0,5,8"], /column 9 .*at most 8/],
        [[...here, "--mask", "runs/pink.png"], /runs\/pink\.png has 12x12 .*8x8/],
        [[...here, "--mask", "outside.png"], /outside\.png: this needs the permission/],
        [[...here, "--image", "runs/pink.png"], /pink\.png is in colour .* are grey/],
        [[...here, "--image", "runs/none.png"], /runs\/none\.png: there is no such file/],
        [[...here, "--image", "runs/pink.png", "--images", "2"], /--images 2 .*--image/],
        [[...here, "--images", "33"], /--images does not take '33'.*1 to 32/],
        [[...here, "--fillings", "1"], /--fillings does not take '1'.*2 to 16/],
        [[...here, "--sample-steps", "31"], /--sample-steps 31.*1 to 30/],
        [[...here, "--sample-steps", "5"], /--jump-length 5 with --sample-steps 5/],
        [[...here, "--data-dir", "runs"], /--dataset mnist: comes with the program/],
        [[...here, "--steps", "5"], /--steps is not a known flag/],
      ];
      for (const [args, message] of cases) {
        const flags = ["--backend", "cpu", "--workers", "1", ...args];
        if (!args.includes("--sample-steps")) flags.push("--sample-steps", "6");
        const ended = await runScript("paper_2_inpainting.ts", flags, folder);
        assertRefused(ended, message);
      }
      assertEquals((await contentsOf(`${runs}/tiny`)).has(SHEET), false);
    }),
});

/** The bytes of a model file like that of runs/tiny, for images in colour. */
async function colourModel(
  folder: string,
  settings: Parameters<typeof modelOptions>[0],
): Promise<Uint8Array> {
  await tf.setBackend("cpu");
  const { network } = createModel(modelOptions(settings, 3));
  const path = `${folder}/colour.safetensors`;
  await writeSafetensors(path, network.stateDict());
  network.dispose();
  return await Deno.readFile(path);
}
