// The models that ship: each is what the hashes say, and what its script trains with its defaults; they
// need no permission, and the commands that draw take one where no run is given.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeSafetensors, isIntact } from "../common/files/safetensors.ts";
import { sha256 } from "../common/files/sha256.ts";
import {
  inHalfPrecision,
  madeFrom,
  SHIPPED,
  SHIPPED_SCRIPTS,
  shippedFolder,
} from "../common/shipped/half_precision.ts";
import { shippedBytes, shippedModel, shippedRecord } from "../common/shipped/shipped_model.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { decisiveSettings } from "../common/run/settings.ts";
import * as paper2 from "../paper_2.ts";
import * as paper3 from "../paper_3.ts";
import {
  assertRefused,
  contentsOf,
  inTemporaryFolder,
  mayRunCommands,
  root,
  runScript,
  scriptCommand,
} from "./commands.ts";

/** A web page still takes so many bytes. */
const LARGEST = 2_000_000;

const COMMANDS = { paper2: paper2.command, paper3: paper3.command };

for (const script of SHIPPED_SCRIPTS) {
  Deno.test(`the model of ${script} is whole, small, and knows which file it was made from`, async () => {
    const model = await shippedModel(script);
    assertEquals(await isIntact(model), true);
    assertMatch(madeFrom(model)!, /^[\da-f]{64}$/);
    const { length } = await shippedBytes(script);
    assert(length < LARGEST, `${length} bytes`);
    for (const { data } of model.tensors.values()) assert(data instanceof Float16Array);
  });

  Deno.test(`the model of ${script} was trained with the defaults of ${script}`, () => {
    const record = shippedRecord(script) as { settings: Record<string, unknown>; script: string };
    assertEquals(record.script, script);
    const command = COMMANDS[script] as typeof paper2.command;
    const defaults: Record<string, unknown> = parseCommandLine(command, []).settings;
    for (const name of [...decisiveSettings(command, defaults), "steps"]) {
      assertEquals(record.settings[name] ?? undefined, defaults[name], name);
    }
  });

  Deno.test({
    name: `the files of the model of ${script} have the hashes of their list`,
    ignore: !mayRunCommands,
    fn: async () => {
      const folder = root + shippedFolder(script);
      const list = await Deno.readTextFile(`${folder}/${SHIPPED.sums}`);
      const files = await contentsOf(folder);
      const names = list.trim().split("\n").map((line) => {
        const [hash, name] = line.split("  ");
        assertEquals(hash, files.get(name), name);
        return name;
      });
      assertEquals(names, [SHIPPED.model, SHIPPED.record]);
    },
  });
}

Deno.test("half precision keeps a weight to three digits, and refuses one that is too large", () => {
  const data = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 10 ** (i % 4 - 2));
  const contents = (data: Float32Array) => ({
    tensors: new Map([["w", { shape: [data.length], data }]]),
    metadata: {},
  });
  const { tensors } = inHalfPrecision(contents(data), "");
  tensors.get("w")!.data.forEach((half, i) => {
    assert(Math.abs(half - data[i]) <= 2 ** -11 * Math.abs(data[i]), `${half} for ${data[i]}`);
  });
  try {
    inHalfPrecision(contents(Float32Array.of(1, 1e5)), "");
  } catch (error) {
    return assertMatch(String(error), /w has a weight that is too large/);
  }
  throw new Error("it was taken");
});

/** Runs deno in a folder with these arguments. */
async function deno(args: string[], cwd: string) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test({
  name: "a model that ships needs no permission",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const code = `import { shippedBytes } from "${root}common/shipped/shipped_model.ts";
        console.log((await shippedBytes("paper3")).length);`;
      await Deno.writeTextFile(`${folder}/without.ts`, code);
      const args = ["run", "--no-prompt", `--config=${root}deno.json`, "without.ts"];
      const { stdout, stderr } = await deno(args, folder);
      const { length } = await shippedBytes("paper3");
      assertEquals(stdout.trim(), String(length), stderr);
    }),
});

const TINY = [
  ...["--size", "8", "--channels", "8", "--channel-mults", "1", "--attention-levels", "none"],
  ...["--batch", "4", "--steps", "3", "--samples", "1", "--sample-steps", "4"],
  ...["--timesteps", "30", "--backend", "wasm"],
];

Deno.test({
  name: "deno task ship makes the files of each from a finished run, the same each time",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const ship = async (run: string) => {
        const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
        const words = tasks.ship.split(" ").slice(1).map((word: string) =>
          word.endsWith(".ts") ? root + word : word
        );
        const [verb, ...rest] = words;
        return await deno([verb, "--no-prompt", `--config=${root}deno.json`, ...rest, run], folder);
      };
      const few = { paper2: [], paper3: ["--guidance-samples", "0"] };
      for (const script of SHIPPED_SCRIPTS) {
        const run = `runs/${script}`;
        const file = script.replace("paper", "paper_") + ".ts";
        const trained = await runScript(file, [...TINY, ...few[script], "--out", run], folder);
        assertEquals(trained.code, 0, trained.stderr);
        const first = await ship(run);
        assertEquals(first.code, 0, first.stderr);
        const into = `${folder}/${shippedFolder(script)}`;
        const files = await contentsOf(into);
        assertEquals((await ship(run)).code, 0);
        assertEquals(await contentsOf(into), files);

        const there = await contentsOf(`${folder}/${run}`);
        assertEquals(files.get(SHIPPED.record), there.get("run.json"));
        const shipped = decodeSafetensors(
          await Deno.readFile(`${into}/${SHIPPED.model}`),
          "shipped",
        );
        const bytes = await Deno.readFile(`${folder}/${run}/model.safetensors`);
        assertEquals(madeFrom(shipped), await sha256(bytes));
        const weights = decodeSafetensors(bytes, "model").tensors;
        assertEquals([...shipped.tensors.keys()], [...weights.keys()]);
        for (const [name, { data }] of weights) {
          assertEquals(shipped.tensors.get(name)!.data, Float16Array.from(data), name);
        }
        const record = JSON.parse(await Deno.readTextFile(`${folder}/${run}/run.json`));
        const unfinished = JSON.stringify({ ...record, status: "interrupted" });
        await Deno.writeTextFile(`${folder}/${run}/run.json`, unfinished);
        assertRefused(
          await ship(run),
          /runs\/paper\d is a run of paper\d that is interrupted; expected a finished one of paper2 or/,
        );
      }
    }),
});

/** Flags that take the model which has learned labels. */
const LABELLED = ["--label", "--labels"];

Deno.test({
  name: "without --resume the commands that draw take the model that ships, and say so",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const run = async (script: string, ...args: string[]) => {
        const ended = await runScript(script, [...args, "--backend", "wasm"], folder);
        assertEquals(ended.code, 0, ended.stderr);
        const of = args.some((arg) => LABELLED.includes(arg)) || script === "paper_3.ts" ? 3 : 2;
        const line = `with the model that ships, from deno task paper${of}; --resume DIR`;
        assertStringIncludes(ended.stderr, line);
      };
      const drawn = async (run: string) =>
        (await contentsOf(`${folder}/runs/${run}`)).get("samples.safetensors");
      const few = ["--samples", "2", "--sample-steps", "3"];
      await run("paper_2.ts", "--sample-only", ...few);
      await run("paper_2.ts", "--sample-only", "--from", "runs/shipped-samples/run.json");
      assertEquals(await drawn("shipped-samples-2"), await drawn("shipped-samples"));
      const path = `${folder}/runs/shipped-samples/run.json`;
      const { drawnFrom, settings } = JSON.parse(await Deno.readTextFile(path));
      assertEquals(drawnFrom, { sha256: await sha256(await shippedBytes("paper2")) });
      const recorded = shippedRecord("paper2") as { settings: { size: number } };
      assertEquals(settings.size, recorded.settings.size);

      await run("paper_2_animate.ts", "--frames", "3", ...few);
      const files = [...(await contentsOf(`${folder}/runs/shipped`)).keys()];
      assertEquals(files, ["paper2_chain.gif"]);

      await run("paper_3.ts", "--draw", "20", "--sample-steps", "3");
      await run("paper_3.ts", "--from", "runs/shipped-draw/run.json");
      assertEquals(await drawn("shipped-draw-2"), await drawn("shipped-draw"));
      await run("paper_3.ts", "--label", "7", ...few);
      await run("paper_2_animate.ts", "--labels", ...few);
      assert((await contentsOf(`${folder}/runs/shipped`)).has("paper3_labels.gif"));

      const refused: [string[], RegExp][] = [
        [["--size", "32"], /--size 32: the model that ships has size 16.*train such a model first/],
        [["--preset", "standard"], /--preset standard: the model that ships has preset quick/],
        [
          ["--resume", "runs/shipped-samples"],
          /what the model that ships drew.*leave --resume out|expected one of paper3/,
        ],
      ];
      for (const [args, message] of refused) {
        assertRefused(await runScript("paper_2.ts", ["--sample-only", ...args], folder), message);
        assertRefused(await runScript("paper_3.ts", ["--draw", "7", ...args], folder), message);
      }
    }),
});

const INPAINT: [args: string[], script: string][] = [[[], "paper2"], [["--label", "7"], "paper3"]];
for (const [args, script] of INPAINT) {
  Deno.test({
    name: `inpaint ${
      args.join(" ")
    } fills with the model of ${script} that ships, into runs/shipped`,
    ignore: !mayRunCommands,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        const stop = new AbortController(); // the fillings would take their time
        const process = scriptCommand(
          "paper_2_inpainting.ts",
          ["--backend", "wasm", ...args],
          folder,
          { signal: stop.signal },
        ).spawn();
        let said = "";
        for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
          said += text;
          if (said.includes("writing to")) stop.abort();
        }
        await process.stdout.cancel();
        await process.status;
        assertMatch(said, /with the model that ships[^]*writing to runs\/shipped\n/);
        assertStringIncludes(said, `from deno task ${script};`);
      }),
  });
}
