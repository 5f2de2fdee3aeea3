/**
 * The page of a run: one file that needs nothing else, neither a network nor a server.
 *
 * @module
 */
import { writeAtomically } from "../files.ts";
import { readRun } from "./data.ts";
import { equationStyle, withoutStyleAttributes } from "./equations.ts";
import script from "./page_script.js" with { type: "text" };
import { plotStyle } from "./plot_style.ts";
import type { RunData } from "./run_data.ts";
import { pointSections, trainingSection } from "./sections.ts";
import pageStyle from "./style.css" with { type: "text" };

/**
 * Writes report.html into a run's folder, from what lies there.
 *
 * @throws {UserError} There is no run, or the page cannot be written.
 */
export async function writeReportPage(folderPath: string): Promise<void> {
  const page = await buildPage(await readRun(folderPath));
  await writeAtomically(`${folderPath}/report.html`, page);
}

/** The page's HTML. */
export async function buildPage(data: RunData): Promise<string> {
  const { html, style } = withoutStyleAttributes(body());
  const styles = `${equationStyle}\n${pageStyle}\n${style}`;
  const policy = [
    "default-src 'none'",
    `script-src '${await hash(script)}'`,
    `style-src '${await hash(styles)}' '${await hash(plotStyle("chart"))}'`,
    "img-src data:",
    "font-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(data.name)}</title>
<style>${styles}</style>
</head>
<body>
${html}
<script type="application/json" id="run-data">${embedded(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function body(): string {
  return `<header>
    <p class="kicker">Sohl-Dickstein et al. 2015</p>
    <h1><span id="name"></span> <span id="status" class="status"></span></h1>
    <p class="summary" id="summary"></p>
    <button type="button" id="theme"></button>
    <div id="problems"></div>
    <dl class="results" id="results"></dl>
  </header>
  <main>
    ${pointSections()}
    ${trainingSection()}
    <section aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      <dl class="table" id="settings"></dl>
      <dl class="table" id="versions"></dl>
    </section>
  </main>`;
}

/** Data as JSON that cannot end the element that it stands in. */
function embedded(data: RunData): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** What a security policy calls a script or style sheet by. */
async function hash(content: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
  return `sha256-${new Uint8Array(digest).toBase64()}`;
}
