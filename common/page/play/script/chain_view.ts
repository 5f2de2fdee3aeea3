/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import { type TimeControl, timeControl } from "../../page_script/time_control.ts";
import type { ChainName, ImageChainPoint } from "../protocol.ts";
import type { Address } from "./address.ts";
import type { Engine } from "./engine.ts";
import { drawImage, type Thumbnails, thumbnails } from "./images.ts";

/**
 * Images on their way from noise: a slider over the points of their chain, one image large, all small.
 * Which one is large and at which t it is seen stand in the address.
 */
export class ChainView {
  /** The small images, as they are expected at the end. */
  readonly strip: Thumbnails;
  readonly #id: string;
  readonly #count: number;
  readonly #size: number;
  readonly #T: number;
  readonly #address: Address;
  readonly #names: { image: string; t: string };
  readonly #onShow: (view: ChainView) => void;
  readonly #time: TimeControl;
  #points: ImageChainPoint[] = [];
  /** Whether the slider is moved by the chain, and not by someone. */
  #follows = false;

  /**
   * Hears the points of a chain.
   *
   * @param options.names What stands in the address: the number of the large image, and its t.
   * @param options.onShow Called whenever something else is to be seen.
   */
  constructor({ id, name, count, size, T, engine, address, names, onShow }: {
    id: string;
    name: ChainName;
    count: number;
    size: number;
    T: number;
    engine: Engine;
    address: Address;
    names: { image: string; t: string };
    onShow: (view: ChainView) => void;
  }) {
    this.#id = id;
    this.#count = count;
    this.#size = size;
    this.#T = T;
    this.#address = address;
    this.#names = names;
    this.#onShow = onShow;
    this.strip = thumbnails(`${id}-strip`, {
      ...{ count, size },
      onPick: () => {
        const { picked } = this.strip;
        address.set({ [names.image]: picked === 0 ? undefined : picked + 1 });
        this.#show();
      },
    });
    this.#time = timeControl(`${id}-time`, {
      plays: "up",
      describe: (i) => this.#points[i] ? `t = ${this.#points[i].t}` : "",
      onChange: () => {
        if (!this.#follows) {
          address.set({ [names.t]: this.shown === this.last ? undefined : this.shown?.t });
        }
        this.#show();
      },
    });
    engine.on("chain", (point) => {
      if (point.name !== name) return;
      if (point.first) this.#points = [];
      this.#points.push(point);
      this.#stand();
    });
    this.#pick();
    address.onChange(() => {
      this.#pick();
      if (this.last) this.#stand();
    });
  }

  /** Goes with the chain to its end from now on. */
  follow(): void {
    this.#address.set({ [this.#names.t]: undefined });
  }

  /** The point that is to be seen. */
  get shown(): ImageChainPoint | undefined {
    return this.#points[this.#time.position()];
  }

  /** The latest point; the chain is at its end where t is 0. */
  get last(): ImageChainPoint | undefined {
    return this.#points.at(-1);
  }

  /** One of several images: the one that is picked, or another. */
  one(images: Float32Array, index: number = this.strip.picked): Float32Array {
    const pixels = this.#size ** 2;
    return images.subarray(index * pixels, (index + 1) * pixels);
  }

  /** Where the large image stands, in words. */
  describe(): string {
    const [shown, last] = [this.shown!, this.last!];
    return `Image ${this.strip.picked + 1} of ${this.#count} at t = ${shown.t} of ${this.#T}` +
      (last.t === 0 ? "." : `; ${Math.round(100 * last.share)} % of the chain is walked.`);
  }

  #pick(): void {
    const bounds = { usual: 1, from: 1, to: this.#count };
    this.strip.pick(this.#address.whole(this.#names.image, bounds) - 1);
  }

  /** Moves the slider to the t of the address, as far as the chain has come; without one to its newest point. */
  #stand(): void {
    const t = this.#address.whole(this.#names.t, { usual: 0, from: 0, to: this.#T });
    const place = this.#points.findIndex((point) => point.t <= t);
    this.#follows = true;
    this.#time.setMoments(this.#points.length, place < 0 ? this.#points.length - 1 : place);
    this.#follows = false;
  }

  #show(): void {
    const { shown, last } = this;
    if (!shown || !last) return;
    drawImage(byId(`${this.#id}-xt`), this.one(shown.xt), this.#size);
    drawImage(byId(`${this.#id}-x0hat`), this.one(shown.x0Hat), this.#size);
    this.strip.show(last.x0Hat);
    this.#onShow(this);
  }
}
