/**
 * Chapter e of the page to play with: paper 3 draws the digit that it is asked for.
 *
 * @module
 */
import type { ImageModel } from "../common/network/image_model.ts";
import type { Calls, ModelFiles } from "../common/page/play/protocol.ts";
import { guidedChainOf } from "../paper_3.ts";
import { modelOfPage } from "./model.ts";
import type { ChainWalker } from "./walker.ts";

type Given<C extends keyof Calls> = Parameters<Calls[C]>[0];

/** The noises have the names that they have when `deno task paper3 --label` draws. */
const NAME = "samples 0";

/** Paper 3, as the page asks for it. */
export class AskLesson {
  readonly #walker: ChainWalker;
  #model: ImageModel | undefined;

  /** `walker` tells the points of its chains. */
  constructor(walker: ChainWalker) {
    this.#walker = walker;
  }

  /** The model, from its file. */
  loadAsked(files: ModelFiles): Promise<{ size: number; T: number }> {
    const model = modelOfPage(files);
    this.#model = model;
    return Promise.resolve({ size: model.size, T: model.schedule.T });
  }

  /** Noises on their way to the digit that is asked for; without one, to any. */
  ask({ label, w, sampleSteps, seed, count }: Given<"ask">): Promise<void> {
    if (!this.#model) throw new Error("the model has not come yet");
    const { size, classes: none } = this.#model;
    const guidance = label === undefined
      ? { labels: new Array(count).fill(none), w: 0 } // there is nothing to guide to
      : { labels: new Array(count).fill(label), w };
    const chain = guidedChainOf(
      this.#model,
      { sampler: "ddim", sampleSteps, eta: 0 },
      guidance,
      { shape: [count, size, size, 1], seed, name: NAME },
    );
    this.#walker.walk("ask", chain, sampleSteps);
    return Promise.resolve();
  }
}
