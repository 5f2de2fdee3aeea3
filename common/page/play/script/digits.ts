/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import { timeControl } from "../../page_script/time_control.ts";
import type { ImageChainPoint } from "../protocol.ts";
import type { Address } from "./address.ts";
import { type Engine, loadScript } from "./engine.ts";
import { drawImage, thumbnails } from "./images.ts";
import { paintChapter } from "./paint.ts";
import { RadioGroup } from "./radio_group.ts";

declare global {
  /** Set by digits.js. */
  var playDigits: { model: string; record: { settings: object } } | undefined;
}

/** Digits that are drawn at once. */
const COUNT = 8;

const SAMPLERS = ["ddim", "ddpm"] as const;
const STEPS = ["50", "10", "25", "100"] as const;
const ETAS = ["1", "0", "0.5"] as const;

/** Chapter d: paper 2's digits. It comes to life when {@linkcode DigitsChapter.open} is called. */
export class DigitsChapter {
  readonly #parts;
  #opened = false;
  #loaded: Promise<{ size: number; T: number }> | undefined;

  /** Waits. */
  constructor(
    parts: { engine: Engine; address: Address; trouble: (error: unknown) => void },
  ) {
    this.#parts = parts;
  }

  /** Loads the model, once, and draws. */
  async open(): Promise<void> {
    if (this.#opened) return;
    this.#opened = true;
    try {
      const { size, T } = await this.load();
      byId("digits-later").hidden = true;
      byId("digits-figure").hidden = false;
      this.#start(size, T);
    } catch (error) {
      this.#parts.trouble(error);
    }
  }

  /** Loads the model, once: its images' size, and T. */
  load(): Promise<{ size: number; T: number }> {
    this.#loaded ??= (async () => {
      await loadScript("digits.js");
      const { model, record } = globalThis.playDigits!;
      globalThis.playDigits = undefined;
      const bytes = Uint8Array.from(atob(model), (c) => c.charCodeAt(0));
      return await this.#parts.engine.call("loadDigits", { model: bytes, record });
    })();
    return this.#loaded;
  }

  #start(size: number, T: number): void {
    const { engine, address, trouble } = this.#parts;
    const sampler = new RadioGroup("sampler", SAMPLERS, address);
    const steps = new RadioGroup("steps", STEPS, address);
    const eta = new RadioGroup("eta", ETAS, address);
    const strip = thumbnails("digit-strip", { count: COUNT, size, onPick: () => show() });
    const paint = paintChapter({ engine, trouble, size });
    let points: ImageChainPoint[] = [];
    let taken = false;

    const time = timeControl("digit-time", {
      plays: "up",
      describe: (i) => points[i] ? `t = ${points[i].t}` : "",
      onChange: () => show(),
    });

    function show() {
      const point = points[time.position()];
      if (!point) return;
      const one = (images: Float32Array) =>
        images.subarray(strip.picked * size * size, (strip.picked + 1) * size * size);
      drawImage(byId("digit-xt"), one(point.xt), size);
      drawImage(byId("digit-x0hat"), one(point.x0Hat), size);
      strip.show((points.at(-1) ?? point).x0Hat);
      const last = points.at(-1)!;
      const isDone = last.t === 0;
      byId("digit-readout").textContent = `Digit ${strip.picked + 1} at t = ${point.t} of ${T}` +
        (isDone ? "." : `; ${Math.round(100 * last.share)} % of the chain is walked.`);
      if (isDone && !taken) {
        taken = true;
        if (paint.isWhole) paint.take(one(last.xt));
      }
    }

    async function draw() {
      const seed = address.whole("noise", { usual: 0, from: 0, to: 2 ** 31 });
      for (const other of [steps, eta]) other.setEnabled(sampler.value === "ddim");
      try {
        await engine.call("draw", {
          ...{ sampler: sampler.value, seed, count: COUNT },
          ...{ sampleSteps: Number(steps.value), eta: Number(eta.value) },
        });
      } catch (error) {
        trouble(error);
      }
    }

    engine.on("chain", (point) => {
      if (point.name !== "draw") return;
      if (point.first) {
        points = [];
        taken = false;
      }
      points.push(point);
      time.setMoments(points.length, points.length - 1);
    });
    for (const group of [sampler, steps, eta]) group.onChange(draw);
    byId("digit-draw").addEventListener("click", draw);
    byId("digit-other").addEventListener("click", () => {
      const seed = address.whole("noise", { usual: 0, from: 0, to: 2 ** 31 });
      address.set({ noise: seed + 1 });
      draw();
    });
    address.onChange(draw);
    strip.onPicked((digit) => {
      const last = points.at(-1);
      if (last?.t === 0) {
        paint.take(last.xt.subarray(digit * size * size, (digit + 1) * size * size));
      }
    });
    draw();
  }
}
