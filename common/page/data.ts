/**
 * Reads a run's folder for its page.
 *
 * @module
 */
import { evenly } from "../plot/evenly.ts";
import { readBytes } from "../files/reading.ts";
import { UserError } from "../user_error.ts";
import { readFigures } from "./chains.ts";
import { base64 } from "./packed.ts";
import { readLosses } from "./losses.ts";
import { readRecordData } from "./record.ts";
import type { RunRecord } from "../run/record.ts";
import type { RunData } from "./run_data.ts";

/** Bytes that the pictures of each kind may take. */
const ROOM = { sheets: 900_000, pictures: 700_000 };
/** Figures that the page draws itself once it has their numbers. */
const DRAWN_HERE = ["paper1_diffusion", "paper1_loss"].concat(
  ["paper2", "paper3", "paper4"].flatMap((script) => [`${script}_chain`, `${script}_loss`]),
);
const SHEET = /^sheet-(\d{1,15})\.png$/;
const PICTURE = /^paper\d\w*(-\d+)?\.png$/;

/** A file in the folder. */
interface File {
  name: string;
  bytes: number;
}

/**
 * Reads the files that a run's folder has so far. A file that is broken is left out and
 * named under `problems`.
 *
 * @param folder Its path.
 * @param known What to take in the place of its run.json.
 * @throws {UserError} There is no such folder, or no run.json in it.
 */
export async function readRun(folder: string, known?: RunRecord): Promise<RunData> {
  const record = await readRecordData(folder, known);
  const files = await listFiles(folder);
  const problems: string[] = [];
  async function optional<Part>(
    name: string,
    read: (path: string) => Promise<Part>,
  ): Promise<Part | undefined> {
    if (!files.some((file) => file.name === name)) return undefined;
    try {
      return await read(`${folder}/${name}`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
    }
  }
  const figures = await optional("figures.safetensors", readFigures);
  const isDrawn = ({ name }: File) => DRAWN_HERE.includes(name.replace(/\.png$/, ""));
  return {
    name: folder.replace(/\/+$/, "").split("/").at(-1)!,
    record,
    loss: await optional("loss.csv", readLosses),
    ...figures,
    ...await readSheets(folder, files),
    pictures: await readPictures(folder, files.filter((file) => !figures || !isDrawn(file))),
    problems,
  };
}

/** The whole files in the folder, by name; a name in .part is still being written. */
async function listFiles(folder: string): Promise<File[]> {
  const files: File[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || name.endsWith(".part")) continue;
    const info = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
    if (info) files.push({ name, bytes: info.size }); // otherwise it was removed in the meantime
  }
  return files.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** As many of the sheets as there is room for, evenly spaced over the training. */
async function readSheets(
  folder: string,
  files: File[],
): Promise<Pick<RunData, "sheets" | "sheetsLeftOut">> {
  const all = files.filter(({ name }) => SHEET.test(name));
  let chosen = all;
  while (sizeOf(chosen) > ROOM.sheets) {
    chosen = chosen.length === 1 ? [] : evenly(all.length, chosen.length - 1).map((i) => all[i]);
  }
  const sheets = await Promise.all(chosen.map(async ({ name }) => ({
    step: Number(SHEET.exec(name)![1]),
    png: base64(await readBytes(`${folder}/${name}`)),
  })));
  return { sheets, sheetsLeftOut: all.length - chosen.length };
}

/** The other figures, the smallest first, as long as there is room. */
async function readPictures(folder: string, files: File[]): Promise<RunData["pictures"]> {
  const chosen: File[] = [];
  const all = files.filter(({ name }) => PICTURE.test(name)).sort((a, b) => a.bytes - b.bytes);
  for (const file of all) {
    if (sizeOf([...chosen, file]) <= ROOM.pictures) chosen.push(file);
  }
  return await Promise.all(chosen.map(async ({ name }) => ({
    name,
    png: base64(await readBytes(`${folder}/${name}`)),
  })));
}

function sizeOf(files: File[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
