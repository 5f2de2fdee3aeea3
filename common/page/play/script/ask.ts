/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import type { Address } from "./address.ts";
import { ChainView } from "./chain_view.ts";
import type { Engine } from "./engine.ts";
import { loadModel } from "./models.ts";
import { RadioGroup } from "./radio_group.ts";

/** Digits that are drawn at once. */
const COUNT = 16;

const LABELS = ["7", "0", "1", "2", "3", "4", "5", "6", "8", "9", "none"] as const;
const STEPS = ["25", "10", "50"] as const;
/** What w may be; the slider has the same bounds. */
const W = { usual: 1, from: 0, to: 8, step: 0.5 };
/** Milliseconds that the slider of w has to rest before it is drawn anew. */
const REST = 120;

/** Chapter e: paper 3's digits. It comes to life when {@linkcode AskChapter.open} is called. */
export class AskChapter {
  readonly #parts;
  #opened = false;

  /** Waits. */
  constructor(parts: { engine: Engine; address: Address; trouble: (error: unknown) => void }) {
    this.#parts = parts;
  }

  /** Loads the model, once, and draws. */
  async open(): Promise<void> {
    if (this.#opened) return;
    this.#opened = true;
    const { engine, trouble } = this.#parts;
    try {
      const { size, T } = await engine.call("loadAsked", await loadModel("paper3"));
      byId("ask-later").hidden = true;
      byId("ask-figure").hidden = false;
      this.#start(size, T);
    } catch (error) {
      trouble(error);
    }
  }

  #start(size: number, T: number): void {
    const { engine, address, trouble } = this.#parts;
    const label = new RadioGroup("label", LABELS, address);
    const steps = new RadioGroup("askSteps", STEPS, address);
    const slider = byId<HTMLInputElement>("ask-w");
    const w = () => address.inSteps("w", W);
    const seed = () => address.whole("askNoise", { usual: 0, from: 0, to: 2 ** 31 });
    let timer: ReturnType<typeof setTimeout> | undefined;

    const view = new ChainView({
      ...{ id: "ask", name: "ask", count: COUNT, size, T, engine, address },
      names: { image: "askImage", t: "te" },
      onShow(view) {
        byId("ask-readout").textContent = view.describe();
      },
    });

    const asked = () => ({
      ...{ label: label.value === "none" ? undefined : Number(label.value), w: w() },
      ...{ sampleSteps: Number(steps.value), seed: seed(), count: COUNT },
    });
    let drawn = "";

    async function draw() {
      const given = asked();
      drawn = JSON.stringify(given);
      const isAny = given.label === undefined;
      slider.valueAsNumber = given.w;
      slider.disabled = isAny; // without a digit there is nothing to guide to
      byId<HTMLOutputElement>("ask-w-label").value = `w = ${given.w}`;
      byId("ask-sum").textContent = isAny
        ? "Any digit: ε̃ = ε(xₜ), whatever w is."
        : `ε̃ = ${1 + given.w}·ε(xₜ, ${given.label}) − ${given.w}·ε(xₜ)`;
      try {
        await engine.call("ask", given);
      } catch (error) {
        trouble(error);
      }
    }

    for (const group of [label, steps]) group.onChange(draw);
    slider.addEventListener("input", () => {
      address.set({ w: slider.valueAsNumber === W.usual ? undefined : slider.value });
      clearTimeout(timer);
      timer = setTimeout(draw, REST);
    });
    byId("ask-other").addEventListener("click", () => {
      address.set({ askNoise: seed() + 1 });
      view.follow();
      draw();
    });
    address.onChange(() => {
      if (JSON.stringify(asked()) !== drawn) draw(); // a link to another chapter draws nothing anew
    });
    draw();
  }
}
