/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import type { Address } from "./address.ts";
import { betweenNoises } from "./between.ts";
import { ChainView } from "./chain_view.ts";
import type { Engine } from "./engine.ts";
import { loadModel } from "./models.ts";
import { paintChapter } from "./paint.ts";
import { RadioGroup } from "./radio_group.ts";

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
    this.#loaded ??= loadModel("paper2").then((files) =>
      this.#parts.engine.call("loadDigits", files)
    );
    return this.#loaded;
  }

  #start(size: number, T: number): void {
    const { engine, address, trouble } = this.#parts;
    const sampler = new RadioGroup("sampler", SAMPLERS, address);
    const steps = new RadioGroup("steps", STEPS, address);
    const eta = new RadioGroup("eta", ETAS, address);
    const paint = paintChapter({ engine, address, trouble, size });
    const between = betweenNoises({ engine, address, trouble, size, of: COUNT });
    const seed = () => address.whole("noise", { usual: 0, from: 0, to: 2 ** 31 });
    let taken = false;

    const view = new ChainView({
      ...{ id: "digit", name: "draw", count: COUNT, size, T, engine, address },
      names: { image: "digit", t: "td" },
      onShow() {
        byId("digit-readout").textContent = view.describe();
        const last = view.last!;
        if (last.first) taken = false;
        if (last.t !== 0 || taken) return;
        taken = true;
        paint.take(view.one(last.xt));
        between.walk({ seed: seed(), sampleSteps: Number(steps.value) });
      },
    });

    const asked = () => ({
      ...{ sampler: sampler.value, seed: seed(), count: COUNT },
      ...{ sampleSteps: Number(steps.value), eta: Number(eta.value) },
    });
    let drawn = "";

    async function draw() {
      const given = asked();
      drawn = JSON.stringify(given);
      for (const other of [steps, eta]) other.setEnabled(given.sampler === "ddim");
      try {
        await engine.call("draw", given);
      } catch (error) {
        trouble(error);
      }
    }

    for (const group of [sampler, steps, eta]) {
      group.onChange(() => {
        paint.forgetFillings();
        draw();
      });
    }
    byId("digit-draw").addEventListener("click", () => {
      view.follow();
      draw();
    });
    byId("digit-other").addEventListener("click", () => {
      address.set({ noise: seed() + 1 });
      view.follow();
      paint.forgetFillings();
      draw();
    });
    address.onChange(() => {
      if (JSON.stringify(asked()) !== drawn) draw(); // a link to another chapter draws nothing anew
      else if (view.last?.t === 0) paint.take(view.one(view.last.xt));
    });
    view.strip.onPicked((digit) => {
      paint.makeWhole();
      if (view.last?.t === 0) paint.take(view.one(view.last.xt, digit));
    });
    draw();
  }
}
