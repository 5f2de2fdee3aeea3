/**
 * Paper 1 on a GPU: a second worker of the page to play with. Bundled by `deno task page`, and loaded
 * only where there is a GPU.
 *
 * It has TensorFlow.js for itself, so that neither its active backend nor its tensors can get mixed up
 * with those of the worker that computes by WASM. Whatever fails here ends this worker and no other.
 *
 * @module
 */
import { findAdapter } from "../common/engine/webgpu/adapter.ts";
import { whileDeviceLives } from "../common/engine/webgpu/faults.ts";
import { startWebgpu } from "../common/engine/webgpu/start.ts";
import { answer, inTurn, tell } from "./answering.ts";
import { PointLesson } from "./points.ts";

/** Steps that a GPU gets to do before it is waited for. */
const STEPS_AT_ONCE = 10;
/** A training of so many weights is copied out of the GPU about once a second: 16 MB with Adam's. */
const MOST_SAVED = 1_000_000;

const points = new PointLesson(tell, {
  lossesAtOnce: STEPS_AT_ONCE,
  inTurn: (work) => inTurn(() => whileDeviceLives(work())),
  savesUpTo: MOST_SAVED,
});

answer({
  async openGpu({ orSoftware }) {
    const adapter = await findAdapter();
    if (adapter?.software && !orSoftware) throw new Error("a worker gets none but a software one");
    await startWebgpu(adapter);
  },
  train: (given) => points.train(given),
  rehearse: (given) => whileDeviceLives(points.rehearse(given)),
  handOver: () => whileDeviceLives(points.handOver()),
  takeOver: (given) => whileDeviceLives(points.takeOver(given)),
  walk: (given) => whileDeviceLives(points.walk(given)),
  samples: (given) => whileDeviceLives(points.samples(given)),
});
