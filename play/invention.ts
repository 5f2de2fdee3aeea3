/**
 * Chapter g of the page to play with: paper 5's denoisers, which copy and invent, beside the network.
 *
 * @module
 */
import type { ImageSet } from "../common/data/images/image_set.ts";
import { type TrainingImages, trainingImages } from "../common/data/images/patches.ts";
import type { Calls } from "../common/page/play/protocol.ts";
import { ddim } from "../paper_2.ts";
import { flow, localDenoiser, perfectDenoiser, withShrinkingPatches } from "../paper_5.ts";
import type { DigitLesson } from "./digits.ts";
import type { ChainWalker } from "./walker.ts";

type Given<C extends keyof Calls> = Parameters<Calls[C]>[0];

/** Paper 5, as the page asks for it. */
export class InventionLesson {
  readonly #walker: ChainWalker;
  readonly #digits: DigitLesson;
  #images: TrainingImages | undefined;

  /** `digits` has the network. */
  constructor(walker: ChainWalker, digits: DigitLesson) {
    this.#walker = walker;
    this.#digits = digits;
  }

  /** The training set of the two denoisers that are known exactly. */
  loadTrainingDigits({ pixels }: Given<"loadTrainingDigits">): Promise<void> {
    const { size } = this.#digits.model;
    const count = pixels.length / size ** 2;
    const set: ImageSet = {
      ...{ name: "mnist", count, height: size, width: size, channels: 1, flips: false },
      ...{ pixels: new Uint8Array(pixels), sha256: "" },
    };
    this.#images = trainingImages(set, Int32Array.from({ length: count }, (_, i) => i));
    return Promise.resolve();
  }

  /** The same noises by the perfect denoiser, by the one that sees patches, and by the network. */
  invent({ seed, count, sampleSteps }: Given<"invent">): Promise<void> {
    const images = this.#images;
    if (!images) throw new Error("the training digits have not come yet");
    const { model } = this.#digits;
    const { schedule, size } = model;
    const start = {
      shape: [count, size, size, 1] as [number, number, number, number],
      ...{ seed, name: "invention", sampleSteps },
    };
    const patches = withShrinkingPatches(images, (radius) => localDenoiser(images, radius));
    const chains = {
      perfect: () => flow(schedule, perfectDenoiser(images), start),
      network: () => ddim(model, { ...start, eta: 0 }),
      patches: () => flow(schedule, patches, start),
    };
    const walk = ([name, ...rest]: (keyof typeof chains)[]): void => {
      if (!name) return;
      this.#walker.walk(name, chains[name](), sampleSteps, (isWhole) => {
        if (isWhole) walk(rest);
      });
    };
    walk(["perfect", "network", "patches"]); // the slowest comes last
    return Promise.resolve();
  }
}
