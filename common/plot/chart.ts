/**
 * Charts by Observable Plot outside of a browser, and their arrangement on a sheet.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { FONT } from "./raster.ts";
import { text } from "./svg.ts";

/** Colours that people with any colour vision can tell apart (Okabe & Ito 2008). */
export const COLOURS = { blue: "#0072b2", orange: "#d55e00", green: "#009e73", grey: "#8a8a8a" };

/** A chart as SVG, with its size. */
export interface Chart {
  /** The SVG text. */
  svg: string;
  /** In SVG units. */
  width: number;
  /** In SVG units. */
  height: number;
}

/** Makes a chart from the options of `Plot.plot`; a title stands above it, and below that a note. */
export function chart(options: Plot.PlotOptions & { title?: string; note?: string }): Chart {
  const { title, note, width = 420, height = 300, marginTop = title ? 40 : 20, ...rest } = options;
  const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
    document: Plot.PlotOptions["document"];
  };
  const svg = Plot.plot({
    ...rest,
    title: undefined,
    document,
    width,
    height,
    marginTop,
    style: { fontFamily: FONT, fontSize: "11px", background: "white", color: "#222" },
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const heading = (title ? text(title, { x: width / 2, y: 16, size: 13 }) : "") +
    (note ? text(note, { x: width / 2, y: 33, fill: "#666" }) : "");
  return { svg: svg.outerHTML.replace("</svg>", `${heading}</svg>`), width, height };
}

/** Charts side by side in rows, with a label left of each row. */
export function sheet(rows: { label?: string; charts: Chart[] }[]): string {
  const margin = rows.some(({ label }) => label) ? 30 : 6;
  let y = 6;
  let width = 0;
  const parts: string[] = [];
  for (const { label, charts } of rows) {
    let x = margin;
    const height = Math.max(...charts.map((chart) => chart.height));
    for (const { svg, width } of charts) {
      // not cut off at its edges: that would be done with a layer of the whole sheet's size for each chart
      parts.push(svg.replace("<svg", `<svg x="${x}" y="${y}" overflow="visible"`));
      x += width;
    }
    if (label) parts.push(text(label, { x: 18, y: y + height / 2, size: 13, turn: -90 }));
    width = Math.max(width, x + 6);
    y += height;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 6}">${
    parts.join("")
  }</svg>`;
}

/** A mark that draws thousands of dots as one path, which is much faster than as many circles. */
export function dots(
  points: Float32Array,
  { r, fill, opacity }: { r: number; fill: string; opacity: number },
): Plot.RenderFunction {
  return (_index, scales, _values, dimensions, context) => {
    const path = context.document.createElementNS("http://www.w3.org/2000/svg", "path");
    const { width, height, marginTop, marginRight, marginBottom, marginLeft } = dimensions;
    const circle = `a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;
    const parts: string[] = [];
    for (let i = 0; i < points.length; i += 2) {
      const [cx, cy]: number[] = [scales.x!(points[i]), scales.y!(points[i + 1])];
      const inside = cx >= marginLeft && cx <= width - marginRight && cy >= marginTop &&
        cy <= height - marginBottom;
      if (!inside) continue;
      parts.push(`M${(cx - r).toFixed(2)},${cy.toFixed(2)}${circle}`);
    }
    path.setAttribute("d", parts.join(""));
    path.setAttribute("fill", fill);
    path.setAttribute("fill-opacity", String(opacity));
    return path;
  };
}
