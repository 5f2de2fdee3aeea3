/**
 * The style that Observable Plot puts into each of its charts.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/**
 * The text of the style element of a chart, which the page's security policy has to allow by its hash.
 *
 * @param className The charts' class.
 */
export function plotStyle(className: string): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
    document: Plot.PlotOptions["document"];
  };
  return Plot.plot({ document, className }).querySelector("style")!.textContent!;
}
