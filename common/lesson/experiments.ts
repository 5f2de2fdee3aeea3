/**
 * Finished runs side by side: what happens when one thing is changed.
 *
 * @module
 */
import { decodeSafetensors } from "../files/safetensors.ts";
import { readBytes, readText } from "../files/reading.ts";
import { labelledRows } from "../plot/labelled_rows.ts";
import { diffusionFigure } from "../plot/figures.ts";
import { readRecord } from "../run/record.ts";

/** A run, and its caption. */
export interface Experiment {
  name: string;
  /** Its folder. */
  folder: string;
}

/** Points that are shown of each run, and images. */
const [POINTS, IMAGES] = [3000, 14];

/** The samples of runs of paper 1, a panel each, with their mean distance from the shape: a PNG. */
export async function pointExperiments(experiments: Experiment[]): Promise<Uint8Array> {
  const panels = await Promise.all(experiments.map(async ({ name, folder }) => {
    const [, ...rows] = (await readText(`${folder}/samples.csv`)).trimEnd().split("\n");
    const points = Float32Array.from(
      rows.slice(0, POINTS).flatMap((row) => row.split(",")),
      Number,
    );
    const { slicedWasserstein } = await resultsOf(folder);
    return { title: `${name}: ${slicedWasserstein.toFixed(3)}`, points };
  }));
  return await diffusionFigure({ rows: [{ label: "samples", panels }] });
}

/** The first images of runs of paper 2, a row each, with how good they are: a PNG. */
export async function imageExperiments(experiments: Experiment[]): Promise<Uint8Array> {
  const rows = await Promise.all(experiments.map(async ({ name, folder }) => {
    const path = `${folder}/samples.safetensors`;
    const { shape, data } = decodeSafetensors(await readBytes(path), path).tensors.get("samples")!;
    const { confident, frechet } = await resultsOf(folder);
    const quality = `${(100 * confident).toFixed(1)} % sure, Fréchet ${frechet.toFixed(1)}`;
    const [, height, width, channels] = shape;
    const images = Float32Array.from(data.subarray(0, IMAGES * height * width * channels));
    return { label: [name, quality], images, height, width, channels };
  }));
  const [{ height, width, channels }] = rows;
  return await labelledRows({ height, width, channels, columns: IMAGES, rows });
}

async function resultsOf(folder: string): Promise<Record<string, number>> {
  return (await readRecord(`${folder}/run.json`)).results as Record<string, number>;
}
