/// <reference lib="dom" />
/**
 * The code of the page to play with. Bundled by `deno task page`.
 *
 * @module
 */
import { byId } from "../../page_script/elements.ts";
import { startTheme } from "../../page_script/theme.ts";
import { Address } from "./address.ts";
import { AskChapter } from "./ask.ts";
import { destroyChapter } from "./destroy.ts";
import { DigitsChapter } from "./digits.ts";
import { Engine } from "./engine.ts";
import { InventChapter } from "./invent.ts";
import { LearnChapter } from "./learn.ts";
import { startLights } from "./lights.ts";
import { OwnShape, readShape } from "./own_shape.ts";
import { PointEngine } from "./point_engine.ts";
import { Stage } from "./stage.ts";
import { StraightenChapter } from "./straighten.ts";
import { Switches } from "./switches.ts";
import { walkChapter } from "./walk.ts";

const said = new Set<string>();

/** A line at the top that says what does not work, once. */
function trouble(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (said.has(message)) return;
  said.add(message);
  const line = document.createElement("p");
  line.textContent = explained(message);
  byId("trouble").append(line);
}

/** What a browser's message means here. */
function explained(message: string): string {
  if (/wasm|webassembly/i.test(message)) {
    return `This browser refuses WebAssembly here, and all figures compute with it: ${message}`;
  }
  return message;
}

addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  trouble(
    `The page's security policy refused ${blockedURI || "something"} (${violatedDirective}).`,
  );
});

startTheme();
startLights();
const address = new Address();
const engine = new Engine();
engine.on("trouble", trouble);

const dataStage = new Stage("learn-data", { reach: 2.3 });
const own = new OwnShape(dataStage);
own.take(readShape(address.get("own", "")));
const switches = new Switches(address, own);
const digit = Uint8Array.from(
  atob(document.documentElement.dataset.digit!),
  (c) => c.charCodeAt(0),
);

engine.threads.then((threads) => {
  byId("backend").textContent = `Computed by WASM on ${threads} thread${
    threads === 1 ? "" : "s"
  } of this machine.`;
}).catch(trouble);
destroyChapter({ engine, address, switches, digit, trouble });
const pointEngine = new PointEngine(engine, {
  takes: address.oneOf("gpu", ["", "software", "forced"]),
  say(line, isGpu) {
    byId("learn-backend").textContent = line;
    byId("backend-points").textContent = isGpu ? " Chapters b and c: the GPU." : "";
  },
});
const learn = new LearnChapter({
  ...{ engine: pointEngine, address, switches, own, dataStage, trouble },
  onTrain: () => straighten.train(false),
});
walkChapter({ engine: pointEngine, address, trouble });
// one training at a time: they would share a core
const straighten = new StraightenChapter({
  ...{ engine, address, switches, trouble },
  onTrain: () => learn.train(false),
});
goToChapter();
address.onChange(goToChapter);
for (const link of document.querySelectorAll<HTMLAnchorElement>("nav a")) {
  // by itself the link is to a page on which nothing has been set yet
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // opened elsewhere
    event.preventDefault();
    address.goTo({ at: link.hash.slice("#at=".length) });
    goToChapter();
  });
}

const digits = new DigitsChapter({ engine, address, trouble });
const ask = new AskChapter({ engine, address, trouble });
const invent = new InventChapter({ engine, address, digits, trouble });

/** Scrolls to the chapter that the address names. */
function goToChapter(): void {
  document.getElementById(address.get("at", ""))?.scrollIntoView();
}

/** It trains once one has come to it; who wants less motion starts it by hand. */
let trainOnce = () => {
  trainOnce = () => {};
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) learn.train(true);
};

// the chapter that fills the window is the one in the address
const inView = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting) address.set({ at: target.id });
    if (isIntersecting && target.id === "digits") digits.open();
    if (isIntersecting && target.id === "ask") ask.open();
    if (isIntersecting && target.id === "invent") invent.open();
    if (isIntersecting && ["learn", "walk"].includes(target.id)) trainOnce();
    document.querySelector(`nav a[href="#at=${target.id}"]`)
      ?.classList.toggle("here", isIntersecting);
  }
}, { rootMargin: "-45% 0px -55% 0px" });
for (const section of document.querySelectorAll("main > section")) inView.observe(section);
