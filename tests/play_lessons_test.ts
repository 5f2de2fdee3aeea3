// What the worker of the page to play with does, without a browser: it answers, and keeps no tensors.
import { assert, assertEquals, assertGreater } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "../common/backend.ts";
import type { Events, PointSwitches, Snapshot } from "../common/page/play/protocol.ts";
import { FlowLesson } from "../play/flows.ts";
import { PointLesson } from "../play/points.ts";

const backend = await selectBackend("wasm", { workers: 1 });
addEventListener("unload", () => backend.dispose());

const SWITCHES: PointSwitches = {
  ...{ shape: "moons", timesteps: 6, schedule: "cosine", tails: "each", hidden: 8, seed: 0 },
};

/** Hears what a lesson says, and waits for the snapshot of a step. */
function listener() {
  const heard: { [E in keyof Events]?: Events[E] } = {};
  const tell = <E extends keyof Events>(event: E, detail: Events[E]) =>
    void (heard[event] = detail);
  const atStep = async (event: "snapshot" | "flow", step: number) => {
    while (heard[event]?.step !== step) await new Promise((resume) => setTimeout(resume, 5));
  };
  return { heard, tell, atStep };
}

Deno.test("points: a training, a walk and samples leave no tensor behind", async () => {
  const { heard, tell, atStep } = listener();
  const lesson = new PointLesson(tell);
  const counts: number[] = [];
  for (let round = 0; round < 3; round++) {
    await lesson.begin({ switches: SWITCHES, steps: 4 });
    await lesson.train({ on: true });
    await atStep("snapshot", 4);
    const { T, ways } = await lesson.walk({ from: [1, -1], count: 3, seed: round });
    assertEquals(ways.length, 3 * (T + 1) * 2);
    for (const way of [0, 1, 2]) { // each begins, at T, where it was put
      assertEquals([...ways.subarray(2 * (way * (T + 1) + T)).subarray(0, 2)], [1, -1]);
    }
    assertEquals((await lesson.samples({ count: 5, seed: 0 })).length, 10);
    counts.push(tf.memory().numTensors);
  }
  assertEquals(counts[2], counts[1]);
  const { kl, wind, reverse, N } = heard.snapshot as Snapshot;
  assertEquals([kl.length, wind.length, reverse.length], [5, 6 * 15 * 15 * 2, 7 * N * 2]);
  assert(wind.every(Number.isFinite));
});

Deno.test("points: in one go and step by step the clouds are equally wide", async () => {
  const lesson = new PointLesson(() => {});
  const digit = new Uint8Array(28 * 28);
  const { closed, steps, alphaBar } = await lesson.destroy({
    switches: SWITCHES,
    count: 500,
    digit,
  });
  assertEquals(alphaBar.length, 7);
  for (let t = 0; t <= 6; t++) {
    const width = (points: Float32Array) =>
      Math.hypot(...points.subarray(1000 * t, 1000 * (t + 1))) / Math.sqrt(1000);
    assertGreater(0.1, Math.abs(width(closed) - width(steps)));
  }
});

Deno.test("a drawn shape of too few points is refused, and what there was stays", async () => {
  const { tell, atStep } = listener();
  const lesson = new PointLesson(tell);
  await lesson.begin({ switches: SWITCHES, steps: 2 });
  const own = { ...SWITCHES, shape: "own", own: "0,1" };
  const refused = await lesson.begin({ switches: own, steps: 2 }).then(() => "", String);
  assert(/at least 2/.test(refused), refused);
  await lesson.train({ on: true });
  await atStep("snapshot", 2);
});

Deno.test("flows: a training and following leave no tensor behind", async () => {
  const { tell, atStep } = listener();
  const lesson = new FlowLesson(tell);
  const counts: number[] = [];
  for (let round = 0; round < 3; round++) {
    await lesson.beginFlow({ switches: SWITCHES, steps: 4 });
    await lesson.trainFlow({ on: true });
    await atStep("flow", 4);
    const { flows } = await lesson.follow({ steps: 2 });
    assertEquals(flows.map(({ ways }) => ways.length), [160 * 3 * 2, 160 * 3 * 2]);
    counts.push(tf.memory().numTensors);
  }
  assertEquals(counts[2], counts[1]);
});
