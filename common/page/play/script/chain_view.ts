/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import { type TimeControl, timeControl } from "../../page_script/time_control.ts";
import type { ChainName, ImageChainPoint } from "../protocol.ts";
import type { Engine } from "./engine.ts";
import { drawImage, type Thumbnails, thumbnails } from "./images.ts";

/** Images on their way from noise: a slider over the points of their chain, one image large, all small. */
export class ChainView {
  /** The small images, as they are expected at the end. */
  readonly strip: Thumbnails;
  readonly #id: string;
  readonly #size: number;
  readonly #onShow: (view: ChainView) => void;
  readonly #time: TimeControl;
  #points: ImageChainPoint[] = [];

  /** Hears the points of a chain; `onShow` is called whenever something else is to be seen. */
  constructor({ id, name, count, size, engine, onShow }: {
    id: string;
    name: ChainName;
    count: number;
    size: number;
    engine: Engine;
    onShow: (view: ChainView) => void;
  }) {
    this.#id = id;
    this.#size = size;
    this.#onShow = onShow;
    this.strip = thumbnails(`${id}-strip`, { count, size, onPick: () => this.#show() });
    this.#time = timeControl(`${id}-time`, {
      plays: "up",
      describe: (i) => this.#points[i] ? `t = ${this.#points[i].t}` : "",
      onChange: () => this.#show(),
    });
    engine.on("chain", (point) => {
      if (point.name !== name) return;
      if (point.first) this.#points = [];
      this.#points.push(point);
      this.#time.setMoments(this.#points.length, this.#points.length - 1);
    });
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
  describe(T: number): string {
    const [shown, last] = [this.shown!, this.last!];
    return `Digit ${this.strip.picked + 1} at t = ${shown.t} of ${T}` +
      (last.t === 0 ? "." : `; ${Math.round(100 * last.share)} % of the chain is walked.`);
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
