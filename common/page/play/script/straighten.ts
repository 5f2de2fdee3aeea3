/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import type { FlowProgress, FollowedFlow } from "../protocol.ts";
import type { Address } from "./address.ts";
import type { Engine } from "./engine.ts";
import { Stage } from "./stage.ts";
import type { Switches } from "./switches.ts";

/** Steps of the training, half of them for the first flow. */
const STEPS = 1200;
/** The numbers of Euler steps to choose from, the usual one first. */
const EULER = ["4", "1", "2", "8", "40"] as const;

/** Chapter f: two flows side by side, followed in few steps or in many. */
export class StraightenChapter {
  readonly #parts;
  readonly #stages = {
    first: new Stage("straighten-first", { reach: 2.6 }),
    second: new Stage("straighten-second", { reach: 2.6 }),
  };
  #on = false;
  #begun = false;
  #progress: FlowProgress | undefined;
  #following = false;

  /** Begins when it is told to train. */
  constructor(
    parts: {
      engine: Engine;
      address: Address;
      switches: Switches;
      trouble: (error: unknown) => void;
      onTrain: () => void;
    },
  ) {
    this.#parts = parts;
    const { engine, address, switches } = parts;
    byId("flow-train").addEventListener("click", () => this.train(!this.#on));
    engine.on("flow", (progress) => this.#hear(progress));
    switches.onChange(() => {
      this.#begun = false;
      if (this.#on) this.train(true);
    });
    for (const input of this.#choices()) {
      input.addEventListener("change", () => {
        address.set({ S: input.value === EULER[0] ? undefined : input.value });
        this.#follow();
      });
    }
    this.#check();
    address.onChange(() => {
      this.#check();
      this.#follow();
    });
    this.#stages.first.show((stage) => stage.says("not trained yet"));
    this.#stages.second.show((stage) => stage.says("comes after the first"));
  }

  /** Trains, or pauses. */
  async train(on: boolean): Promise<void> {
    const { engine, switches, trouble, onTrain } = this.#parts;
    const finished = this.#progress && this.#progress.step >= this.#progress.steps;
    this.#said(on);
    try {
      if (on) onTrain();
      if (on && (!this.#begun || finished)) {
        this.#begun = true;
        await engine.call("beginFlow", { switches: switches.now, steps: STEPS });
      }
      await engine.call("trainFlow", { on });
    } catch (error) {
      this.#said(false);
      trouble(error);
    }
  }

  #said(on: boolean): void {
    this.#on = on;
    byId("flow-train").textContent = on ? "Pause" : "Train";
  }

  #choices(): HTMLInputElement[] {
    return [...document.querySelectorAll<HTMLInputElement>('#straighten input[name="S"]')];
  }

  #check(): void {
    const value = this.#parts.address.oneOf("S", EULER);
    for (const input of this.#choices()) input.checked = input.value === value;
  }

  #hear(progress: FlowProgress): void {
    this.#progress = progress;
    const { step, steps, rate, flows } = progress;
    if (step >= steps) this.#said(false);
    byId<HTMLProgressElement>("flow-bar").value = step / steps;
    byId("flow-note").textContent = `step ${step} of ${steps}` +
      (rate > 0 ? `, ${rate.toFixed(0)} steps/s` : "") +
      (flows > 1 ? ", on the pairs of the first flow" : "");
    this.#follow();
  }

  /** Asks for the ways again; not while an answer is on its way. */
  async #follow(): Promise<void> {
    if (!this.#progress || this.#following) return;
    this.#following = true;
    const { engine, address, trouble } = this.#parts;
    const S = address.oneOf("S", EULER);
    try {
      const { flows, distanceOfData } = await engine.call("follow", { steps: Number(S) });
      this.#show("first", flows[0]);
      if (flows[1]) this.#show("second", flows[1]);
      else {
        this.#stages.second.show((stage) => stage.says("comes after the first"));
        byId("straighten-second-readout").textContent = "";
      }
      byId("straighten-readout").textContent =
        `The distance is that of chapter b, in ${S} Euler step${S === "1" ? "" : "s"}; between ` +
        `two draws of the data it is ${distanceOfData.toFixed(3)}. S is 0 where all ways are ` +
        "straight and followed at a constant speed.";
    } catch (error) {
      trouble(error);
    } finally {
      this.#following = false;
    }
    if (address.oneOf("S", EULER) !== S) this.#follow(); // chosen anew meanwhile
  }

  #show(name: "first" | "second", { ways, ends, distance, straightness }: FollowedFlow): void {
    const S = Number(this.#parts.address.oneOf("S", EULER));
    this.#stages[name].show((stage) => {
      const length = 2 * (S + 1);
      if (ways.length % length !== 0) return; // of another number of steps
      for (let at = 0; at < ways.length; at += length) {
        stage.path(ways.subarray(at, at + length), { tone: "soft", alpha: 0.4, width: 1 });
      }
      stage.dots(ends, { tone: "orange", alpha: 0.8 });
    });
    byId(`straighten-${name}-readout`).textContent = `distance ${distance.toFixed(3)}, ` +
      `straightness S = ${straightness.toFixed(3)}`;
  }
}
