/**
 * Writes the page to play with as a folder of files, for any web host or to be opened from the disk.
 *
 *     deno task page                  into runs/page
 *     deno task page --out runs/site
 *
 * @module
 */
import { loadImages } from "../common/data/images/load.ts";
import { embeddedMnist } from "../common/data/images/mnist.ts";
import { makeFolder, writeAtomically } from "../common/files/writing.ts";
import { codeAddress, codePage } from "../common/page/play/code_page.ts";
import { playPage } from "../common/page/play/html.ts";
import { permutation } from "../common/random.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { type Command, text } from "../common/run/flags.ts";
import { helpText } from "../common/run/help.ts";
import { runMain } from "../common/run/main.ts";
import { SHIPPED_SCRIPTS, type ShippedScript } from "../common/shipped/half_precision.ts";
import { shippedBytes, shippedRecord } from "../common/shipped/shipped_model.ts";
import { UserError } from "../common/user_error.ts";
import { bundle, importMap } from "./bundle.ts";
import { plainKernels } from "./plain_kernels.ts";
import { excerpts, SOURCES } from "./sources.ts";

const flags = {
  out: text({
    help: "the folder to write into: a new one, or that of an earlier page",
    placeholder: "FOLDER",
    default: "runs/page",
    allowed: "a folder",
    accepts: (path) => path !== "",
  }),
};

const command: Command<typeof flags> = {
  name: "page",
  summary: "Writes the page to play with as a folder of files.",
  flags,
  presets: {},
};

/** Which of the embedded digits chapter a destroys. */
const DIGIT = 313; // a three

/** Digits that chapter g compares with. */
const TRAINING_DIGITS = 1500;

/** The files of the page by their names. */
async function files(out: string, imports: string): Promise<Map<string, string>> {
  const [script, engine, gpu, kernels, digits] = await Promise.all([
    bundle("common/page/play/script/main.ts", imports),
    bundle("play/worker.ts", imports),
    bundle("play/gpu.ts", imports),
    plainKernels(`${out}/kernels`),
    embeddedMnist("test"),
  ]);
  const digit = digits.pixels.slice(DIGIT * 28 * 28, (DIGIT + 1) * 28 * 28);
  return new Map([
    ["index.html", await playPage({ script, digit, excerpts: excerpts() })],
    ["engine.js", `globalThis.playEngine = ${asText(engine)};\n`],
    ["gpu.js", `globalThis.playGpu = ${asText(gpu)};\n`],
    ["kernels.js", `globalThis.playKernels = "${kernels.toBase64()}";\n`],
    ...await Promise.all(
      SHIPPED_SCRIPTS.map(async (script): Promise<[string, string]> => [
        `${script}_model.js`,
        `(globalThis.playModels ??= {}).${script} = ${await shippedModel(script)};\n`,
      ]),
    ),
    ["training_digits.js", `globalThis.playTrainingDigits = ${await trainingDigits()};\n`],
    ...await Promise.all(
      Object.entries(SOURCES).map(async ([path, source]): Promise<[string, string]> => [
        codeAddress(path),
        await codePage(path, source, "../index.html"),
      ]),
    ),
  ]);
}

/** A model that ships and its run.json, as JavaScript: a script element loads it from the disk, too. */
async function shippedModel(script: ShippedScript): Promise<string> {
  const model = (await shippedBytes(script)).toBase64();
  return JSON.stringify({ model, record: shippedRecord(script) });
}

/** Digits that the model was trained on, in its size, as JavaScript. */
async function trainingDigits(): Promise<string> {
  const { size } = (shippedRecord("paper2") as { settings: { size: number } }).settings;
  const images = await loadImages({ dataset: "mnist", size, split: "train" });
  const order = permutation({ seed: 0, stream: "training images" }, images.count);
  const pixels = new Uint8Array(TRAINING_DIGITS * size * size);
  order.subarray(0, TRAINING_DIGITS).forEach((index, i) => {
    const from = index * size * size;
    pixels.set(images.pixels.subarray(from, from + size * size), i * size * size);
  });
  return JSON.stringify(pixels.toBase64());
}

/** A text as JavaScript. */
function asText(code: string): string {
  return JSON.stringify(code).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** Refuses a folder with other things in it: a page is written over an earlier page alone. */
async function refuseOthers(folder: string): Promise<void> {
  const there = await Array.fromAsync(Deno.readDir(folder)).catch((): Deno.DirEntry[] => []);
  const names = there.map(({ name }) => name);
  if (names.length === 0 || ["index.html", "engine.js"].every((name) => names.includes(name))) {
    return;
  }
  throw new UserError(
    `--out ${folder}: other files are there (${
      names[0]
    }); give a new folder, or that of an earlier page`,
  );
}

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  const { settings: { out }, help } = parseCommandLine(command, args);
  if (help) {
    console.log(helpText(command));
    return 0;
  }
  await refuseOthers(out);
  await makeFolder(`${out}/code`);
  const imports = `${out}/imports.json`;
  await writeAtomically(imports, importMap());
  const all = await files(out, imports).finally(async () => {
    await Deno.remove(imports);
    await Deno.remove(`${out}/kernels`, { recursive: true });
  });
  for (const [name, content] of all) await writeAtomically(`${out}/${name}`, content);
  console.log(`the page is in ${out}: open ${out}/index.html, or put the folder on a web host`);
  return 0;
}

if (import.meta.main) await runMain(main);
