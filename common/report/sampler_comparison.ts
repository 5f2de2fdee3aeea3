/**
 * The same noises sent through several samplers: how long each takes, and how good its images are.
 *
 * @module
 */
import { drawImages } from "./draw_images.ts";
import { labelledRows } from "../plot/labelled_rows.ts";
import type { ChainPoint, ImageShape } from "../reverse_process.ts";
import type { RunFolder } from "../run/folder.ts";
import type { SampleReport } from "./sample_report.ts";

/** One way from noise to images. */
export interface Sampler {
  /** The label of its row. */
  name: string;
  /** Steps of a chain. */
  steps: number;
  /** Starts the chain of a batch; see {@linkcode drawImages}. */
  chain: (shape: ImageShape, index: number) => Iterable<ChainPoint>;
}

/** The numbers of one sampler. */
export interface SamplerResult {
  /** What it is called in the figure. */
  name: string;
  /** Steps of a chain. */
  steps: number;
  /** For all images together. */
  seconds: number;
  /** How good the images are, where there is a measure. */
  report?: SampleReport;
}

/** Images of each row that are shown. */
const SHOWN = 16;

/**
 * Draws images with each sampler; writes paper2_samplers.png, the first sixteen of each in a row, and
 * paper2_samplers.csv.
 *
 * @param shape Of each sampler's images.
 * @param measure Measures images; undefined where nothing can.
 */
export async function compareSamplers(
  samplers: Sampler[],
  { folder, shape, measure }: {
    folder: RunFolder;
    shape: ImageShape;
    measure?: (samples: Float32Array) => Promise<SampleReport>;
  },
): Promise<SamplerResult[]> {
  const [count, height, width, channels] = shape;
  const columns = Math.min(SHOWN, count);
  const results: SamplerResult[] = [];
  const rows: { label: string[]; images: Float32Array }[] = [];
  for (const { name, steps, chain } of samplers) {
    const started = performance.now();
    const images = await drawImages(shape, chain, steps, name);
    const seconds = (performance.now() - started) / 1000;
    const report = await measure?.(images);
    results.push({ name, steps, seconds, report });
    const quality = report ? [`Fréchet ${report.frechet.toFixed(1)}`] : [];
    rows.push({
      label: [name, [`${seconds.toFixed(1)} s`, ...quality].join(", ")],
      images: images.subarray(0, columns * height * width * channels),
    });
  }
  await folder.write(
    "paper2_samplers.png",
    await labelledRows({ height, width, channels, columns, rows }),
  );
  await folder.write("paper2_samplers.csv", csv(results));
  return results;
}

/** The results as lines of a table. */
export function comparisonLines(results: SamplerResult[]): string[] {
  const rows = results.map(({ name, seconds, report }) => [
    name,
    `${seconds.toFixed(1)} s`,
    report ? report.frechet.toFixed(2) : "",
    report ? `${(100 * report.confident).toFixed(1)} %` : "",
  ]);
  const table = [["sampler", "time", "Fréchet distance", "sure digits"], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const lines = table.map(([name, ...rest]) =>
    [name.padEnd(widths[0]), ...rest.map((cell, i) => cell.padStart(widths[i + 1]))].join("  ")
  );
  const real = results[0]?.report?.frechetReal;
  return real === undefined
    ? lines
    : [...lines, `Fréchet distance of as many real digits: ${real.toFixed(2)}`];
}

function csv(results: SamplerResult[]): string {
  const rows = results.map(({ name, steps, seconds, report }) =>
    [`"${name}"`, steps, seconds.toFixed(2), report?.frechet ?? "", report?.confident ?? ""]
      .join(",") + "\n"
  );
  return "sampler,steps,seconds,frechet,confident\n" + rows.join("");
}
