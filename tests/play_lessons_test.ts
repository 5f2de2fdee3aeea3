// What the worker of the page to play with does, without a browser: it answers, and keeps no tensors.
import { assert, assertEquals, assertGreater, assertNotEquals, assertRejects } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "../common/backend.ts";
import type {
  Events,
  ImageChainPoint,
  PointSwitches,
  Snapshot,
} from "../common/page/play/protocol.ts";
import { type ShippedScript } from "../common/shipped/half_precision.ts";
import { shippedBytes, shippedRecord } from "../common/shipped/shipped_model.ts";
import { AskLesson } from "../play/ask.ts";
import { DigitLesson } from "../play/digits.ts";
import { FlowLesson } from "../play/flows.ts";
import { PointLesson, type PointOptions } from "../play/points.ts";
import { ChainWalker } from "../play/walker.ts";

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

/** A lesson, and all losses that it shows. */
function lessonWithLosses(options?: PointOptions) {
  const { heard, tell, atStep } = listener();
  const losses: number[] = [];
  const lesson = new PointLesson((event, detail) => {
    if (event === "snapshot") losses.push(...(detail as Snapshot).losses);
    tell(event, detail);
  }, options);
  return { lesson, losses, heard, atStep };
}

Deno.test("points: a training that is handed over goes on elsewhere as it would have here", async () => {
  const steps = 40;
  const whole = lessonWithLosses();
  await whole.lesson.begin({ switches: SWITCHES, steps });
  await whole.lesson.train({ on: true });
  await whole.atStep("snapshot", steps);

  const [first, second] = [
    lessonWithLosses(),
    lessonWithLosses({ lossesAtOnce: 7, savesUpTo: 1e4 }),
  ];
  await first.lesson.begin({ switches: SWITCHES, steps });
  await first.lesson.train({ on: true });
  await new Promise((resume) => setTimeout(resume)); // some steps
  const { state, snapshot } = await first.lesson.handOver();
  assertEquals(first.losses.length, snapshot.step);
  assert(snapshot.step > 0 && snapshot.step < steps, `${snapshot.step} steps`);
  await second.lesson.takeOver({ switches: SWITCHES, steps, state, expected: snapshot });
  await second.lesson.train({ on: true });
  await second.atStep("snapshot", steps);
  assertEquals([...first.losses, ...second.losses], whole.losses);
  while (second.heard.state?.get("adam.steps")?.data[0] !== steps) {
    await new Promise((resume) => setTimeout(resume, 5));
  }
  assertEquals(second.heard.state, (await second.lesson.handOver()).state);

  // what shows other things is not taken over
  const other = { ...snapshot, wind: snapshot.wind.map((x) => x * 1.01) };
  await assertRejects(
    () => second.lesson.takeOver({ switches: SWITCHES, steps, state, expected: other }),
    Error,
    "the chain's steps are others",
  );
});

Deno.test("points: a rehearsal comes to the same numbers, and says which are others", async () => {
  const lesson = new PointLesson(() => {});
  const task = { switches: SWITCHES, steps: 40, seconds: 0.05 };
  const tensors = tf.memory().numTensors;
  const expected = await lesson.rehearse(task);
  const { losses, gradientNorms } = await lesson.rehearse({ ...task, expected });
  assertEquals([losses, gradientNorms], [expected.losses, expected.gradientNorms]);
  assertEquals(tf.memory().numTensors, tensors);
  assertEquals(losses.length, 4);
  assertGreater(expected.stepMs, 0);
  const wrong = [...losses.slice(0, 3), losses[3] * 1.002]; // as an optimizer that is off
  await assertRejects(
    () => lesson.rehearse({ ...task, expected: { ...expected, losses: wrong } }),
    Error,
    "the loss of a training step is",
  );
  await assertRejects(
    () =>
      lesson.rehearse({
        ...task,
        expected: { ...expected, gradientNorms: gradientNorms.map((norm) => 1.01 * norm) },
      }),
    Error,
    "the norm of a gradient is",
  );
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

/** Hears chains of images, and waits for the end of each. */
function chainListener() {
  let ended: (point: ImageChainPoint) => void = () => {};
  const walker = new ChainWalker((event, detail) => {
    if (event === "trouble") throw new Error(detail as string);
    const point = detail as ImageChainPoint;
    if (point.t === 0) ended(point);
  });
  const endOf = async (begin: () => Promise<void>): Promise<Float32Array> => {
    const end = new Promise<ImageChainPoint>((resolve) => ended = resolve);
    await begin();
    return (await end).xt;
  };
  return { walker, endOf };
}

/** Pixels are the same but for rounding, which depends on how many images are drawn at once. */
function assertClose(image: Float32Array, expected: Float32Array): void {
  image.forEach((value, i) => assertGreater(1e-3, Math.abs(value - expected[i])));
}

async function filesOf(script: ShippedScript) {
  return {
    model: await shippedBytes(script),
    record: shippedRecord(script) as { settings: object },
  };
}

Deno.test("asking: the digit and w change what is drawn, without a digit w does not; no tensor stays", async () => {
  const { walker, endOf } = chainListener();
  const lesson = new AskLesson(walker);
  assertEquals(await lesson.loadAsked(await filesOf("paper3")), { size: 16, T: 1000 });
  const ask = (label: number | undefined, w: number) =>
    endOf(() => lesson.ask({ label, w, sampleSteps: 3, seed: 0, count: 2 }));
  const counts: number[] = [];
  for (let round = 0; round < 2; round++) {
    const [seven, more, eight] = [await ask(7, 0), await ask(7, 4), await ask(8, 0)];
    assertEquals(seven.length, 2 * 16 * 16);
    const [any, anyMore] = [await ask(undefined, 0), await ask(undefined, 4)];
    assertEquals(any, anyMore);
    for (const [i, one] of [seven, more, eight, any].entries()) {
      for (const other of [seven, more, eight, any].slice(i + 1)) assertNotEquals(one, other);
    }
    counts.push(tf.memory().numTensors);
  }
  assertEquals(counts[1], counts[0]);
});

Deno.test("between noises: the ends are the sheet's, the way there and back is the same; no tensor stays", async () => {
  const { walker, endOf } = chainListener();
  const lesson = new DigitLesson(walker);
  await lesson.loadDigits(await filesOf("paper2"));
  const options = { of: 3, stops: 5, sampleSteps: 3, seed: 0 };
  const pixels = 16 * 16;
  const places = (way: Float32Array) =>
    Array.from({ length: 5 }, (_, i) => way.slice(i * pixels, (i + 1) * pixels));
  const sheet = await endOf(() =>
    lesson.draw({ sampler: "ddim", sampleSteps: 3, eta: 0, seed: 0, count: 3 })
  );
  const before = tf.memory().numTensors;
  const way = places(await endOf(() => lesson.between({ ...options, left: 0, right: 2 })));
  assertEquals(tf.memory().numTensors, before);
  assertClose(way[0], sheet.slice(0, pixels));
  assertClose(way[4], sheet.slice(2 * pixels));
  const back = places(await endOf(() => lesson.between({ ...options, left: 2, right: 0 })));
  back.toReversed().forEach((image, i) => assertClose(image, way[i]));
});
