/**
 * Makes a model that ships (common/shipped) from a finished run of paper2 or paper3.
 *
 *     deno task paper2
 *     deno task ship runs/paper2-quick-0
 *     deno task paper3
 *     deno task ship runs/paper3-quick-0
 *
 * Half precision halves the file; what is drawn with it looks the same.
 *
 * @module
 */
import { readBytes } from "../files/reading.ts";
import { decodeSafetensors, encodeSealed } from "../files/safetensors.ts";
import { sha256 } from "../files/sha256.ts";
import { makeFolder, writeAtomically } from "../files/writing.ts";
import { parseCommandLine, takeFolder } from "../run/command_line.ts";
import type { Command } from "../run/flags.ts";
import { helpText } from "../run/help.ts";
import { runMain } from "../run/main.ts";
import { inWords, readRecord } from "../run/record.ts";
import {
  inHalfPrecision,
  SHIPPED,
  SHIPPED_SCRIPTS,
  shippedFolder,
} from "../shipped/half_precision.ts";
import { UserError } from "../user_error.ts";

const flags = {};
const command: Command<typeof flags> = {
  name: "ship",
  summary: "Makes a model that ships from a finished run of paper2 or paper3.",
  takesFolder: true,
  flags,
  presets: {},
};

async function main(args: string[]): Promise<number> {
  const { folder, rest } = takeFolder(command.name, args);
  if (folder === undefined) {
    console.log(helpText(command));
    return 0;
  }
  parseCommandLine(command, rest);
  const { script: recorded, status } = await readRecord(`${folder}/run.json`);
  const script = SHIPPED_SCRIPTS.find((name) => name === recorded);
  if (!script || status !== "finished") {
    throw new UserError(
      `${folder} is a run of ${inWords(recorded)} that is ${
        inWords(status)
      }; expected a finished one of ${SHIPPED_SCRIPTS.join(" or ")}`,
    );
  }
  const path = `${folder}/model.safetensors`;
  const bytes = await readBytes(path);
  const half = inHalfPrecision(decodeSafetensors(bytes, path), await sha256(bytes));
  const files = new Map([
    [SHIPPED.model, await encodeSealed(half.tensors, half.metadata)],
    [SHIPPED.record, await readBytes(`${folder}/run.json`)],
  ]);
  const shipped = shippedFolder(script);
  await makeFolder(shipped);
  const sums: string[] = [];
  for (const [name, content] of files) {
    await writeAtomically(`${shipped}/${name}`, content);
    sums.push(`${await sha256(content)}  ${name}\n`); // as sha256sum writes it
  }
  await writeAtomically(`${shipped}/${SHIPPED.sums}`, sums.join(""));
  const size = files.get(SHIPPED.model)!.length;
  console.log(`${shipped}: the model of ${folder}, ${(size / 1e6).toFixed(2)} MB`);
  return 0;
}

if (import.meta.main) await runMain(main);
