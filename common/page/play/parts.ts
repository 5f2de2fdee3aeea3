/**
 * Pieces of HTML that the chapters of the page to play with share.
 *
 * @module
 */
import { equation } from "../equations.ts";

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

/** Play button, slider and label. */
export function timeControl(
  id: string,
  label: string,
  ends: [left: string, right: string],
  lights: string,
): string {
  return `<div class="time" data-lights="${lights}">
    <button type="button" id="${id}-play" class="play" data-state="paused" aria-label="Play">
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path class="paused" d="M6 3.5v13l10.5-6.5z"/>
        <path class="playing" d="M5 4h3.5v12H5zM11.5 4H15v12h-3.5z"/>
      </svg>
    </button>
    <span class="end">${ends[0]}</span>
    <input type="range" id="${id}-slider" min="0" max="40" step="1" value="0" aria-label="${label}">
    <span class="end">${ends[1]}</span>
    <output aria-live="off" id="${id}-label" for="${id}-slider"></output>
  </div>`;
}

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
    `<p><a href="code/${file.replaceAll("/", "-")}.html#L${line}">${file}, line ${line}</a></p>
    <pre tabindex="0" aria-label="${file} from line ${line}"><code>${escaped(text)}</code></pre>`;
  return `<details class="code"><summary>The code that runs here</summary>${
    excerpts.map(one).join("")
  }</details>`;
}

/** Text as HTML. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
