/// <reference lib="dom" />
// The page to play with on a GPU. Chromium brings a software adapter, which the page takes for one if its
// address says so. Skipped, and counted as such, where there is none.
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { chromiumPath } from "./page_browser.ts";
import { keepWorker, pageFolder } from "./play_page.ts";

const ADAPTER = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
/** Its shaders are compiled on the CPU. */
const PATIENCE = { timeout: 240_000 };

/** A training that takes some seconds: of a shorter one the end has come before a GPU is tried. */
const LONG = "#at=learn&T=10&H=96";

/** Opens the page; `fault` is put before the code of the worker that computes with the GPU. */
type Open = (hash: string, fault?: string) => Promise<Page>;

async function until(page: Page, selector: string, pattern: RegExp): Promise<string> {
  const found = page.locator(selector).filter({ hasText: pattern });
  return (await found.textContent(PATIENCE))!;
}

/** Step of the training that the page shows. */
async function stepOf(page: Page): Promise<number> {
  return Number(/step (\d+)/.exec(await page.locator("#train-note").textContent() ?? "")?.[1]);
}

/** Waits until the training has come a good piece further. */
async function goesOn(page: Page): Promise<void> {
  const from = await stepOf(page);
  while (await stepOf(page) < from + 60) await new Promise((resume) => setTimeout(resume, 50));
}

/** Code for the worker: its device is lost when it is told so. */
const MAY_BE_LOST = `{
  const { requestDevice } = GPUAdapter.prototype;
  let device;
  GPUAdapter.prototype.requestDevice = async function (options) {
    return device = await requestDevice.call(this, options);
  };
  addEventListener("message", ({ data }) => data === "lose" && device.destroy());
}`;
/** Code for the worker: products come out a little wrong. */
const WRONG = `{
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function ({ label, code }) {
    const wrong = label === "matrix product" ? code.replace("= value", "= 1.02 * value") : code;
    return createShaderModule.call(this, { label, code: wrong });
  };
}`;
/** Code for the worker: there is an adapter, but it gives no device. */
const NO_DEVICE = `GPUAdapter.prototype.requestDevice = async () => {
  throw new DOMException("the driver crashed");
};`;

/** Runs in the page: the GPU's device is lost, if it may be. */
function lose(): void {
  (globalThis as unknown as { kept: Worker[] }).kept[1].postMessage("lose");
}

/** Runs in the page: the losses of the same first steps, by WASM and by the GPU, the page aside. */
async function lossesOfBoth(steps: number): Promise<[number[], number[]]> {
  const { kept } = globalThis as unknown as { kept: Worker[] };
  let count = 0;
  const ask = (worker: Worker, name: string, given: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      const id = --count; // the page itself counts upwards
      worker.addEventListener("message", ({ data }) => {
        if (data.id !== id) return;
        if (data.error) reject(new Error(data.error));
        else resolve(data.got);
      });
      worker.postMessage({ id, name, given });
    });
  const trained = (worker: Worker) =>
    new Promise<number[]>((resolve) => {
      const losses: number[] = [];
      worker.addEventListener("message", ({ data: { event, detail } }) => {
        if (event !== "snapshot" || detail.steps !== steps) return;
        losses.push(...detail.losses);
        if (detail.step === steps) resolve(losses);
      });
    });
  const switches = {
    ...{ shape: "moons", timesteps: 10, schedule: "cosine", tails: "each", hidden: 16, seed: 1 },
  };
  const [wasm, gpu] = kept;
  await ask(gpu, "train", { on: false });
  await ask(wasm, "begin", { switches, steps });
  const { state, snapshot } = await ask(wasm, "handOver", {}) as Record<string, unknown>;
  const both = Promise.all([trained(wasm), trained(gpu)]);
  await ask(gpu, "takeOver", { switches, steps, state, expected: snapshot });
  for (const worker of [wasm, gpu]) await ask(worker, "train", { on: true });
  return await both;
}

const CASES: Record<string, (open: Open) => Promise<void>> = {
  async "a software adapter is none: nothing is loaded, and nothing said"(open) {
    const page = await open(LONG);
    await until(page, "#train-note", /step [3-9]\d\d of 1200/); // later than a GPU would be tried
    assertEquals(await page.locator("#learn-backend").textContent(), "");
    assertEquals(
      await page.evaluate(() => (globalThis as { playGpu?: string }).playGpu),
      undefined,
    );
  },

  async "taken for a GPU it is measured, and WASM is faster"(open) {
    const page = await open(`${LONG}&gpu=software`);
    const line = await until(page, "#learn-backend", /./);
    assertMatch(line, /^Computed by WASM with 1 thread: [\d.]+ ms a step; the GPU \(.*\) takes /);
    await goesOn(page);
  },

  async "a GPU comes to WASM's losses; when it is lost, the training goes on with WASM"(open) {
    const page = await open(`${LONG}&gpu=forced`, MAY_BE_LOST);
    const chosen = /^Computed by the GPU \(.*\): [\d.]+ ms a step; WASM with 1 thread takes /;
    assertMatch(await until(page, "#learn-backend", /./), chosen);
    assertMatch(await until(page, "#backend-points", /./), /Chapters b and c: the GPU/);
    const [wasm, gpu] = await page.evaluate(lossesOfBoth, 24);
    assertEquals([wasm.length, gpu.length], [24, 24]);
    const apart = Math.max(...gpu.map((loss, i) => Math.abs(loss / wasm[i] - 1)));
    assertGreater(1e-3, apart);
    assert(gpu.some((loss, i) => loss !== wasm[i]), "the GPU rounds otherwise");

    await page.locator("#again").click(); // from here on the page has its training for itself
    await until(page, "#train-note", /step 0 of/);
    if (await page.locator("#train").textContent() !== "Pause") {
      await page.locator("#train").click();
    }
    assertMatch(await until(page, "#learn-backend", /./), chosen);
    await page.locator("#walk-send").click();
    await until(page, "#walk-readout", /6 ways/);
    const before = await stepOf(page);
    while (await stepOf(page) === before) await new Promise((resume) => setTimeout(resume, 50));
    await page.evaluate(lose);
    const line = await until(page, "#learn-backend", /the GPU was lost/);
    assertMatch(
      line,
      /^Computed by WASM with 1 thread, since with the GPU \(.*\) something is wrong/,
    );
    const from = Number(/The training goes on from step (\d+)\.$/.exec(line)![1]);
    assertGreater(from, before - 1);
    assertEquals(await page.locator("#backend-points").textContent(), "");
    await goesOn(page);
    await page.locator("#walk-send").click();
    await until(page, "#walk-readout", /12 ways/);
  },

  async "lost while nothing is trained, what is asked for next is WASM's"(open) {
    const page = await open(`${LONG}&gpu=forced`, MAY_BE_LOST);
    assertMatch(await until(page, "#learn-backend", /./), /^Computed by the GPU/);
    if (await page.locator("#train").textContent() === "Pause") {
      await page.locator("#train").click();
    }
    await page.evaluate(lose);
    await page.locator("#walk-send").click();
    await until(page, "#walk-readout", /6 ways/);
    await until(
      page,
      "#learn-backend",
      /the GPU was lost .* The training goes on from step \d+\.$/,
    );
    assertMatch((await page.locator("#train").textContent())!, /^Train/);
    await page.locator("#again").click();
    await until(page, "#train-note", /step 0 of/);
    await until(page, "#learn-backend", /the GPU was lost .*\)\.$/);
  },

  async "one that computes wrong numbers is not used, and a line says which"(open) {
    const page = await open(`${LONG}&gpu=forced`, WRONG);
    assertMatch(
      await until(page, "#learn-backend", /./),
      /^Computed by WASM .* something is wrong: the (loss of a training step|norm of a gradient) is [\d.]+, with WASM [\d.]+\.$/,
    );
    await goesOn(page);
  },

  async "one that gives no device is not used, and a line says why"(open) {
    const page = await open(`${LONG}&gpu=forced`, NO_DEVICE);
    await until(page, "#learn-backend", /wrong: the GPU gives no device \(the driver crashed\)\.$/);
    await goesOn(page);
  },
};

Deno.test({
  name: "the page to play with, on a GPU",
  ignore: chromiumPath === undefined,
  fn: async (t) => {
    const address = `file://${await pageFolder()}/runs/page/index.html`;
    const { chromium } = await import("playwright-core");
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: ["--no-sandbox", ...ADAPTER],
    });
    const probe = await browser.newPage();
    await probe.goto(address);
    const hasAdapter = await probe.evaluate(async () => !!await navigator.gpu?.requestAdapter());
    await probe.close();
    for (const [name, tryIt] of Object.entries(CASES)) {
      await t.step({
        name,
        ignore: !hasAdapter,
        fn: async () => {
          const page = await browser.newPage();
          const complaints: string[] = [];
          page.on("console", (message) => complaints.push(message.text()));
          page.on("pageerror", (error) => complaints.push(String(error)));
          await page.addInitScript(keepWorker);
          await tryIt(async (hash, fault = "") => {
            await page.route("**/gpu.js", async (route) => {
              const response = await Deno.readTextFile(new URL(route.request().url()));
              const body = `${response}globalThis.playGpu = ${
                JSON.stringify(fault + "\n")
              } + globalThis.playGpu;`;
              await route.fulfill({ body, contentType: "text/javascript" });
            });
            await page.goto(address + hash);
            return page;
          });
          assertEquals(await page.locator("#trouble").textContent(), "");
          assertEquals(complaints, []);
          await page.close();
        },
      });
    }
    await browser.close();
  },
});
