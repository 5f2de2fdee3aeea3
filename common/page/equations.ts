/**
 * Equations, set by KaTeX while the page is made: the page holds their HTML and the fonts, no code.
 *
 * @module
 */
import katex from "katex";
import katexStyle from "katex/dist/katex.min.css" with { type: "text" };
import main from "katex/dist/fonts/KaTeX_Main-Regular.woff2" with { type: "bytes" };
import math from "katex/dist/fonts/KaTeX_Math-Italic.woff2" with { type: "bytes" };
import calligraphic from "katex/dist/fonts/KaTeX_Caligraphic-Regular.woff2" with { type: "bytes" };
import size1 from "katex/dist/fonts/KaTeX_Size1-Regular.woff2" with { type: "bytes" };
import size2 from "katex/dist/fonts/KaTeX_Size2-Regular.woff2" with { type: "bytes" };
import { base64 } from "./packed.ts";

/** The fonts that the page's equations use; a test looks whether one is missing. */
const FONTS = [
  { family: "KaTeX_Main", style: "normal", font: main },
  { family: "KaTeX_Math", style: "italic", font: math },
  { family: "KaTeX_Caligraphic", style: "normal", font: calligraphic },
  { family: "KaTeX_Size1", style: "normal", font: size1 },
  { family: "KaTeX_Size2", style: "normal", font: size2 },
];

/** A formula within a sentence. */
export function inline(tex: string): string {
  return katex.renderToString(tex);
}

/** A formula on a line of its own, with where it comes from. It may name parts by `\\htmlClass`. */
export function equation(tex: string, source: string): string {
  const formula = katex.renderToString(tex, {
    displayMode: true,
    trust: ({ command }) => command === "\\htmlClass",
    strict: (code: string) => code === "htmlExtension" ? "ignore" : "warn",
  });
  return `<div class="equation">${formula}<cite>${source}</cite></div>`;
}

/** The style of equations, its fonts within it. */
export const equationStyle: string = [
  ...FONTS.map(({ family, style, font }) =>
    `@font-face{font-family:${family};font-style:${style};src:url(data:font/woff2;base64,${
      base64(font)
    }) format("woff2")}`
  ),
  katexStyle.replaceAll(/@font-face\{.*?\}/gs, ""),
].join("\n");

/**
 * Moves the style attributes of KaTeX's HTML to a style sheet, so that the page's security policy can
 * forbid such attributes.
 */
export function withoutStyleAttributes(html: string): { html: string; style: string } {
  const styles: string[] = [];
  const without = html.replaceAll(/ style="([^"]*)"/g, (_, style: string) => {
    if (!styles.includes(style)) styles.push(style);
    return ` data-s="${styles.indexOf(style)}"`;
  });
  return { html: without, style: styles.map((style, i) => `[data-s="${i}"]{${style}}`).join("\n") };
}
