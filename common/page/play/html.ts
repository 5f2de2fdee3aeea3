/**
 * The HTML of the page to play with.
 *
 * @module
 */
import { equationStyle, withoutStyleAttributes } from "../equations.ts";
import { escaped } from "../../plot/svg.ts";
import { hash } from "../page.ts";
import themeStyle from "../theme.css" with { type: "text" };
import timeStyle from "../time_control.css" with { type: "text" };
import { codeAddress } from "./code_page.ts";
import { destroy, learn, straighten, walk } from "./chapters.ts";
import { ask, digits, invent } from "./image_chapters.ts";
import { type Chapter, codeOf, type Excerpt } from "./parts.ts";
import playStyle from "./style.css" with { type: "text" };

/** What the page is made of. */
export interface PageParts {
  /** The page's own code. */
  script: string;
  /** A digit for chapter a, 28·28 grey values. */
  digit: Uint8Array;
  /** Lines of the scripts for each chapter. */
  excerpts: Record<Chapter, Excerpt[]>;
}

/** A small picture of a point between noise and data. */
const ICON = "data:image/svg+xml," + encodeURIComponent(
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='6' " +
    "fill='#0072b2'/><circle cx='12' cy='4' r='3' fill='#d55e00'/></svg>",
);

const CHAPTERS: Record<Chapter, string> = {
  destroy: "Destroy",
  learn: "Learn",
  walk: "Walk",
  digits: "Digits",
  ask: "Ask",
  straighten: "Straighten",
  invent: "Copy or invent",
};

/**
 * The page. Its script and its styles are within it and are allowed by their hashes; from beside it
 * come the worker's code and the models. Workers start from blobs, so that they do from the disk, too.
 */
export async function playPage({ script, digit, excerpts }: PageParts): Promise<string> {
  const { html, style } = withoutStyleAttributes(
    [
      destroy(codeOf(excerpts.destroy)),
      learn(codeOf(excerpts.learn)),
      walk(codeOf(excerpts.walk)),
      digits(codeOf(excerpts.digits)),
      ask(codeOf(excerpts.ask)),
      straighten(codeOf(excerpts.straighten)),
      invent(codeOf(excerpts.invent)),
    ].join("\n"),
  );
  const styles = [equationStyle, themeStyle, timeStyle, playStyle, style].join("\n");
  return `<!doctype html>
<html lang="en" data-digit="${digit.toBase64()}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${await policy(script, styles)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="Destroy data, train a diffusion model in this tab, and walk its chain backwards.">
<title>Intuitions on diffusion models, to play with</title>
<link rel="icon" href="${ICON}">
<style>${styles}</style>
</head>
<body>
<header>
  <p class="kicker">Intuitions on diffusion models</p>
  <h1>From noise to data, by hand</h1>
  <p class="lead">Data is destroyed slowly, by adding a little noise many times. A network learns to undo
  one small step of it. Undoing all the steps, from pure noise on, makes something new. Everything below
  is computed in this tab, by the code of the scripts that one reads beside the papers.</p>
  <button type="button" id="theme"></button>
  <nav aria-label="Chapters">${
    Object.entries(CHAPTERS).map(([id, title]) => `<a href="#at=${id}">${title}</a>`).join("")
  }</nav>
  <div id="trouble" role="alert"></div>
  <noscript><p>This page computes and draws with JavaScript, which is switched off.</p></noscript>
</header>
<main>
${html}
</main>
<footer>
  <p><span id="backend"></span><span id="backend-points"></span></p>
  <p>${
    [...new Set(Object.values(excerpts).flat().map(({ file }) => file))].map((file) =>
      `<a href="${codeAddress(file)}">${escaped(file)}</a>`
    ).join(" · ")
  }</p>
</footer>
<script>${script}</script>
</body>
</html>
`;
}

async function policy(script: string, styles: string): Promise<string> {
  return [
    "default-src 'none'",
    `script-src '${await hash(script)}' 'self' blob: 'wasm-unsafe-eval'`,
    `style-src '${await hash(styles)}'`,
    "worker-src blob:",
    "img-src data: blob:",
    "font-src data:",
    "connect-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
