/**
 * The benchmark's results as lines of a table.
 *
 * @module
 */
import { median } from "./busy.ts";
import type { Result } from "./in_turn.ts";

/** A line for each contestant: time, ratio, items a second, memory, dispatches. */
export function lines(unit: string, results: Result[]): string[] {
  const fastest = Math.min(...results.filter((r) => r.rounds.length).map((r) => median(r.rounds)));
  const rows = results.map((result) => cells(unit, result, ratio(result, results, fastest)));
  const names = Math.max(...rows.map(([name]) => name.length));
  const columns = rows.filter((row) => row.length > 2); // the others say why there is no figure
  const widthOf = (i: number) =>
    Math.max(names * +(i === 0), ...columns.map((row) => row[i].length));
  return rows.map((row) =>
    row.map((cell, i) => row.length > 2 || i === 0 ? cell.padEnd(widthOf(i)) : cell).join("  ")
      .trimEnd()
  );
}

function cells(unit: string, result: Result, ratio: string): string[] {
  const { contestant, failure, rounds, itemsPerSecond, peakMiB, dispatches } = result;
  if (failure) return [contestant, `cannot: ${failure}`];
  const [least, most] = [Math.min(...rounds), Math.max(...rounds)].map((ms) => ms.toFixed(1));
  return [
    contestant,
    `${median(rounds).toFixed(1)} ms (${rounds.length > 1 ? `${least}-${most}` : "once"})`,
    ratio,
    `${+itemsPerSecond.toPrecision(itemsPerSecond < 100 ? 2 : 3)} ${unit}/s`,
    `${peakMiB.toFixed(0)} MiB`,
    dispatches === undefined ? "" : `${dispatches} dispatches`,
  ];
}

/** Against PyTorch on as many threads where it takes part, else against the fastest. */
function ratio(result: Result, results: Result[], fastest: number): string {
  const torch = results.filter(({ who, rounds }) => who === "PyTorch" && rounds.length > 0);
  if (torch.length === 0) return `${(median(result.rounds) / fastest).toFixed(2)} x the fastest`;
  if (result.who === "PyTorch") return "";
  const rival = torch.find(({ threads }) => threads === result.threads);
  if (!rival) return "";
  return `${(median(result.rounds) / median(rival.rounds)).toFixed(2)} x PyTorch`;
}
