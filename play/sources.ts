/**
 * The scripts that the page to play with runs, as texts: it shows the lines that work behind each figure.
 *
 * @module
 */
import forwardProcess from "../common/forward_process.ts" with { type: "text" };
import guided from "../common/network/guided.ts" with { type: "text" };
import slerp from "../common/slerp.ts" with { type: "text" };
import paper1 from "../paper_1_partb.ts" with { type: "text" };
import paper2 from "../paper_2.ts" with { type: "text" };
import inpainting from "../paper_2_inpainting.ts" with { type: "text" };
import paper3 from "../paper_3.ts" with { type: "text" };
import paper4 from "../paper_4.ts" with { type: "text" };
import paper5 from "../paper_5.ts" with { type: "text" };
import type { Chapter, Excerpt } from "../common/page/play/parts.ts";

/** The texts by their paths in the project. */
export const SOURCES: Record<string, string> = {
  "paper_1_partb.ts": paper1,
  "paper_2.ts": paper2,
  "paper_2_inpainting.ts": inpainting,
  "paper_3.ts": paper3,
  "paper_4.ts": paper4,
  "paper_5.ts": paper5,
  "common/forward_process.ts": forwardProcess,
  "common/network/guided.ts": guided,
  "common/slerp.ts": slerp,
};

/** The lines behind each chapter's figure. */
export function excerpts(): Record<Chapter, Excerpt[]> {
  return {
    destroy: [
      excerpt("common/forward_process.ts", "export function qSample<"),
      excerpt("paper_1_partb.ts", "export function qStep<"),
    ],
    learn: [
      excerpt("paper_1_partb.ts", "export function* train("),
      excerpt("paper_1_partb.ts", "export function klDivergence("),
    ],
    walk: [excerpt("paper_1_partb.ts", "export function* sample(")],
    digits: [
      excerpt("paper_2.ts", "export function ddim("),
      excerpt("common/slerp.ts", "export function slerp("),
      excerpt("paper_2_inpainting.ts", "export function repaint("),
    ],
    ask: [
      excerpt("common/network/guided.ts", "export function guidedNoise("),
      excerpt("paper_3.ts", "export function guidedChainOf("),
    ],
    invent: [
      excerpt("paper_5.ts", "function posteriorMean("),
      excerpt("paper_5.ts", "export function localDenoiser("),
    ],
    straighten: [
      excerpt("paper_4.ts", "export function flowMatchingLoss("),
      excerpt("paper_4.ts", "export function reflowPairs("),
    ],
  };
}

/**
 * A function of a script, by how it begins.
 *
 * @throws {Error} No line begins so.
 */
export function excerpt(file: string, beginning: string): Excerpt {
  const lines = SOURCES[file].split("\n");
  const first = lines.findIndex((line) => line.startsWith(beginning));
  if (first < 0) throw new Error(`${file} has no line that begins with ${beginning}`);
  const last = lines.findIndex((line, i) => i > first && line === "}");
  return { file, line: first + 1, text: lines.slice(first, last + 1).join("\n") };
}
