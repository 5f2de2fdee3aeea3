/// <reference lib="dom" />
// The page to play with in real browsers. Skipped, and counted as such, where there is none.
import { assert, assertEquals, assertGreater, assertMatch, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { BrowserContextOptions, Page } from "playwright-core";
import { selectBackend } from "../common/backend.ts";
import { normal } from "../common/random.ts";
import {
  type ChainPoint,
  ddimStep,
  endOfChain,
  fewerTimesteps,
  type ImageShape,
  reverseProcess,
} from "../common/reverse_process.ts";
import type { ImageModel } from "../common/network/image_model.ts";
import { slerp } from "../common/slerp.ts";
import type { ShippedScript } from "../common/shipped/half_precision.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { command, sample, startTraining, train } from "../paper_1_partb.ts";
import { loadModel } from "../common/run/model_settings.ts";
import { ddim } from "../paper_2.ts";
import { guidedChainOf } from "../paper_3.ts";
import { mayRunCommands } from "./commands.ts";
import {
  askWorker,
  endOf,
  endsOf,
  keepWorker,
  lossesOf,
  pageFolder,
  servePage,
} from "./play_page.ts";

const mayBrowse = mayRunCommands && (await Promise.all(
  (["env", "sys", "net"] as const).map((name) => Deno.permissions.query({ name })),
)).every(({ state }) => state === "granted");
const chromiumPath = await firstOf(
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
);
const firefoxPath = await firstOf("/usr/bin/firefox-esr", "/usr/bin/firefox");

async function firstOf(...paths: string[]): Promise<string | undefined> {
  for (const path of mayBrowse ? paths : []) {
    if (await Deno.stat(path).catch(() => undefined)) return path;
  }
}

const STEPS = 50;
const SAMPLES = 100;
const SWITCHES = {
  ...{
    shape: "swiss-roll",
    timesteps: 40,
    schedule: "sigmoid",
    tails: "each",
    hidden: 96,
    seed: 3,
  },
};
/** A call and what it is given. */
type Asked = [string, unknown];
const BEGIN: Asked = ["begin", { switches: SWITCHES, steps: STEPS }];
const TRAIN: Asked = ["train", { on: true }];
const DRAW: Asked = ["samples", { count: SAMPLES, seed: 3 }];

/** The losses and the samples' coordinates of the script itself, in Deno. */
async function inDeno(steps = STEPS): Promise<{ losses: number[]; samples: number[] }> {
  const backend = await selectBackend("wasm", { workers: 1 });
  const { settings } = parseCommandLine(command, ["--steps", String(steps), "--seed", "3"]);
  const training = await startTraining(settings);
  const losses: number[] = [];
  for (const { loss } of train(training)) {
    losses.push((await loss.data())[0]);
    loss.dispose();
  }
  let samples: number[] = [];
  const { model, schedule } = training;
  for (const { xt } of sample(model, schedule, { count: SAMPLES, seed: 3 })) {
    samples = Array.from(await xt.data());
  }
  tf.disposeVariables();
  backend.dispose();
  return { losses, samples };
}

/** Eight digits of the model that ships, in ten steps of DDIM. */
function digitsInDeno(): Promise<number[]> {
  return endInDeno("paper2", (model) => {
    const start = { shape: [8, 16, 16, 1] as ImageShape, name: "samples 0", seed: 0 };
    return ddim(model, { ...start, sampleSteps: 10, eta: 1 });
  });
}

/** Sixteen digits of one kind, of paper 3's model that ships, in ten steps without noise. */
function askedInDeno(label: number, w: number, seed: number): Promise<number[]> {
  return endInDeno("paper3", (model) => {
    const sampler = { sampler: "ddim", sampleSteps: 10, eta: 0 } as const;
    const start = { shape: [16, 16, 16, 1] as ImageShape, name: "samples 0", seed };
    return guidedChainOf(model, sampler, { labels: new Array(16).fill(label), w }, start);
  });
}

/** What 29 noises from the third of the sheet to the seventh lead to, in ten steps. */
function betweenInDeno(): Promise<number[]> {
  return endInDeno("paper2", (model) => {
    const noises = normal({ seed: 0, stream: "xT samples 0" }, 8 * 256);
    const [a, b] = [2, 6].map((n) => noises.subarray(256 * n, 256 * (n + 1)));
    const noisesBetween = Array.from({ length: 29 }, (_, i) => Array.from(slerp(a, b, i / 28)));
    return reverseProcess(
      tf.tensor4d(noisesBetween.flat(), [29, 16, 16, 1]),
      fewerTimesteps(model.schedule.T, 10),
      (xt, t, tNext) => ddimStep(model, { xt, t, tNext, eta: 0 }),
    );
  });
}

/** The end of a chain of images with a model that ships. */
async function endInDeno(
  script: ShippedScript,
  chainOf: (model: ImageModel) => Iterable<ChainPoint>,
): Promise<number[]> {
  const backend = await selectBackend("wasm", { workers: 1 });
  const model = await loadModel(undefined, script);
  const x0 = await endOfChain(chainOf(model));
  const values = Array.from(await x0.data());
  tf.dispose(x0);
  model.network.dispose();
  backend.dispose();
  return values;
}

/** As a run prints them. */
function printed(values: number[]): string[] {
  return values.map((value) => value.toPrecision(4));
}

/** Opens pages in one Chromium. */
type Open = (hash?: string, options?: BrowserContextOptions) => Promise<Page>;

/** A number that another picture on a canvas would hardly have. */
async function pixels(page: Page, selector: string): Promise<number> {
  await page.evaluate(() =>
    new Promise((resume) => requestAnimationFrame(() => setTimeout(resume)))
  );
  return await page.locator(selector).evaluate((element) => {
    const url = (element as HTMLCanvasElement).toDataURL();
    return [...url].reduce((sum, c) => (31 * sum + c.charCodeAt(0)) % 1_000_000_007, 7);
  });
}

/** Waits until a text in the page fits. */
async function until(page: Page, selector: string, pattern: RegExp): Promise<string> {
  const found = page.locator(selector).filter({ hasText: pattern });
  return (await found.textContent({ timeout: 30_000 }))!;
}

/** What one tries in Chromium, each on a page of its own. */
const CHROMIUM: Record<string, (open: Open) => Promise<void>> = {
  async "its losses and samples are the script's, digit by digit"(open) {
    const page = await open();
    await page.evaluate(askWorker, BEGIN);
    await page.evaluate(askWorker, TRAIN);
    const losses = await page.evaluate(lossesOf, STEPS);
    const samples = await page.evaluate(askWorker, DRAW);
    const expected = await inDeno();
    assertEquals(losses, expected.losses);
    assertEquals(samples, expected.samples);
  },

  async "by keyboard alone: t, a switch, the training, a point sent down"(open) {
    const page = await open("", { reducedMotion: "reduce" });
    await until(page, "#destroy-readout", /at t = 20 of 40/);
    const before = await pixels(page, "#destroy-steps canvas");
    await page.focus("#destroy-time-slider");
    await page.keyboard.press("End");
    await until(page, "#destroy-readout", /at t = 40 of 40/);
    assertNotEquals(await pixels(page, "#destroy-steps canvas"), before);
    await page.focus("input[name=T]:checked");
    await page.keyboard.press("ArrowLeft"); // 40 to 10
    await until(page, "#destroy-readout", /of 10/);
    await page.focus("#train");
    await page.keyboard.press("Enter");
    await until(page, "#train-note", /step [1-9]/);
    await page.keyboard.press("Enter");
    assertEquals(await page.locator("#train").textContent(), "Train");
    const stage = "#walk-reverse canvas";
    await page.focus(stage);
    const still = await pixels(page, stage);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await until(page, "#walk-readout", /6 ways from \(1\.2, 1\.7\)/);
    assertNotEquals(await pixels(page, stage), still);
    await page.waitForFunction(() => /T=10.*from=1.20%2C1.70/.test(location.hash));
  },

  async "a shape drawn with the mouse is trained on, and comes back from the address"(open) {
    const page = await open();
    await page.locator("label", { hasText: "draw one" }).click();
    const stage = page.locator("#learn-data canvas");
    await stage.scrollIntoViewIfNeeded();
    const { x, y, width } = (await stage.boundingBox())!;
    await page.mouse.move(x + 0.2 * width, y + 0.3 * width);
    await page.mouse.down();
    await page.mouse.move(x + 0.8 * width, y + 0.3 * width, { steps: 8 });
    await page.mouse.move(x + 0.5 * width, y + 0.8 * width, { steps: 8 });
    await page.mouse.up();
    await page.locator("#own-train").click();
    await until(page, "#train-note", /step [1-9]/);
    await page.waitForFunction(() => location.hash.includes("own="));
    const hash = await page.evaluate(() => location.hash);
    const drawn = await pixels(page, "#learn-data canvas");
    const again = await open(hash);
    await until(again, "#train-note", /step/);
    assertEquals(await pixels(again, "#learn-data canvas"), drawn);
    assertEquals(await again.locator("input[name=shape]:checked").inputValue(), "own");
  },

  async "reloaded in the middle, it begins again with the same switches"(open) {
    const page = await open("#at=learn&shape=moons&T=10&ta=3");
    await until(page, "#train-note", /step [1-9]/);
    await page.reload();
    await until(page, "#train-note", /step/);
    assertEquals(await page.locator("input[name=shape]:checked").inputValue(), "moons");
    assertMatch(await until(page, "#destroy-readout", /of 10/), /at t = 3 of 10/);
  },

  async "a flow is trained, made straight, and followed in one step"(open) {
    const page = await open("#S=1", { reducedMotion: "reduce" });
    await page.evaluate(askWorker, ["beginFlow", { switches: SWITCHES, steps: 8 }] as Asked);
    await page.evaluate(askWorker, ["trainFlow", { on: true }] as Asked);
    await until(page, "#flow-note", /step 8 of 8.*pairs of the first/);
    await until(page, "#straighten-second-readout", /distance 0\.\d+, straightness/);
    assertMatch(await until(page, "#straighten-readout", /./), /in 1 Euler step;/);
    const [before, stage] = [
      await pixels(page, "#straighten-second canvas"),
      "#straighten-second canvas",
    ];
    await page.focus("#straighten input:checked");
    await page.keyboard.press("ArrowRight");
    await until(page, "#straighten-readout", /in 2 Euler steps/);
    assertNotEquals(await pixels(page, stage), before);
  },

  async "the digits are the script's; one is painted over by keyboard and filled in"(open) {
    const page = await open("#at=digits&steps=10", { reducedMotion: "reduce" });
    await until(page, "#digit-readout", /at t = 0 of 1000/);
    const drawn = await page.evaluate(endOf, "draw");
    assertEquals(drawn, await digitsInDeno());
    await page.focus("#paint-stage canvas");
    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Space");
    await until(page, "#fill-readout", /^(9|1\d) of 256 pixels are hidden/);
    await page.focus("#fill");
    await page.keyboard.press("Enter");
    await until(page, "#fill-readout", /6 fillings/);
    const filled = await page.evaluate(endOf, "fill");
    const [image, hidden] = [
      drawn.slice(0, 256).map((x) => Math.max(-1, Math.min(1, x))),
      8 * 16 + 8,
    ];
    for (let k = 0; k < 6; k++) {
      const filling = filled.slice(256 * k, 256 * (k + 1));
      assertEquals(filling.slice(0, 64), image.slice(0, 64)); // four rows above the brush
      assertNotEquals(filling[hidden], image[hidden]);
    }
    await page.locator("label", { hasText: "DDPM" }).click();
    assert(await page.locator("input[name=eta]").first().isDisabled());
    await until(page, "#digit-readout", /of the chain is walked/);
  },

  async "between two noises: both ends are digits of the sheet, the way is the script's"(open) {
    const hash = "#at=digits&steps=10&eta=0&left=3&right=7&between=20";
    const page = await open(hash, { reducedMotion: "reduce" });
    await until(page, "#between-readout", /At λ = 0\.71 the noise is 1\d\.\d long/);
    const way = await page.evaluate(endOf, "between");
    assertEquals(way, await betweenInDeno());
    const drawn = await page.evaluate(endOf, "draw");
    for (const [place, digit] of [[0, 2], [28, 6]]) {
      way.slice(256 * place, 256 * (place + 1)).forEach((value, i) =>
        assertGreater(1e-3, Math.abs(value - drawn[256 * digit + i]))
      );
    }
    const digit = await pixels(page, "#between-digit");
    await page.focus("#between-time-slider");
    await page.keyboard.press("End");
    await until(page, "#between-readout", /At λ = 1\.00/);
    assertNotEquals(await pixels(page, "#between-digit"), digit);
    await page.keyboard.press("Home");
    assertEquals(
      await page.locator("#between-strip button").first().getAttribute("aria-pressed"),
      "true",
    );
    await page.waitForFunction(() => /between=0/.test(location.hash));
    await page.locator("#between-strip button").nth(5).press("Enter");
    await until(page, "#between-readout", /At λ = 0\.71/);
    assertEquals(await pixels(page, "#between-digit"), digit);
    await page.focus("input[name=left]:checked");
    await page.keyboard.press("ArrowLeft"); // 3 to 2
    assertEquals((await page.evaluate(endsOf, ["between", 2] as [string, number])).length, 2);
  },

  async "a link leads to the same digit, at the same t, with the same part filled in"(open) {
    const page = await open("#at=digits&steps=10", { reducedMotion: "reduce" });
    await until(page, "#digit-readout", /Image 1 of 8 at t = 0 of 1000/);
    await page.locator("#digit-strip button").nth(2).press("Enter");
    await page.focus("#digit-time-slider");
    for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowLeft");
    const readout = await until(page, "#digit-readout", /Image 3 of 8 at t = [1-9]/);
    await page.locator("#paint-half").click();
    for (const times of [1, 2]) {
      await page.locator("#fill").click();
      await page.evaluate(endsOf, ["fill", times] as [string, number]);
    }
    await until(page, "#fill-readout", /6 fillings/);
    await page.waitForFunction(() => /digit=3&td=\d+&hidden=[^&]{43}&filled=2/.test(location.hash));

    const again = await open(await page.evaluate(() => location.hash), { reducedMotion: "reduce" });
    await until(again, "#fill-readout", /6 fillings/);
    assertEquals(await again.locator("#digit-readout").textContent(), readout);
    assertEquals(
      await again.locator("#digit-strip [aria-pressed=true]").getAttribute("aria-label"),
      "image 3",
    );
    const canvases = ["#digit-xt", "#digit-x0hat", "#paint-stage canvas"]
      .concat([0, 5].map((i) => `#fill-strip canvas >> nth=${i}`));
    for (const canvas of canvases) {
      assertEquals(await pixels(again, canvas), await pixels(page, canvas), canvas);
    }

    // another digit is whole; other noises are followed to their end
    await again.locator("#digit-strip button").first().click();
    await until(again, "#fill-readout", /Nothing is hidden/);
    await again.locator("#digit-other").click();
    await until(again, "#digit-readout", /Image 1 of 8 at t = 0 of 1000/);
    await again.waitForFunction(() => location.hash === "#at=digits&steps=10&noise=1");
  },

  async "a link leads to the same sliders and marks in the chapters on points, and for w"(open) {
    const hash = "#at=walk&T=5&ta=0&tc=2&from=0.50%2C-1.00&wind=off&label=3&askSteps=10" +
      "&askImage=16&te=400&w=0";
    const page = await open(hash, { reducedMotion: "reduce" });
    const standsSo = async () => {
      await until(page, "#destroy-readout", /at t = 0 of 5/);
      await until(page, "#walk-time-label", /t = 2/);
      assertEquals(
        [await page.isChecked("#walk-wind"), await page.isChecked("#walk-cloud")],
        [false, true],
      );
    };
    await standsSo();
    await page.locator("#walk-send").click();
    await until(page, "#walk-readout", /6 ways from \(0\.5, -1\.0\)/);
    await page.focus("#walk-time-slider");
    await page.keyboard.press("End");
    await until(page, "#walk-time-label", /t = 5/);
    await page.locator("#walk-wind").check();
    await page.locator("#walk-cloud").uncheck();
    await page.waitForFunction(() =>
      !/wind/.test(location.hash) && /cloud=off/.test(location.hash)
    );

    await page.evaluate((hash) => location.hash = hash, hash);
    await standsSo(); // a link that is followed within the page, too
    await page.evaluate((hash) => location.hash = hash, hash.replace("at=walk", "at=ask"));
    await page.evaluate(endOf, "ask");
    await until(page, "#ask-readout", /Image 16 of 16 at t = 400 of 1000/);
    await until(page, "#ask-w-label", /w = 0$/);
    await page.focus("#ask-w");
    await page.keyboard.press("ArrowRight");
    await page.evaluate(endsOf, ["ask", 2] as [string, number]);
    await until(page, "#ask-readout", /Image 16 of 16 at t = 400 of 1000/); // to compare
  },

  async "an address that makes no sense is as one that says nothing"(open) {
    const page = await open(
      "#at=digits&shape=blob&T=1e1&schedule=&tails=0&H=-96&ta=41&tc=x&from=4,0&wind=1&steps=7" +
        "&digit=9&td=-1&hidden=%E0%A4%A&filled=3&left=&between=&eta=NaN&noise=&S=3&own=!",
      { reducedMotion: "reduce" },
    );
    await until(page, "#destroy-readout", /at t = 20 of 40/);
    await until(page, "#walk-time-label", /t = 40/);
    await until(page, "#digit-readout", /Image 1 of 8 at t = 0 of 1000/);
    await until(page, "#between-readout", /At λ = 0\.50/);
    await until(page, "#fill-readout", /Nothing is hidden/);
    const chosen = await page.locator("input[type=radio]:checked").evaluateAll((inputs) =>
      Object.fromEntries(inputs.map((input) => {
        const { name, value } = input as HTMLInputElement;
        return [name, value];
      }))
    );
    assertEquals(chosen, {
      ...{ shape: "swiss-roll", T: "40", schedule: "sigmoid", tails: "each", H: "96" },
      ...{ sampler: "ddim", steps: "50", eta: "1", left: "1", right: "4", S: "4" },
    });
    assert(await page.isChecked("#walk-wind"));
  },

  async "a link to a chapter keeps what was set and the training, and the back button leads back"(
    open,
  ) {
    const page = await open("#at=learn&shape=moons&H=16");
    await until(page, "#train-note", /step [1-9]/);
    await page.locator('nav a[href="#at=destroy"]').click();
    assertEquals(await page.evaluate(() => location.hash), "#at=destroy&shape=moons&H=16");
    assertEquals(await page.locator("input[name=shape]:checked").inputValue(), "moons");
    await page.goBack();
    await page.waitForFunction(() =>
      Math.abs(document.querySelector("#learn")!.getBoundingClientRect().top) < 120
    );
    await page.evaluate(askWorker, DRAW); // what was asked for before is answered before
    const beginnings = await page.evaluate(() => {
      const { heard } = globalThis as unknown as {
        heard: { detail?: { step?: number; T?: number } }[];
      };
      return heard.filter(({ detail }) => detail?.T !== undefined && detail.step === 0).length;
    });
    assertEquals(beginnings, 1);
  },

  async "the digit that is asked for is the script's; another one and another w by keyboard"(open) {
    const page = await open("#at=ask&label=3&w=2.5&askSteps=10&askNoise=1", {
      reducedMotion: "reduce",
    });
    const ends = (count: number) => page.evaluate(endsOf, ["ask", count] as [string, number]);
    const [asked] = await ends(1);
    assertEquals(asked, await askedInDeno(3, 2.5, 1));
    await until(page, "#ask-sum", /ε̃ = 3\.5·ε\(xₜ, 3\) − 2\.5·ε\(xₜ\)/);
    await until(page, "#ask-readout", /Image 1 of 16 at t = 0 of 1000/);
    const digit = await pixels(page, "#ask-x0hat");

    await page.focus("#ask-w");
    await page.keyboard.press("ArrowRight");
    await until(page, "#ask-w-label", /w = 3/);
    const [, plainer] = await ends(2);
    assertEquals(plainer, await askedInDeno(3, 3, 1));
    await page.focus("input[name=label]:checked");
    await page.keyboard.press("ArrowRight"); // 3 to 4
    const [, , four] = await ends(3);
    assertEquals(four, await askedInDeno(4, 3, 1));
    assertNotEquals(await pixels(page, "#ask-x0hat"), digit);
    await page.waitForFunction(() => /label=4.*w=3(&|$)/.test(location.hash));

    const again = await open(await page.evaluate(() => location.hash), { reducedMotion: "reduce" });
    assertEquals(await again.evaluate(endOf, "ask"), four);
    await again.locator("label", { hasText: "any" }).click();
    await until(again, "#ask-sum", /Any digit/);
    assert(await again.locator("#ask-w").isDisabled());
  },

  async "the perfect denoiser copies, and the one that sees patches does not"(open) {
    const page = await open("#at=invent", { reducedMotion: "reduce" });
    const off = async (name: string) => {
      const text = await until(page, `#invent-${name}-readout`, /nearest/);
      return [...text.matchAll(/\d\.\d+/g)].map(Number);
    };
    const [copied, invented] = [await off("perfect"), await off("patches")];
    assertEquals(copied.length, 6);
    assertGreater(0.1, Math.max(...copied));
    assertGreater(Math.max(...invented), 0.2);
  },

  async "a link to a chapter leads there, and opens none on the way"(open) {
    const page = await open("");
    await until(page, "#destroy-readout", /at t/);
    await page.locator('nav a[href="#at=ask"]').click();
    await page.locator("#ask-figure").waitFor({ timeout: 30_000 });
    assert(await page.locator("#digits-figure").isHidden(), "digits are not opened");
    await page.waitForFunction(() => location.hash.includes("at=ask"));
    const top = await page.locator("#ask").evaluate((at) => at.getBoundingClientRect().top);
    assert(Math.abs(top) < 120, `the chapter begins at ${top}`);
  },

  async "on a phone nothing is too wide, and the two chains stand side by side"(open) {
    for (const width of [390, 320]) {
      const page = await open("", { viewport: { width, height: 844 }, hasTouch: true });
      await until(page, "#destroy-readout", /at t/);
      assertEquals(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
      const [forward, reverse] = await Promise.all(
        ["forward", "reverse"].map((id) => page.locator(`#walk-${id}`).boundingBox()),
      );
      assertEquals(forward!.y, reverse!.y);
      assertGreater(forward!.width, 110);
      for (const chapter of ["digits", "ask"]) {
        await page.evaluate((at) => location.hash = `#at=${at}`, chapter);
        await page.locator(`#${chapter}-figure`).waitFor({ timeout: 30_000 });
        const tooWide = await page.evaluate(() =>
          document.documentElement.scrollWidth - innerWidth
        );
        assertEquals(tooWide, 0, chapter);
      }
    }
  },

  async "axe finds nothing, light and dark"(open) {
    const { default: axe } = await import("axe-core");
    const page = await open("", { reducedMotion: "reduce" });
    await until(page, "#train-note", /step/);
    for (const chapter of ["digits", "ask", "invent"]) {
      await page.evaluate((at) => location.hash = `#at=${at}`, chapter);
      await page.locator(`#${chapter}-figure`).waitFor({ timeout: 30_000 });
    }
    await page.locator("details").first().locator("summary").click();
    // the page's policy lets no script in: this one comes by the browser's own door
    const session = await page.context().newCDPSession(page);
    await session.send("Runtime.evaluate", { expression: axe.source });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const { result } = await session.send("Runtime.evaluate", {
        expression: "axe.run().then(({ violations }) => JSON.stringify(violations.map((v) => " +
          "v.id + ': ' + v.nodes.map(({ target }) => target).join(' '))))",
        ...{ awaitPromise: true, returnByValue: true },
      });
      assertEquals(JSON.parse(result.value), []);
    }
  },

  async "printed, it has its words and figures and no buttons"(open) {
    const page = await open();
    await until(page, "#destroy-readout", /at t/);
    await page.emulateMedia({ media: "print" });
    for (const hidden of ["#train", "nav", "#switches", ".time", ".amount", "#theme"]) {
      assert(!await page.locator(hidden).first().isVisible(), hidden);
    }
    assert(await page.locator("#destroy-closed canvas").isVisible());
    await page.evaluate(() => location.hash = "#at=ask");
    await page.locator("#ask-strip .thumbnail").first().waitFor({ timeout: 30_000 });
    assert(!await page.locator("#ask-other").isVisible());
    assertGreater((await page.pdf()).length, 20_000);
  },

  async "a part of a formula lights up with its control, and the other way round"(open) {
    const page = await open();
    const lit = (selector: string) => page.locator(selector).first().getAttribute("class");
    await page.focus("#destroy-time-slider");
    assertMatch((await lit("#destroy .term-signal"))!, /\blit\b/);
    await page.focus("#theme");
    assert(!/\blit\b/.test((await lit("#destroy .term-signal"))!));
    await page.evaluate(() => location.hash = "#at=ask");
    await page.locator("#ask-figure").waitFor({ timeout: 30_000 });
    await page.focus("#ask-w");
    assertMatch((await lit("#ask .katex-html .term-w"))!, /\blit\b/);
    assert(!/\blit\b/.test((await lit("#ask .katex-html .term-label"))!));
    await page.locator("#walk .katex-html .term-mu").first().hover();
    assertMatch((await lit("#walk .time"))!, /\blit\b/);
  },
};

Deno.test({
  name: "the page to play with, in Chromium",
  ignore: chromiumPath === undefined,
  fn: async (t) => {
    const folder = await pageFolder();
    const served = await servePage(folder);
    const { chromium } = await import("playwright-core");
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: ["--no-sandbox"],
    });
    try {
      for (const [name, tryIt] of Object.entries(CHROMIUM)) {
        await t.step(name, async () => {
          const complaints: string[] = [];
          const pages: Page[] = [];
          await tryIt(async (hash = "", options = {}) => {
            const context = await browser.newContext(options);
            const page = await context.newPage();
            pages.push(page);
            page.on("console", (message) => {
              // Chromium's own word on a machine without a GPU
              if (message.text() !== "No available adapters.") complaints.push(message.text());
            });
            page.on("pageerror", (error) => complaints.push(String(error)));
            page.on("request", (request) => {
              const url = request.url();
              if (!/^(data:|blob:)/.test(url) && !url.startsWith(served.address)) {
                complaints.push(url);
              }
            });
            await page.addInitScript(keepWorker);
            await page.goto(served.address + hash);
            return page;
          });
          for (const page of pages) {
            assertEquals(await page.locator("#trouble").textContent(), "");
            await page.context().close();
          }
          assertEquals(complaints, []);
        });
      }
      await t.step("from the disk, without isolation, it trains on one thread", async () => {
        const page = await browser.newPage();
        await page.goto(`file://${folder}/runs/page/index.html#at=learn`);
        await until(page, "#train-note", /step [1-9]/);
        assert(!await page.evaluate(() => crossOriginIsolated));
        assertMatch(await until(page, "#backend", /WASM/), /by WASM on 1 thread of/);
      });
      await t.step(
        "without relaxed SIMD it takes other kernels, with about the same numbers",
        async () => {
          const page = await browser.newPage();
          await page.addInitScript(keepWorker);
          await page.addInitScript(() => WebAssembly.validate = () => false);
          await page.goto(`file://${folder}/runs/page/index.html`);
          await page.evaluate(askWorker, BEGIN);
          await page.evaluate(askWorker, TRAIN);
          const losses = await page.evaluate(lossesOf, STEPS);
          const expected = (await inDeno()).losses;
          losses.forEach((loss, i) => assertGreater(0.02, Math.abs(loss / expected[i] - 1)));
          assertNotEquals(losses, expected);
          assertEquals(await page.locator("#trouble").textContent(), "");
        },
      );
      await t.step("where WASM is refused, a line says so", async () => {
        const page = await browser.newPage();
        const html = await Deno.readTextFile(`${folder}/runs/page/index.html`);
        await page.route(
          "**/*",
          (route) =>
            route.request().resourceType() === "document"
              ? route.fulfill({
                body: html.replace(" 'wasm-unsafe-eval'", ""),
                contentType: "text/html",
              })
              : route.continue(),
        );
        await page.goto(served.address);
        await until(page, "#trouble", /refuses WebAssembly/);
      });
    } finally {
      await browser.close();
      await served.stop();
    }
  },
});

Deno.test({
  name: "the page to play with, in Firefox: its losses and samples are the script's as printed",
  ignore: firefoxPath === undefined,
  // puppeteer leaves timers of its own behind
  ...{ sanitizeOps: false, sanitizeResources: false },
  fn: async () => {
    const folder = await pageFolder();
    const served = await servePage(folder);
    const { default: puppeteer } = await import("puppeteer-core");
    const browser = await puppeteer.launch({ browser: "firefox", executablePath: firefoxPath });
    try {
      const page = await browser.newPage();
      await page.evaluateOnNewDocument(keepWorker);
      await page.goto(served.address);
      await page.waitForFunction(() => document.querySelector("#train-note")!.textContent !== "");
      assertEquals(
        await page.evaluate(() => document.querySelector("#trouble")!.textContent),
        "",
      );
      await page.evaluate(askWorker, BEGIN);
      await page.evaluate(askWorker, TRAIN);
      const losses = await page.evaluate(lossesOf, STEPS);
      const samples = await page.evaluate(askWorker, DRAW);
      const expected = await inDeno();
      assertEquals(printed(losses), printed(expected.losses));
      assertEquals(printed(samples as number[]), printed(expected.samples));
    } finally {
      await browser.close();
      await served.stop();
    }
  },
});
