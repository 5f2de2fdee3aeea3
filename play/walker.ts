/**
 * Walks chains of images in the page's worker, between the page's questions.
 *
 * @module
 */
import type { ChainName } from "../common/page/play/protocol.ts";
import type { ChainPoint } from "../common/reverse_process.ts";
import { messages, type Tell } from "./trainer.ts";

/** Points of a chain that are told at most: of a longer one, every second, third, … */
const MOST_POINTS = 100;

/** Walks chains and tells their points; a new chain ends the one before of the same name. */
export class ChainWalker {
  readonly #tell: Tell;
  readonly #turns = new Map<ChainName, number>();

  /** `tell` passes on points, and what went wrong. */
  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /**
   * Begins to walk a chain, and does not wait for its end.
   *
   * @param length About how many points it has.
   * @param then What to do when it has come to its end, whether by itself or by a newer one.
   */
  walk(
    name: ChainName,
    chain: Iterable<ChainPoint>,
    length: number,
    then: (isWhole: boolean) => void = () => {},
  ): void {
    const turn = (this.#turns.get(name) ?? 0) + 1;
    this.#turns.set(name, turn);
    this.#follow({ name, turn, chain, length }).then(then, (error) => {
      then(false);
      this.#tell("trouble", (error as Error).message);
    });
  }

  async #follow({ name, turn, chain, length }: {
    name: ChainName;
    turn: number;
    chain: Iterable<ChainPoint>;
    length: number;
  }): Promise<boolean> {
    const every = Math.ceil(length / MOST_POINTS);
    let i = 0;
    for (const point of chain) {
      const { t } = point;
      if (i % every === 0 || t === 0) {
        const [xt, x0Hat] = await Promise.all(
          [point.xt, point.x0Hat].map((image) => image.data<"float32">()),
        );
        this.#tell("chain", { name, first: i === 0, share: Math.min(1, i / length), t, xt, x0Hat });
      }
      i++;
      await messages();
      if (this.#turns.get(name) !== turn) return false; // the chain's tensors are freed
    }
    return true;
  }
}
