/**
 * Writes the numbers of finished runs into the documents:
 *
 *     deno task numbers
 *
 * A number that comes from a run has an invisible mark behind it, without a space, that says which:
 * `0.014<!--paper1:slicedWasserstein:3-->` is that result of the run `paper1` with three decimals. The
 * runs' results lie in images/numbers.json, which `deno task images` writes with the pictures.
 *
 * @module
 */
import { measuredShare } from "../report/metrics/measured.ts";
import { documents } from "./line_links.ts";

/** What is kept of a run: one seed of an experiment. */
export interface RunNumbers {
  /** The run's seed. */
  seed: number;
  /** What its run.json says under "results". */
  results: Record<string, unknown>;
}

/** The runs of each experiment, by the experiment's name. */
export type Numbers = Record<string, RunNumbers[]>;

/** Where the numbers lie. */
export const NUMBERS = "images/numbers.json";

/** A value without the signs that may stand before it, and its mark. */
const MARKED = /([^\s(|*`]|\u00a0)*<!--([\w-]+):([\w.]+):(\S+?)-->/g;

/** The value of a share with its standard error, or one of the other forms. */
const FORMS: [RegExp, (values: number[], runs: RunNumbers[], digits: number) => string][] = [
  [/^(\d)$/, (values, _, digits) => withRange(values, (x) => x.toFixed(digits))],
  [/^(\d)%$/, (values, _, digits) => `${withRange(values, percent(digits))}\u00a0%`],
  [/^±%$/, (values, runs) => share(values, runs)],
  [/^s$/, ([seconds]) => `${seconds.toFixed(1)}\u00a0s`],
  [/^of(\d+)$/, ([share], _, count) => `${Math.round(share * count)}\u00a0of\u00a0${count}`],
];

/**
 * Puts the numbers behind which there is a mark.
 *
 * @returns The document, and a sentence for each mark that leads to no number.
 */
export function withNumbers(
  document: string,
  content: string,
  numbers: Numbers,
): { content: string; lost: string[] } {
  const lost: string[] = [];
  const filled = content.replace(MARKED, (whole, _, run, path, form) => {
    const mark = `<!--${run}:${path}:${form}-->`;
    const runs = numbers[run] ?? [];
    const values = runs.map(({ results }) => resultAt(results, path));
    const [pattern, write] = FORMS.find(([pattern]) => pattern.test(form)) ?? [];
    if (!write || values.length === 0 || !values.every(Number.isFinite)) {
      lost.push(`${document}: no number for ${mark}`);
      return whole;
    }
    return write(values as number[], runs, Number(pattern!.exec(form)![1])) + mark;
  });
  return { content: filled, lost };
}

/** `samplers.3.report.frechet` in a run's results. */
function resultAt(results: Record<string, unknown>, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    results,
  );
}

/** The mean, and behind it in brackets the smallest and the largest where there are several. */
function withRange(values: number[], write: (value: number) => string): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return write(mean);
  return `${write(mean)}\u00a0[${write(Math.min(...values))},\u00a0${write(Math.max(...values))}]`;
}

/** A share of so many samples with its binomial standard error; of several runs, with their range. */
function share(values: number[], runs: RunNumbers[]): string {
  if (values.length > 1) return `${withRange(values, percent(1))}\u00a0%`;
  const [p] = values;
  const { samplers, samples } = runs[0].results as {
    samplers?: { report: { samples: number } }[];
    samples?: number;
  };
  const count = samples ?? samplers![0].report.samples;
  const { error } = measuredShare(p, count);
  return `${percent(1)(p)}\u00a0±\u00a0${percent(1)(error)}\u00a0%`;
}

function percent(digits: number): (share: number) => string {
  return (share) => (100 * share).toFixed(digits);
}

async function main(): Promise<number> {
  const numbers: Numbers = JSON.parse(await Deno.readTextFile(NUMBERS));
  let exitCode = 0;
  for (const document of await documents()) {
    const before = await Deno.readTextFile(document);
    const { content, lost } = withNumbers(document, before, numbers);
    if (content !== before) {
      await Deno.writeTextFile(document, content);
      console.log(`${document} has new numbers`);
    }
    for (const line of lost) console.error(`error: ${line}`);
    if (lost.length > 0) exitCode = 1;
  }
  return exitCode;
}

if (import.meta.main) Deno.exit(await main());
