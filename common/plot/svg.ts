/**
 * The few parts of an SVG drawing that the project's own drawings are made of.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { FONT } from "./raster.ts";

/** Where and how a text stands. */
export interface TextOptions {
  /** In SVG units; see `anchor`. */
  x: number;
  /** The base line. */
  y: number;
  /** Height of the letters. Default: 11. */
  size?: number;
  /** Which part of the text is at x. Default: "middle". */
  anchor?: "start" | "middle" | "end";
  /** Its colour. Default: "#222". */
  fill?: string;
  /** Whether it is slanted. Default: false. */
  italic?: boolean;
  /** Degrees, clockwise. */
  turn?: number;
}

/** A line of text. */
export function text(content: string, options: TextOptions): string {
  const { x, y, size = 11, anchor = "middle", fill = "#222", italic, turn } = options;
  const style = italic ? ` font-style="italic"` : "";
  const position = turn ? `transform="translate(${x},${y}) rotate(${turn})"` : `x="${x}" y="${y}"`;
  return `<text ${position} text-anchor="${anchor}" font-family="${FONT}" ` +
    `font-size="${size}" fill="${fill}"${style}>${escaped(content)}</text>`;
}

/** An image in the drawing, its pixels kept as squares. */
export function image(
  png: Uint8Array,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): string {
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" ` +
    `image-rendering="optimizeSpeed" preserveAspectRatio="none" href="data:image/png;base64,${
      Buffer.from(png).toString("base64")
    }"/>`;
}

/** A whole drawing. */
export function drawing(width: number, height: number, parts: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}">${parts.join("")}</svg>`;
}

/** Text as it stands in SVG or HTML. */
export function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
