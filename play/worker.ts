/**
 * The papers at work in a browser's tab: the worker of the page to play with. Bundled by `deno task page`.
 *
 * What it computes with is the code of the paper scripts; here is only what hears the page and answers.
 *
 * @module
 */
import { startWasm } from "../common/engine/wasm/start.ts";
import { answer, tell } from "./answering.ts";
import { AskLesson } from "./ask.ts";
import { DigitLesson } from "./digits.ts";
import { FlowLesson } from "./flows.ts";
import { InventionLesson } from "./invention.ts";
import { PointLesson } from "./points.ts";
import { ChainWalker } from "./walker.ts";

// a browser that refuses WASM says so in a promise that TensorFlow.js waits for in vain
globalThis.onunhandledrejection = ({ reason }) =>
  tell("trouble", String(reason?.message ?? reason));

const points = new PointLesson(tell);
const flows = new FlowLesson(tell);
const walker = new ChainWalker(tell);
const digits = new DigitLesson(walker);
const asked = new AskLesson(walker);
const invention = new InventionLesson(walker, digits);

answer({
  async open({ threads, shared, kernels }) {
    await startWasm(threads, { shared, kernels });
    return { threads };
  },
  destroy: (given) => points.destroy(given),
  begin: (given) => points.begin(given),
  train: (given) => points.train(given),
  rehearse: (given) => points.rehearse(given),
  handOver: () => points.handOver(),
  takeOver: (given) => points.takeOver(given),
  walk: (given) => points.walk(given),
  samples: (given) => points.samples(given),
  beginFlow: (given) => flows.beginFlow(given),
  trainFlow: (given) => flows.trainFlow(given),
  follow: (given) => flows.follow(given),
  loadDigits: (given) => digits.loadDigits(given),
  draw: (given) => digits.draw(given),
  between: (given) => digits.between(given),
  fill: (given) => digits.fill(given),
  loadAsked: (given) => asked.loadAsked(given),
  ask: (given) => asked.ask(given),
  loadTrainingDigits: (given) => invention.loadTrainingDigits(given),
  invent: (given) => invention.invent(given),
});
