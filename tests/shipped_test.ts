// The model that ships: it is what the hashes say, it is what `deno task paper2` trains, it needs no
// permission, and the commands that draw take it where no run is given.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeSafetensors, isIntact } from "../common/files/safetensors.ts";
import { sha256 } from "../common/files/sha256.ts";
import { inHalfPrecision, madeFrom, SHIPPED } from "../common/shipped/half_precision.ts";
import { shippedBytes, shippedModel, shippedRecord } from "../common/shipped/shipped_model.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { decisiveSettings } from "../common/run/settings.ts";
import { command } from "../paper_2.ts";
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

Deno.test("the model that ships is whole, small, and knows which file it was made from", async () => {
  assertEquals(await isIntact(shippedModel()), true);
  assertMatch(madeFrom(shippedModel())!, /^[\da-f]{64}$/);
  assert(shippedBytes.length < LARGEST, `${shippedBytes.length} bytes`);
  for (const { data } of shippedModel().tensors.values()) assert(data instanceof Float16Array);
});

Deno.test("the model that ships was trained with the defaults of paper2", () => {
  const { settings, script } = shippedRecord as {
    settings: Record<string, unknown>;
    script: string;
  };
  assertEquals(script, "paper2");
  const defaults: Record<string, unknown> = parseCommandLine(command, []).settings;
  for (const name of [...decisiveSettings(command, defaults), "steps"]) {
    assertEquals(settings[name] ?? undefined, defaults[name], name);
  }
});

Deno.test({
  name: "the files of the model that ships have the hashes of their list",
  ignore: !mayRunCommands,
  fn: async () => {
    const folder = `${root}${SHIPPED.folder}`;
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
  name: "the model that ships needs no permission",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const code = `import { shippedBytes } from "${root}common/shipped/shipped_model.ts";
        console.log(shippedBytes.length);`;
      await Deno.writeTextFile(`${folder}/without.ts`, code);
      const args = ["run", "--no-prompt", `--config=${root}deno.json`, "without.ts"];
      const { stdout, stderr } = await deno(args, folder);
      assertEquals(stdout.trim(), String(shippedBytes.length), stderr);
    }),
});

const TINY = [
  ...["--size", "8", "--channels", "8", "--channel-mults", "1", "--attention-levels", "none"],
  ...["--batch", "4", "--steps", "3", "--samples", "1", "--sample-steps", "4"],
  ...["--timesteps", "30", "--backend", "wasm"],
];

Deno.test({
  name: "deno task ship makes the files from a finished run, the same each time",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await Deno.mkdir(`${folder}/common/shipped`, { recursive: true });
      const ship = async (run: string) => {
        const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
        const words = tasks.ship.split(" ").slice(1).map((word: string) =>
          word.endsWith(".ts") ? root + word : word
        );
        const [verb, ...rest] = words;
        return await deno([verb, "--no-prompt", `--config=${root}deno.json`, ...rest, run], folder);
      };
      const trained = await runScript("paper_2.ts", [...TINY, "--out", "runs/x"], folder);
      assertEquals(trained.code, 0, trained.stderr);
      const first = await ship("runs/x");
      assertEquals(first.code, 0, first.stderr);
      const files = await contentsOf(`${folder}/common/shipped`);
      assertEquals((await ship("runs/x")).code, 0);
      assertEquals(await contentsOf(`${folder}/common/shipped`), files);

      const run = await contentsOf(`${folder}/runs/x`);
      assertEquals(files.get(SHIPPED.record), run.get("run.json"));
      const made = await Deno.readFile(`${folder}/common/shipped/${SHIPPED.model}`);
      const shipped = decodeSafetensors(made, "shipped");
      assertEquals(madeFrom(shipped), run.get("model.safetensors"));
      const bytes = await Deno.readFile(`${folder}/runs/x/model.safetensors`);
      assertEquals(madeFrom(shipped), await sha256(bytes));
      const weights = decodeSafetensors(bytes, "model").tensors;
      assertEquals([...shipped.tensors.keys()], [...weights.keys()]);
      for (const [name, { data }] of weights) {
        assertEquals(shipped.tensors.get(name)!.data, Float16Array.from(data), name);
      }
      const record = JSON.parse(await Deno.readTextFile(`${folder}/runs/x/run.json`));
      const unfinished = JSON.stringify({ ...record, status: "interrupted" });
      await Deno.writeTextFile(`${folder}/runs/x/run.json`, unfinished);
      assertRefused(
        await ship("runs/x"),
        /runs\/x is a run of paper2 that is interrupted; expected/,
      );
    }),
});

Deno.test({
  name: "without --resume the commands that draw take the model that ships, and say so",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const run = async (script: string, ...args: string[]) => {
        const ended = await runScript(script, [...args, "--backend", "wasm"], folder);
        assertEquals(ended.code, 0, ended.stderr);
        assertMatch(ended.stderr, /with the model that ships, from deno task paper2; --resume DIR/);
      };
      const drawn = async (run: string) =>
        (await contentsOf(`${folder}/runs/${run}`)).get("samples.safetensors");
      const few = ["--samples", "2", "--sample-steps", "3"];
      await run("paper_2.ts", "--sample-only", ...few);
      await run("paper_2.ts", "--sample-only", "--from", "runs/shipped-samples/run.json");
      assertEquals(await drawn("shipped-samples-2"), await drawn("shipped-samples"));
      const path = `${folder}/runs/shipped-samples/run.json`;
      const { drawnFrom, settings } = JSON.parse(await Deno.readTextFile(path));
      assertEquals(drawnFrom, { sha256: await sha256(shippedBytes) });
      assertEquals(settings.size, (shippedRecord as { settings: { size: number } }).settings.size);

      await run("paper_2_animate.ts", "--frames", "3", ...few);
      const files = [...(await contentsOf(`${folder}/runs/shipped`)).keys()];
      assertEquals(files, ["paper2_chain.gif"]);

      const refused: [string[], RegExp][] = [
        [["--size", "32"], /--size 32: the model that ships has size 16.*train such a model first/],
        [["--preset", "standard"], /--preset standard: the model that ships has preset quick/],
        [
          ["--resume", "runs/shipped-samples"],
          /what the model that ships drew.*leave --resume out/,
        ],
      ];
      for (const [args, message] of refused) {
        assertRefused(await runScript("paper_2.ts", ["--sample-only", ...args], folder), message);
      }
    }),
});

Deno.test({
  name: "inpaint fills with the model that ships, into runs/shipped",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const stop = new AbortController(); // the fillings would take their time
      const args = ["--backend", "wasm"];
      const process = scriptCommand("paper_2_inpainting.ts", args, folder, { signal: stop.signal })
        .spawn();
      let said = "";
      for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
        said += text;
        if (said.includes("writing to")) stop.abort();
      }
      await process.stdout.cancel();
      await process.status;
      assertMatch(said, /with the model that ships[^]*writing to runs\/shipped\n/);
    }),
});
