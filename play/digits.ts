/**
 * Chapter d of the page to play with: paper 2 and RePaint draw digits with the model that ships.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ImageModel } from "../common/network/image_model.ts";
import type { Calls, ModelFiles } from "../common/page/play/protocol.ts";
import { normal } from "../common/random.ts";
import {
  ddimStep,
  fewerTimesteps,
  type ImageShape,
  reverseProcess,
} from "../common/reverse_process.ts";
import { slerp } from "../common/slerp.ts";
import { algorithm2, ddim } from "../paper_2.ts";
import { repaint, repaintTimes } from "../paper_2_inpainting.ts";
import { modelOfPage } from "./model.ts";
import type { ChainWalker } from "./walker.ts";

type Given<C extends keyof Calls> = Parameters<Calls[C]>[0];

/** The noises have the names that they have in a run: the first digits are those of its sheet. */
const NAME = "samples 0";

/** Paper 2, as the page asks for it. */
export class DigitLesson {
  readonly #walker: ChainWalker;
  #model: ImageModel | undefined;

  /** `walker` tells the points of its chains. */
  constructor(walker: ChainWalker) {
    this.#walker = walker;
  }

  /** The model, from its file. */
  loadDigits(files: ModelFiles): Promise<{ size: number; T: number }> {
    const model = modelOfPage(files);
    this.#model = model;
    return Promise.resolve({ size: model.size, T: model.schedule.T });
  }

  /** Noises on their way to digits, by Algorithm 2 or by DDIM. */
  draw({ sampler, sampleSteps, eta, seed, count }: Given<"draw">): Promise<void> {
    const { model } = this;
    const start = { shape: this.#shape(count), name: NAME, seed };
    if (sampler === "ddpm") this.#walker.walk("draw", algorithm2(model, start), model.schedule.T);
    else this.#walker.walk("draw", ddim(model, { ...start, sampleSteps, eta }), sampleSteps);
    return Promise.resolve();
  }

  /** The way from one noise of a sheet to another, and the digits that the noises on it lead to. */
  between(
    { left, right, of, stops, sampleSteps, seed }: Given<"between">,
  ): Promise<void> {
    const { model } = this;
    const pixels = model.size ** 2;
    const noises = normal({ seed, stream: `xT ${NAME}` }, of * pixels);
    const [a, b] = [left, right].map((n) => noises.subarray(n * pixels, (n + 1) * pixels));
    const xT = new Float32Array(stops * pixels);
    for (let i = 0; i < stops; i++) xT.set(slerp(a, b, i / (stops - 1)), i * pixels);
    // η = 0: no noise but the first, so that the digit is a function of it
    const chain = reverseProcess(
      tf.tensor4d(xT, this.#shape(stops)),
      fewerTimesteps(model.schedule.T, sampleSteps),
      (xt, t, tNext) => ddimStep(model, { xt, t, tNext, eta: 0 }),
    );
    this.#walker.walk("between", chain, sampleSteps);
    return Promise.resolve();
  }

  /** Several fillings of what is not known of an image, by RePaint. */
  fill({ image, known, count, ...options }: Given<"fill">): Promise<void> {
    const shape = this.#shape(count);
    const rows = (one: ArrayLike<number>) =>
      tf.tensor4d(Array.from({ length: count }, () => Array.from(one)).flat(), shape);
    const hole = { x0: rows(image), m: rows(known) };
    const chain = repaint(this.model, hole, { ...options, name: NAME });
    const { length } = repaintTimes(this.model.schedule.T, options);
    this.#walker.walk("fill", chain, length, () => tf.dispose([hole.x0, hole.m]));
    return Promise.resolve();
  }

  /** The model that has come. */
  get model(): ImageModel {
    if (!this.#model) throw new Error("the model has not come yet");
    return this.#model;
  }

  #shape(count: number): ImageShape {
    const { size } = this.model;
    return [count, size, size, 1];
  }
}
