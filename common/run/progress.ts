/**
 * Shows how far a task has come: a bar that is redrawn in a terminal, and elsewhere a line now and
 * then. It writes to stderr, so that results on stdout stay clean.
 *
 * @module
 */

/** What is being counted. */
export interface ProgressOptions {
  /** The name of the task, in a word or two. */
  label: string;
  /** The number of steps at the end. */
  total: number;
  /** Steps that were done before. Default: 0. */
  from?: number;
  /** What the rate counts. Default: steps. */
  unit?: string;
  /** How many of them a step is. Default: 1. */
  unitsPerStep?: number;
  /** Where it is shown. Default: stderr. */
  output?: Output;
}

/** Something that shows text. */
export interface Output {
  /** Whether a line can be redrawn. */
  isTerminal(): boolean;
  /** Characters of a line. */
  columns(): number;
  /** Shows the text as it is. */
  write(text: string): void;
}

const REDRAW_MS = 100;
const LINE_MS = 10_000;
const BAR = 24;

/** The progress of one task. */
export class Progress {
  readonly #options: Required<ProgressOptions>;
  readonly #started = performance.now();
  #shown = -Infinity;
  #step: number;
  #detail = "";

  /** Begins to count the time; nothing is shown yet. */
  constructor(options: ProgressOptions) {
    const defaults = { from: 0, unit: "steps", unitsPerStep: 1, output: standardError };
    this.#options = { ...defaults, ...options };
    this.#step = this.#options.from;
  }

  /**
   * Notes that `step` steps are done, and shows it if the last time was long enough ago.
   *
   * @param detail More to show, e.g. the loss.
   */
  update(step: number, detail = ""): void {
    this.#step = step;
    this.#detail = detail;
    const now = performance.now();
    const { output } = this.#options;
    if (now - this.#shown < (output.isTerminal() ? REDRAW_MS : LINE_MS)) return;
    this.#shown = now;
    this.#show();
  }

  /** Writes a line of its own, above the bar. */
  say(line: string): void {
    const { output } = this.#options;
    output.write(output.isTerminal() ? `\r\x1b[K${line}\n` : `${line}\n`);
    if (output.isTerminal()) this.#show();
  }

  /** Shows the last state, and leaves the line as it is. */
  finish(): void {
    this.#show();
    if (this.#options.output.isTerminal()) this.#options.output.write("\n");
  }

  #show(): void {
    const { output } = this.#options;
    const line = this.#line();
    if (!output.isTerminal()) return output.write(line + "\n");
    output.write(`\r${line.slice(0, output.columns() - 1)}\x1b[K`);
  }

  #line(): string {
    const { label, total, from, unit, unitsPerStep } = this.#options;
    const filled = Math.round(BAR * Math.min(1, this.#step / total));
    const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = (this.#step - from) / seconds;
    const parts = [`${label} ${bar} ${this.#step}/${total}`];
    if (this.#detail) parts.push(this.#detail);
    if (rate > 0 && seconds > 0.5) { // earlier, a rate means nothing
      parts.push(`${(rate * unitsPerStep).toPrecision(3)} ${unit}/s`);
      const left = (total - this.#step) / rate;
      parts.push(this.#step < total ? `${inWords(left)} left` : `took ${inWords(seconds)}`);
    }
    return parts.join("  ");
  }
}

/** Seconds as people say them: 8 s, 3 min 5 s, 2 h 10 min. */
export function inWords(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
}

const standardError: Output = {
  isTerminal: () => Deno.stderr.isTerminal(),
  columns: () => {
    try {
      return Deno.consoleSize().columns;
    } catch {
      return 80; // no terminal to ask
    }
  },
  write: (text) => {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  },
};
