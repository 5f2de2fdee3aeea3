/// <reference lib="dom" />
import type { Packed } from "../packed.ts";
import { byId, element } from "./elements.ts";
import { stored } from "./unpack.ts";

/** Some images at the same moment of their chains, each on a canvas of its own. */
export class ImagePanel {
  readonly #place: HTMLElement;
  #canvases: HTMLCanvasElement[] = [];
  #shape: number[] = [];
  #pixels: ArrayLike<number> = [];

  /** Uses the element with this id. */
  constructor(id: string) {
    this.#place = byId(id);
  }

  /** @param chain [K, N, H, W, C], as bytes. */
  setContent(chain: Packed): void {
    this.#shape = chain.shape;
    this.#pixels = stored(chain);
    const [, N, H, W] = chain.shape;
    this.#canvases = Array.from({ length: N }, () => {
      const canvas = element("canvas");
      [canvas.width, canvas.height] = [W, H];
      return canvas;
    });
    this.#place.replaceChildren(...this.#canvases);
  }

  /** Goes to a moment, 0..K−1. */
  show(k: number): void {
    const [, N, H, W, C] = this.#shape;
    this.#canvases.forEach((canvas, n) => {
      const image = new ImageData(W, H);
      const start = (k * N + n) * H * W * C;
      for (let pixel = 0; pixel < H * W; pixel++) {
        for (let channel = 0; channel < 3; channel++) { // grey is the same in all three
          const from = start + pixel * C + (C === 3 ? channel : 0);
          image.data[4 * pixel + channel] = this.#pixels[from];
        }
        image.data[4 * pixel + 3] = 255;
      }
      canvas.getContext("2d")!.putImageData(image, 0, 0);
    });
  }
}
