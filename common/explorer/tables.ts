/**
 * Reads the tables that a run writes: its losses, and samples in the plane.
 *
 * @module
 */
import { readText } from "../files.ts";
import { UserError } from "../user_error.ts";
import { type Packed, packed } from "./packed.ts";
import type { LossData } from "./run_data.ts";

/** Bins of the loss: about as many as can be told apart in a chart. */
const MOST_BINS = 300;
/** Samples that are shown. */
const MOST_SAMPLES = 3000;

/**
 * Reads loss.csv.
 *
 * @returns Undefined while there is no loss in it yet.
 * @throws {UserError} It is something else.
 */
export async function readLosses(path: string): Promise<LossData | undefined> {
  const rows = await readRows(path, "step,loss");
  if (rows.length === 0) return undefined;
  const binSize = Math.ceil(rows.length / MOST_BINS);
  const bins: number[] = [];
  for (let at = 0; at < rows.length; at += binSize) {
    const bin = rows.slice(at, at + binSize);
    const losses = bin.map(([, loss]) => loss);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    bins.push(bin.at(-1)![0], mean, Math.min(...losses), Math.max(...losses));
  }
  return { binSize, steps: rows.at(-1)![0], bins: packed(bins, [bins.length / 4, 4]) };
}

/**
 * Reads samples.csv: some of its points, [N, 2].
 *
 * @throws {UserError} It is something else.
 */
export async function readSamples(path: string): Promise<Packed> {
  const rows = (await readRows(path, "x,y")).slice(0, MOST_SAMPLES);
  return packed(rows.flat(), [rows.length, 2]);
}

/** Rows of two numbers under a header. A last line that is still being written does not count. */
async function readRows(path: string, header: string): Promise<[number, number][]> {
  const [first, ...lines] = (await readText(path)).split("\n");
  const rows = lines.slice(0, -1).map((line) => line.split(",").map(Number));
  const isSound = first === header &&
    rows.every((row) => row.length === 2 && row.every(Number.isFinite));
  if (!isSound) throw new UserError(`${path} is not a table of ${header} as a run writes it`);
  return rows as [number, number][];
}
