/**
 * A run's losses for its page.
 *
 * @module
 */
import { readLossCurve } from "../run/loss_curve.ts";
import { packed } from "./packed.ts";
import type { LossData } from "./run_data.ts";

/** Bins of steps: about as many as can be told apart in a chart. */
const MOST_BINS = 300;

/**
 * Reads the losses, in bins of some steps each.
 *
 * @returns Undefined while there is none in the file yet.
 * @throws {UserError} The file is not a loss curve.
 */
export async function readLosses(path: string): Promise<LossData | undefined> {
  const rows = await readLossCurve(path);
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
