/**
 * What to read beside a run's page: the chapter, and the functions behind what it shows.
 *
 * @module
 */
import { escaped } from "../plot/svg.ts";

/** A place in a file of the project. */
export interface Place {
  /** In words. */
  text: string;
  /** From the project's folder on. */
  file: string;
  /** How a line of the file begins: a heading, or a function. */
  line: string;
}

const training2: Place = {
  text: "training",
  file: "paper_2.ts",
  line: "export function* algorithm1(",
};
const noising: Place = {
  text: "noising",
  file: "common/forward_process.ts",
  line: "export function qSample<",
};

/** The chapter first, by the script's name. */
export const PLACES: Record<string, Place[]> = {
  paper1: [
    { text: "the chapter", file: "README.md", line: "## Paper 1: the Swiss roll" },
    { text: "a step to noise", file: "paper_1_partb.ts", line: "export function qStep<" },
    { text: "what is minimized", file: "paper_1_partb.ts", line: "export function klDivergence(" },
    { text: "training", file: "paper_1_partb.ts", line: "export function* train(" },
    { text: "the chain back", file: "paper_1_partb.ts", line: "export function* sample(" },
  ],
  paper2: [
    { text: "the chapter", file: "README.md", line: "## Paper 2: digits" },
    noising,
    training2,
    { text: "sampling", file: "paper_2.ts", line: "export function algorithm2(" },
    { text: "in fewer steps", file: "paper_2.ts", line: "export function ddim(" },
    { text: "the network", file: "unet.ts", line: "export class UNet {" },
  ],
  paper3: [
    { text: "the chapter", file: "docs/paper_3.md", line: "# Paper 3: draw me a seven" },
    { text: "training", file: "paper_3.ts", line: "export function* algorithm1(" },
    { text: "guided sampling", file: "paper_3.ts", line: "export function algorithm2(" },
    noising,
  ],
  paper4: [
    { text: "the chapter", file: "docs/paper_4.md", line: "# Paper 4: straight ways" },
    { text: "the loss", file: "paper_4.ts", line: "export function flowMatchingLoss(" },
    { text: "training", file: "paper_4.ts", line: "export function* train(" },
    { text: "following the flow", file: "paper_4.ts", line: "export function follow(" },
    { text: "reflow", file: "paper_4.ts", line: "export function reflowPairs(" },
  ],
};

/**
 * A line with the places of a script; nothing for other scripts.
 *
 * @param linkTo The address of a place. Without it the places are named and not linked.
 */
export function readOn(script: string, linkTo?: (place: Place) => string): string {
  if (!Object.hasOwn(PLACES, script)) return "";
  const places = PLACES[script].map((place) => {
    const { text, file, line } = place;
    const name = /(?:function\*?|class) (\w+)/.exec(line)?.[1];
    const where = name ? `<code>${name}</code> in ${file}` : file;
    const words = linkTo ? `<a href="${escaped(linkTo(place))}">${text}</a>` : text;
    return `<li>${words} <span>${where}</span></li>`;
  });
  return `<nav class="read-on" aria-label="Read on"><ul>${places.join("")}</ul></nav>`;
}

/**
 * The way from a page in a run's folder to the project's, where that is told by the folder's path: in the
 * project, as with the tasks.
 */
export function wayToProject(folder: string): string | undefined {
  const parts = folder.split("/").filter((part) => part !== "" && part !== ".");
  if (folder.startsWith("/") || parts.includes("..") || Deno.build.os === "windows") return;
  return "../".repeat(parts.length);
}
