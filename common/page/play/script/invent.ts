/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import type { Address } from "./address.ts";
import type { DigitsChapter } from "./digits.ts";
import type { Engine } from "./engine.ts";
import { gallery } from "./images.ts";
import { loadScript } from "./page_worker.ts";

declare global {
  /** Set by training_digits.js. */
  var playTrainingDigits: string | undefined;
}

/** Noises, and steps of their chains. */
const [COUNT, STEPS] = [6, 25];

const NAMES = ["perfect", "patches", "network"] as const;

/** Chapter g: three denoisers from the same noises. It comes to life with {@linkcode InventChapter.open}. */
export class InventChapter {
  readonly #parts;
  #opened = false;

  /** Waits. */
  constructor(
    parts: {
      engine: Engine;
      address: Address;
      digits: DigitsChapter;
      trouble: (error: unknown) => void;
    },
  ) {
    this.#parts = parts;
  }

  /** Loads the model and the training digits, once, and begins. */
  async open(): Promise<void> {
    if (this.#opened) return;
    this.#opened = true;
    const { engine, digits, trouble } = this.#parts;
    try {
      const [{ size }] = await Promise.all([digits.load(), loadScript("training_digits.js")]);
      const pixels = Uint8Array.from(
        atob(globalThis.playTrainingDigits!),
        (c) => c.charCodeAt(0),
      );
      globalThis.playTrainingDigits = undefined;
      await engine.call("loadTrainingDigits", { pixels });
      byId("invent-later").hidden = true;
      byId("invent-figure").hidden = false;
      this.#start(size, Float32Array.from(pixels, (value) => value / 127.5 - 1));
    } catch (error) {
      trouble(error);
    }
  }

  #start(size: number, training: Float32Array): void {
    const { engine, address, trouble } = this.#parts;
    const rows = NAMES.map((name) => ({
      name,
      show: gallery(`invent-${name}`, { count: COUNT, size, label: "image" }),
      showNearest: gallery(`invent-${name}-nearest`, { count: COUNT, size, label: "nearest" }),
    }));

    engine.on("chain", ({ name, t, share, xt, x0Hat }) => {
      const row = rows.find((row) => row.name === name);
      if (!row) return;
      row.show(x0Hat);
      const readout = byId(`invent-${name}-readout`);
      if (t > 0) {
        readout.textContent = `${Math.round(100 * share)} %`;
        return;
      }
      const { images, distances } = nearest(xt, training, size * size);
      row.showNearest(images);
      readout.textContent = `nearest training digits, ${
        distances.map((distance) => distance.toFixed(2)).join(" · ")
      } off`;
    });

    const noise = () => address.whole("inventNoise", { usual: 0, from: 0, to: 2 ** 31 });
    let begun = -1;
    const begin = async () => {
      begun = noise();
      for (const { name, show, showNearest } of rows) {
        const black = new Float32Array(COUNT * size * size).fill(-1);
        show(black);
        showNearest(black);
        byId(`invent-${name}-readout`).textContent = "waits";
      }
      await engine.call("invent", { seed: begun, count: COUNT, sampleSteps: STEPS }).catch(trouble);
    };
    byId("invent-again").addEventListener("click", () => {
      address.set({ inventNoise: noise() + 1 });
      begin();
    });
    address.onChange(() => {
      if (noise() !== begun) begin();
    });
    begin();
  }
}

/** The training image next to each image, and the root mean square of their difference. */
function nearest(
  images: Float32Array,
  training: Float32Array,
  pixels: number,
): { images: Float32Array; distances: number[] } {
  const found = new Float32Array(images.length);
  const distances: number[] = [];
  for (let from = 0; from < images.length; from += pixels) {
    let [best, least] = [0, Infinity];
    for (let other = 0; other < training.length; other += pixels) {
      let sum = 0;
      for (let i = 0; i < pixels && sum < least; i++) {
        sum += (images[from + i] - training[other + i]) ** 2;
      }
      if (sum < least) [best, least] = [other, sum];
    }
    found.set(training.subarray(best, best + pixels), from);
    distances.push(Math.sqrt(least / pixels));
  }
  return { images: found, distances };
}
