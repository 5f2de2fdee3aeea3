/**
 * The numbers of a run of paper 1, to be shown beside those of a flow.
 *
 * @module
 */
import { askForFolder } from "../files/writing.ts";
import { readRecord } from "../run/record.ts";
import { UserError } from "../user_error.ts";

/** What a run of paper 1 came to. */
export interface Paper1Beside {
  /** T, the steps of its chain. */
  timesteps: number;
  /** The bound, in bits a point. */
  K: number;
  /** Between its samples and the data. */
  slicedWasserstein: number;
}

/**
 * Reads a finished run of paper 1.
 *
 * @param settings.beside Its folder; without one, nothing is read.
 * @param settings.data What it must have been trained on.
 * @throws {UserError} It cannot be read, is not finished, or is of another paper or other data.
 */
export async function readBeside(
  { beside, data }: { beside: string | undefined; data: string },
): Promise<Paper1Beside | undefined> {
  if (beside === undefined) return undefined;
  await askForFolder(beside);
  const { script, status, settings, results } = await readRecord(`${beside}/run.json`);
  const isFit = script === "paper1" && status === "finished" && settings?.data === data;
  const numbers = [settings?.timesteps, results?.K, results?.slicedWasserstein];
  if (!isFit || !numbers.every(Number.isFinite)) {
    throw new UserError(
      `--beside ${beside}: a run of ${script} on ${settings?.data}, ${status}; expected a finished ` +
        `run of paper1 on ${data}`,
    );
  }
  const [timesteps, K, slicedWasserstein] = numbers as number[];
  return { timesteps, K, slicedWasserstein };
}
