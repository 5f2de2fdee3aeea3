/**
 * loss.csv, the loss of every step of a run.
 *
 * @module
 */
import { readText } from "../files/reading.ts";
import { UserError } from "../user_error.ts";

const HEADER = "step,loss";
const ROW = /^\d+,[-+\d.e]+$/;

/** A step and its loss. */
export type LossRow = [step: number, loss: number];

/** The losses from step 1 on as the text of the file. */
export function lossCurve(losses: number[]): string {
  return [HEADER, ...losses.map((loss, i) => `${i + 1},${loss}`)].join("\n") + "\n";
}

/**
 * Reads the file.
 *
 * @throws {UserError} It is missing, or not a loss curve.
 */
export async function readLossCurve(path: string): Promise<LossRow[]> {
  const [header, ...lines] = (await readText(path)).trimEnd().split("\n");
  const rows = lines.map((line) => line.split(",").map(Number) as LossRow);
  const isSound = header === HEADER && lines.every((line) => ROW.test(line)) &&
    rows.flat().every(Number.isFinite);
  if (isSound) return rows;
  throw new UserError(`${path} is not the loss curve of a run: expected lines of step,loss`);
}
