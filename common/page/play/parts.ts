/**
 * Pieces of HTML that the chapters of the page to play with share.
 *
 * @module
 */
import { escaped } from "../../plot/svg.ts";
import { equation } from "../equations.ts";
import { codeAddress } from "./code_page.ts";

/** A formula whose parts light up with what moves them: `\htmlClass{term-NAME}{...}`. */
export function formula(tex: string, source: string): string {
  return equation(tex, source);
}

/** A square place to draw points in; `focusable` for one that hears the keyboard. */
export function stage(id: string, label: string, focusable = false): string {
  return `<div class="stage" id="${id}"><canvas role="${focusable ? "application" : "img"}"${
    focusable ? ' tabindex="0"' : ""
  } aria-label="${label}"></canvas></div>`;
}

/** A row of choices of which one holds. */
export function radios(
  name: string,
  title: string,
  choices: [value: string, text: string][],
  lights = "",
): string {
  const one = ([value, text]: [string, string]) =>
    `<label><input type="radio" name="${name}" value="${value}"><span>${text}</span></label>`;
  return `<fieldset class="radios"${lights && ` data-lights="${lights}"`}><legend>${title}</legend>
    <div>${choices.map(one).join("")}</div></fieldset>`;
}

/** The chapters by their ids. */
export type Chapter =
  | "destroy"
  | "learn"
  | "walk"
  | "digits"
  | "ask"
  | "straighten"
  | "invent";

/** Lines of a script, to look at beside the figure, and a link to the whole of it. */
export interface Excerpt {
  /** The file's path in the project. */
  file: string;
  /** The first of the lines. */
  line: number;
  /** The lines. */
  text: string;
}

/** Excerpts that open on demand. */
export function codeOf(excerpts: Excerpt[]): string {
  const one = ({ file, line, text }: Excerpt) =>
    `<p><a href="${codeAddress(file, line)}">${file}, line ${line}</a></p>
    <pre tabindex="0" aria-label="${file} from line ${line}"><code>${escaped(text)}</code></pre>`;
  return `<details class="code"><summary>The code that runs here</summary>${
    excerpts.map(one).join("")
  }</details>`;
}
