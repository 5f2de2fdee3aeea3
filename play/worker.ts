/**
 * The papers at work in a browser's tab: the worker of the page to play with. Bundled by `deno task page`.
 *
 * What it computes with is the code of the paper scripts; here is only what hears the page and answers.
 *
 * @module
 */
import type { CallName, Calls, Events, Message, Request } from "../common/page/play/protocol.ts";
import { startWasm } from "../common/engine/wasm/start.ts";
import { AskLesson } from "./ask.ts";
import { DigitLesson } from "./digits.ts";
import { FlowLesson } from "./flows.ts";
import { InventionLesson } from "./invention.ts";
import { PointLesson } from "./points.ts";
import { ChainWalker } from "./walker.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Request>) => void;
  onunhandledrejection: (event: PromiseRejectionEvent) => void;
  postMessage(message: Message): void;
};

function tell<E extends keyof Events>(event: E, detail: Events[E]): void {
  scope.postMessage({ event, detail } as Message);
}

// a browser that refuses WASM says so in a promise that TensorFlow.js waits for in vain
scope.onunhandledrejection = ({ reason }) => tell("trouble", String(reason?.message ?? reason));

const points = new PointLesson(tell);
const flows = new FlowLesson(tell);
const walker = new ChainWalker(tell);
const digits = new DigitLesson(walker);
const asked = new AskLesson(walker);
const invention = new InventionLesson(walker, digits);

const calls: {
  [C in CallName]: (given: Parameters<Calls[C]>[0]) => Promise<ReturnType<Calls[C]>>;
} = {
  async open({ threads, shared, kernels }) {
    await startWasm(threads, { shared, kernels });
    return { threads };
  },
  destroy: (given) => points.destroy(given),
  begin: (given) => points.begin(given),
  train: (given) => points.train(given),
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
};

/** Calls are answered in their order: one begins when the one before has ended. */
let before: Promise<void> = Promise.resolve();

scope.onmessage = ({ data: { id, name, given } }) => {
  before = before.then(async () => {
    try {
      const got = await (calls[name] as (given: unknown) => Promise<unknown>)(given);
      scope.postMessage({ id, got });
    } catch (error) {
      scope.postMessage({ id, error: (error as Error).message ?? String(error) });
    }
  });
};
