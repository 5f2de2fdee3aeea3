/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import type { Snapshot } from "../protocol.ts";
import type { Address } from "./address.ts";
import { chart } from "./chart.ts";
import { type OwnShape, readShape, writeShape } from "./own_shape.ts";
import type { PointEngine } from "./point_engine.ts";
import { Stage } from "./stage.ts";
import type { Switches } from "./switches.ts";

/** The last step of a training: the script's own. */
const STEPS = 1200;
/** Losses are averaged over this many steps before they are drawn. */
const SMOOTH = 10;

/** Chapter b: a training to watch. */
export class LearnChapter {
  readonly #parts;
  readonly #stages;
  readonly #charts = { loss: chart("loss-chart"), kl: chart("kl-chart") };
  #losses: number[] = [];
  #on = false;
  #finished = false;
  #data: Float32Array = new Float32Array();

  /** Begins with an untrained network. */
  constructor(
    parts: {
      engine: PointEngine;
      address: Address;
      switches: Switches;
      own: OwnShape;
      dataStage: Stage;
      trouble: (error: unknown) => void;
      onTrain: () => void;
    },
  ) {
    this.#parts = parts;
    this.#stages = { data: parts.dataStage, samples: new Stage("learn-samples", { reach: 2.3 }) };
    const { engine, switches, own, address } = parts;
    engine.on("snapshot", (snapshot) => this.#show(snapshot));
    engine.on("trouble", () => this.#said(false));
    switches.onChange(() => this.#begin());
    own.onDrawn(() => {
      const written = writeShape(own.points);
      own.take(readShape(written)); // as the address has it: whoever follows it trains on the same
      address.set({ own: written || undefined });
    });
    byId("train").addEventListener("click", () => this.train(!this.#on));
    byId("again").addEventListener("click", () => this.#begin());
    byId("own-train").addEventListener("click", async () => {
      switches.changed();
      await this.train(true);
    });
    byId("own-clear").addEventListener("click", () => {
      own.take([]);
      address.set({ own: undefined });
    });
    this.#begin();
  }

  /** Trains, or pauses. */
  async train(on: boolean): Promise<void> {
    if (on && this.#finished) await this.#begin();
    this.#said(on);
    if (on) this.#parts.onTrain();
    await this.#parts.engine.call("train", { on }).catch(this.#parts.trouble);
  }

  #said(on: boolean): void {
    this.#on = on;
    byId("train").textContent = on ? "Pause" : this.#finished ? "Train again" : "Train";
  }

  async #begin(): Promise<void> {
    const { engine, switches, own, trouble } = this.#parts;
    const now = switches.now;
    const drawing = now.shape === "own";
    byId("own-tools").hidden = !drawing;
    own.setActive(drawing);
    if (drawing) this.#stages.data.show((stage) => own.draw(stage));
    if (drawing && !now.own) return;
    this.#losses = [];
    this.#finished = false;
    const wasOn = this.#on;
    try {
      await engine.call("begin", { switches: now, steps: STEPS });
      if (wasOn) await engine.call("train", { on: true });
    } catch (error) {
      trouble(error);
    }
  }

  #show(snapshot: Snapshot): void {
    const { step, steps, losses, kl, N, T, reverse, forward, rate } = snapshot;
    this.#losses.length = Math.min(this.#losses.length, step - losses.length); // if it went back
    this.#losses.push(...losses);
    this.#finished = step >= steps;
    if (this.#finished) this.#said(false);
    this.#data = forward.subarray(0, 2 * N);
    if (this.#parts.switches.now.shape !== "own") {
      this.#stages.data.show((stage) => stage.dots(this.#data, { tone: "blue", alpha: 0.7 }));
    }
    const samples = reverse.subarray(0, 2 * N);
    this.#stages.samples.show((stage) => stage.dots(samples, { tone: "orange", alpha: 0.7 }));
    byId<HTMLProgressElement>("train-bar").value = step / steps;
    byId("train-note").textContent = `step ${step} of ${steps}` +
      (rate > 0 ? `, ${rate.toFixed(0)} steps/s` : "");
    this.#charts.loss({
      ...smoothed(this.#losses),
      ...{ from: 1, to: steps, label: "step" },
    });
    this.#charts.kl({
      x: kl.map((_, i) => i + 2),
      y: kl,
      ...{ from: 2, to: T, label: "t" },
    });
    byId("learn-readout").textContent =
      `Distance of the samples to the data ${snapshot.distance.toFixed(3)}, between two draws of ` +
      `the data ${snapshot.distanceOfData.toFixed(3)}: how far points have to move on average, ` +
      "seen from all sides, to turn one cloud into the other (sliced Wasserstein).";
  }
}

function smoothed(losses: number[]): { x: number[]; y: number[] } {
  const [x, y]: number[][] = [[], []];
  for (let from = 0; from < losses.length; from += SMOOTH) {
    const part = losses.slice(from, from + SMOOTH);
    x.push(from + (part.length + 1) / 2);
    y.push(part.reduce((sum, loss) => sum + loss, 0) / part.length);
  }
  return { x, y };
}
