/**
 * The page of a run: one file that needs nothing else, neither a network nor a server.
 *
 * @module
 */
import { writeAtomically } from "../files/writing.ts";
import { readRun } from "./data.ts";
import { DATASETS } from "../data/images/load.ts";
import { equationStyle, withoutStyleAttributes } from "./equations.ts";
import { FLOW_SAMPLES, flows, imageFlow } from "./flow_sections.ts";
import notices from "./notices.txt" with { type: "text" };
import script from "./page_script.js" with { type: "text" };
import { escaped } from "../plot/svg.ts";
import { plotStyle } from "./plot_style.ts";
import { type Place, readOn, wayToProject } from "./read_on.ts";
import type { RunRecord } from "../run/record.ts";
import type { RunData } from "./run_data.ts";
import { guidance, imageChains, pictures, pointChains, training } from "./sections.ts";
import pageStyle from "./style.css" with { type: "text" };
import themeStyle from "./theme.css" with { type: "text" };
import timeStyle from "./time_control.css" with { type: "text" };

/**
 * Writes report.html into a run's folder, from what lies there.
 *
 * @param record What run.json is going to say. Default: what it says.
 * @throws {UserError} There is no run, or the page cannot be written.
 */
export async function writeReportPage(folderPath: string, record?: RunRecord): Promise<void> {
  const project = wayToProject(folderPath);
  // a browser shows such a file as it is, and knows no lines in it
  const linkTo = project === undefined ? undefined : ({ file }: Place) => project + file;
  const page = await buildPage(await readRun(folderPath, record), { linkTo });
  await writeAtomically(`${folderPath}/report.html`, page);
}

/**
 * The page's HTML. All that comes from the run is in it as JSON and is shown as text; scripts and
 * styles are allowed by their hashes, and nothing at all may be loaded.
 *
 * @param options.live Whether the page comes from the server of `deno task explore` and asks it for news.
 * @param options.linkTo The address of a place to read on at. Default: there are no links.
 */
export async function buildPage(
  data: RunData,
  { live = false, linkTo }: { live?: boolean; linkTo?: (place: Place) => string } = {},
): Promise<string> {
  const kind = kindOf(data);
  const { html, style } = withoutStyleAttributes(body(data, kind, { live, linkTo }));
  const styles = [equationStyle, themeStyle, timeStyle, pageStyle, style].join("\n");
  const policy = [
    "default-src 'none'",
    `script-src '${await hash(script)}'`,
    `style-src '${await hash(styles)}' '${await hash(plotStyle("chart"))}'`,
    "img-src data:",
    "font-src data:",
    `connect-src ${live ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en" data-kind="${kind}"${live ? " data-live" : ""}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(data.name)}</title>
<link rel="icon" href="${ICON}">
<style>${styles}</style>
</head>
<body>
${html}
<script type="application/json" id="run-data">${embedded(data)}</script>
<script>${script}</script>
</body>
</html>
<!--
${notices}-->
`;
}

/** A small picture of a point between noise and data. */
const ICON = "data:image/svg+xml," + encodeURIComponent(
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='6' " +
    "fill='#0072b2'/><circle cx='12' cy='4' r='3' fill='#d55e00'/></svg>",
);

/** Which paper's chains the page shows. */
type Kind = "points" | "images" | "flows" | "image-flow" | "other";

function kindOf({ record, points, images }: RunData): Kind {
  if (record.script === "paper4") {
    const data = record.settings.find(([name]) => name === "data")?.[1];
    return images || DATASETS.some((name) => name === data) ? "image-flow" : "flows";
  }
  if (points || record.script === "paper1") return "points";
  return images || ["paper2", "paper3"].includes(record.script) ? "images" : "other";
}

const PAPERS: Record<Kind, string> = {
  points:
    "Sohl-Dickstein et al. 2015, Deep Unsupervised Learning using Nonequilibrium Thermodynamics",
  images: "Ho, Jain & Abbeel 2020, Denoising Diffusion Probabilistic Models",
  flows: "Lipman et al. 2023, Flow Matching; Liu et al. 2023, Flow Straight and Fast",
  "image-flow": "Lipman et al. 2023, Flow Matching; Liu et al. 2023, Flow Straight and Fast",
  other: "Intuitions on diffusion models",
};

const GUIDED = "Ho & Salimans 2022, Classifier-Free Diffusion Guidance";

function body(
  { record }: RunData,
  kind: Kind,
  { live, linkTo }: { live: boolean; linkTo?: (place: Place) => string },
): string {
  const isGuided = record.script === "paper3";
  const paper = isGuided ? GUIDED : PAPERS[kind];
  const sampler = record.settings.find(([name]) => name === "sampler")?.[1] ?? "";
  const chains: Record<Kind, () => string> = {
    points: pointChains,
    images: () => imageChains({ sampler }),
    flows,
    "image-flow": imageFlow,
    other: () => "",
  };
  return `<header>
    <p class="kicker">${escaped(paper)}</p>
    <h1><span id="name"></span> <span id="status" class="status"></span></h1>
    <p class="summary"><span id="summary"></span> <span id="live" role="status"></span></p>
    <button type="button" id="theme"></button>
    <div id="problems"></div>
  </header>
  <main>
    ${isGuided ? guidance() : ""}
    ${chains[kind]()}
    ${readOn(record.script, linkTo)}
    <section id="results-section" aria-labelledby="results-title" hidden>
      <h2 id="results-title">Results</h2>
      <dl class="results" id="results"></dl>
    </section>
    ${training(kind === "flows" ? FLOW_SAMPLES : "")}
    ${pictures()}
    <section aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      <p class="text" id="again"></p>
      <dl class="table" id="settings"></dl>
      <h3>Made with</h3>
      <dl class="table" id="versions"></dl>
    </section>
  </main>
  <footer>Charts by Observable Plot, equations by KaTeX.${
    live ? "" : " This page is one file and loads nothing."
  }</footer>
  <noscript><p class="later">This page draws its figures with JavaScript, which is switched off.</p>
  </noscript>`;
}

/** Data as JSON that cannot end the element that it stands in. */
function embedded(data: RunData): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

/** The name of a script or a style sheet in a security policy. */
export async function hash(content: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
  return `sha256-${new Uint8Array(digest).toBase64()}`;
}
