/**
 * From a chart's SVG to the bytes of a PNG file, with a font that comes with the program: the same
 * image on every machine, and no permission needed.
 *
 * @module
 */
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import resvgModule from "@resvg/resvg-wasm/index_bg.wasm" with { type: "bytes" };
import dejaVuSans from "dejavu-fonts-ttf/ttf/DejaVuSans.ttf" with { type: "bytes" };
import dejaVuSansBold from "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf" with { type: "bytes" };

/** The font of all charts; it has the Greek letters, subscripts and superscripts of the papers. */
export const FONT = "DejaVu Sans";

/** Pixels of the image for each unit of the SVG: crisp on dense screens. */
const SCALE = 2;

let ready: Promise<void> | undefined;

/** Draws an SVG document on white. */
export async function rasterize(svg: string): Promise<Uint8Array> {
  ready ??= initWasm(resvgModule);
  await ready;
  const renderer = new Resvg(svg, {
    background: "white",
    fitTo: { mode: "zoom", value: SCALE },
    font: {
      fontBuffers: [dejaVuSans, dejaVuSansBold],
      defaultFontFamily: FONT,
      loadSystemFonts: false,
    },
  });
  const image = renderer.render();
  const png = image.asPng();
  image.free();
  renderer.free();
  return png;
}
