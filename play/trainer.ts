/**
 * Lets a paper's training loop run in the page's worker, between the page's questions.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { Events } from "../common/page/play/protocol.ts";
import type { TrainingStep } from "../common/run/training.ts";

/** Passes an event to the page. */
export type Tell = <E extends keyof Events>(event: E, detail: Events[E]) => void;

/** What a training has done since it was last shown. */
export interface Since {
  /** The losses of its steps. */
  losses: number[];
  /** Steps a second, of training alone. */
  rate: number;
}

/** Milliseconds from one showing to the next at least and at most, */
const [SHORTEST, LONGEST] = [1000, 3000];
/** and how much longer than a showing takes one trains in between. */
const SHARE = 7;

/** How a backend wants to be worked with. */
export interface TrainerOptions {
  /** Steps whose losses are read together. Default: 1. A GPU has to be waited for at each reading. */
  lossesAtOnce?: number;
  /** Waits until nothing else is at work, then works. Default: at once, as WASM never waits. */
  inTurn?: (work: () => Promise<void>) => Promise<void>;
}

/** A training loop that can be paused, and shows itself about once a second. */
export class Trainer {
  readonly #tell: Tell;
  readonly #options: Required<TrainerOptions>;
  #loop: Iterator<TrainingStep> | undefined;
  #show: (since: Since) => Promise<void> = () => Promise.resolve();
  #running = false;
  #losses: number[] = [];
  #clock = { step: 0, milliseconds: 0, due: 0 };

  /** `tell` passes on what went wrong. */
  constructor(tell: Tell, options: TrainerOptions = {}) {
    this.#tell = tell;
    this.#options = { lossesAtOnce: 1, inTurn: (work) => work(), ...options };
  }

  /** Takes over a loop, paused before its first step, and shows it. */
  async begin(
    loop: Iterator<TrainingStep>,
    show: (since: Since) => Promise<void>,
  ): Promise<void> {
    this.stop();
    this.#loop = loop;
    this.#show = show;
    await this.showNow();
  }

  /** Ends the loop that there is. */
  stop(): void {
    this.#running = false;
    this.#loop?.return?.();
    this.#loop = undefined;
    this.#losses = [];
    this.#clock = { step: 0, milliseconds: 0, due: 0 };
  }

  /** Goes on, or pauses. */
  run(on: boolean): void {
    const wasRunning = this.#running;
    this.#running = on && this.#loop !== undefined;
    if (this.#running && !wasRunning) this.#takeSteps();
  }

  async #takeSteps(): Promise<void> {
    const loop = this.#loop!;
    try {
      while (this.#running && loop === this.#loop) {
        await this.#options.inTurn(() => this.#someSteps(loop));
        await messages();
      }
    } catch (error) {
      this.#running = false;
      this.#tell("trouble", (error as Error).message);
    }
  }

  async #someSteps(loop: Iterator<TrainingStep>): Promise<void> {
    if (!this.#running || loop !== this.#loop) return; // meanwhile it was someone else's turn
    const started = performance.now();
    const taken: TrainingStep[] = [];
    while (taken.length < this.#options.lossesAtOnce) {
      const { value, done } = loop.next();
      if (done) {
        this.#running = false;
        break;
      }
      taken.push(value);
    }
    const losses = await Promise.all(taken.map(({ loss }) => numberOf(loss)));
    this.#clock.step += taken.length;
    this.#clock.milliseconds += performance.now() - started;
    const at = losses.findIndex((loss) => !Number.isFinite(loss));
    if (at >= 0) throw new Error(`the loss is ${losses[at]} at step ${taken[at].step}`);
    this.#losses.push(...losses);
    if (!this.#running || performance.now() > this.#clock.due) await this.showNow();
  }

  /** Shows how the training stands; nothing else may be at work. */
  async showNow(): Promise<void> {
    const started = performance.now();
    const { step, milliseconds } = this.#clock;
    const rate = milliseconds > 0 ? 1000 * step / milliseconds : 0;
    await this.#show({ losses: this.#losses.splice(0), rate });
    const now = performance.now();
    const wait = Math.min(LONGEST, Math.max(SHORTEST, SHARE * (now - started)));
    this.#clock = { step: 0, milliseconds: 0, due: now + wait };
  }
}

async function numberOf(loss: tf.Scalar): Promise<number> {
  const [value] = await loss.data();
  loss.dispose();
  return value;
}

/** Lets the messages in that have come meanwhile. */
export function messages(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
