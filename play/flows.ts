/**
 * Chapter f of the page to play with: paper 4's own code makes a flow straight.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { PointData } from "../common/data/points/point_data.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { solve, type Velocity } from "../common/ode.ts";
import type { Calls, FollowedFlow } from "../common/page/play/protocol.ts";
import { distancesToData } from "../common/report/point_distances.ts";
import {
  command,
  startTraining,
  straightness,
  train,
  type Training,
  velocityOf,
} from "../paper_4.ts";
import { dataOf, settingsOf } from "./settings.ts";
import { type Tell, Trainer } from "./trainer.ts";

type Given<C extends keyof Calls> = Parameters<Calls[C]>[0];

/** Smaller than a run's, so that it takes a quarter of a minute: one reflow, on fewer pairs. */
const SMALL = { reflows: 1, batch: 512, pairs: 5000 };
/** Points whose ways are shown, and points that are measured. */
const [SHOWN, MEASURED, LINES] = [160, 800, 60];

/** Paper 4, as the page asks for it. */
export class FlowLesson {
  readonly #tell: Tell;
  readonly #trainer: Trainer;
  #training: (Training & { data: PointData }) | undefined;

  /** `tell` passes events to the page. */
  constructor(tell: Tell) {
    this.#tell = tell;
    this.#trainer = new Trainer(tell);
  }

  /** Data, an untrained flow and its optimizer. */
  async beginFlow({ switches, steps }: Given<"beginFlow">): Promise<void> {
    const settings = settingsOf(command, { ...SMALL, steps, seed: switches.seed });
    const training = await startTraining(settings, await dataOf(switches));
    this.#trainer.stop();
    this.#training?.flows.dispose();
    this.#training?.adam.dispose();
    this.#training = training;
    const { flows, adam } = training;
    await this.#trainer.begin(train(training), ({ rate }) => {
      this.#tell("flow", { step: adam.steps, steps, rate, flows: flows.all.length });
      return Promise.resolve();
    });
  }

  /** Trains between the page's other calls, or pauses. */
  trainFlow({ on }: Given<"trainFlow">): Promise<void> {
    this.#trainer.run(on);
    return Promise.resolve();
  }

  /** Follows each flow from the same noises, by so many Euler steps. */
  async follow({ steps }: Given<"follow">): Promise<ReturnType<Calls["follow"]>> {
    if (!this.#training) throw new Error("there is no flow yet");
    const { flows, data, settings: { seed } } = this.#training;
    const ways = await Promise.all(
      flows.all.map((network) => followed(velocityOf(network), { seed, steps })),
    );
    const options = { seed, count: MEASURED, draws: 1, directions: LINES };
    const { ofSamples, ofData } = distancesToData(ways.map(({ ends }) => ends), data, options);
    return {
      flows: ways.map((way, i) => ({ ...way, distance: ofSamples[i] })),
      distanceOfData: ofData,
    };
  }
}

/** The ways of a flow, where they end, and how straight they are. */
async function followed(
  velocity: Velocity,
  { seed, steps }: { seed: number; steps: number },
): Promise<Omit<FollowedFlow, "distance">> {
  const noise = () => gaussianNoise<tf.Rank.R2>({ seed, stream: "z0" }, [MEASURED, 2]);
  const ways = new Float32Array(SHOWN * (steps + 1) * 2);
  let [i, ends] = [0, new Float32Array()];
  for (const { x } of solve(velocity, noise(), { steps })) {
    ends = await x.data() as Float32Array<ArrayBuffer>;
    for (let k = 0; k < SHOWN; k++) {
      ways.set(ends.subarray(2 * k, 2 * k + 2), 2 * (k * (steps + 1) + i));
    }
    i++;
  }
  return { ways, ends, straightness: await straightness(velocity, noise()) };
}
