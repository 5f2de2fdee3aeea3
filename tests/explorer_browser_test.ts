/// <reference lib="dom" />
// The page of a run in a real browser: what moves when one moves something, and that nothing is loaded.
import { assert, assertEquals, assertGreater, assertMatch, assertNotEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { writeReportPage } from "../common/page/page.ts";
import { startExplorer } from "./explorer_server.ts";
import {
  losses,
  record,
  writeFlowRun,
  writeGuidedRun,
  writeImageFlowRun,
  writeImageRun,
  writePointRun,
  writeSheet,
} from "./fixtures/run_folders.ts";
import { browserTest, pixels, report } from "./page_browser.ts";

/** How much darker or brighter the page's ground is than black, 0..255. */
async function brightness(page: Page): Promise<number> {
  const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  return Number(/\d+/.exec(colour)![0]);
}

browserTest("points: the keyboard moves both clouds and the markers", async (open, folder) => {
  await writePointRun(folder);
  const page = await open(await report(folder));
  const label = () => page.locator("#time-label").textContent();
  const marker = () => page.locator("#per-t-chart .marker").getAttribute("x1");
  assertEquals(await label(), "t = 4");
  const clouds = ["#forward-stage canvas", "#reverse-stage canvas"];
  const before = await Promise.all(clouds.map((cloud) => pixels(page, cloud)));
  const markerBefore = await marker();
  await page.focus("#time-slider");
  await page.keyboard.press("ArrowRight");
  assertEquals(await label(), "t = 5");
  const after = await Promise.all(clouds.map((cloud) => pixels(page, cloud)));
  assertNotEquals(after[0], before[0]);
  assertNotEquals(after[1], before[1]);
  assertGreater(Number(await marker()), Number(markerBefore));
  assertMatch((await page.locator("#per-t-note").textContent())!, /^at t = 5: 0\.250 nats$/);
  await page.keyboard.press("ArrowLeft");
  assertEquals(await Promise.all(clouds.map((cloud) => pixels(page, cloud))), before);
  await page.keyboard.press("Home");
  assertEquals(await label(), "t = 0");
  await page.keyboard.press("End");
  assertEquals(await label(), "t = 8");
});

browserTest("guidance: a slider for the label and one for w", async (open, folder) => {
  await writeGuidedRun(folder);
  const page = await open(await report(folder));
  const labels = async () => [
    await page.locator("#label-label").textContent(),
    await page.locator("#strength-label").textContent(),
  ];
  /** The grey of the first image, as its number among the twelve. */
  const shown = async () => {
    const canvas = page.locator("#guidance-images canvas").first();
    const grey = await canvas.evaluate((element) => {
      const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
      copy.drawImage(element as HTMLCanvasElement, 0, 0);
      return copy.getImageData(0, 0, 1, 1).data[0];
    });
    return Math.round(grey / 255 * 12);
  };
  assertEquals([await labels(), await shown()], [["dog", "w = 1"], 6]);
  await page.focus("#strength-slider");
  await page.keyboard.press("ArrowRight");
  assertEquals([await labels(), await shown()], [["dog", "w = 8"], 10]);
  await page.focus("#label-slider");
  await page.keyboard.press("ArrowLeft");
  assertEquals([await labels(), await shown()], [["cat", "w = 8"], 8]);
  assertEquals(await page.locator("#guidance-images canvas").count(), 2);
});

browserTest("points: space plays and pauses", async (open, folder) => {
  await writePointRun(folder, { T: 40 });
  const page = await open(await report(folder));
  const play = page.locator("#time-play");
  const position = () => page.locator("#time-slider").inputValue();
  await page.focus("#time-slider");
  await page.keyboard.press("Space");
  assertEquals(await play.getAttribute("aria-label"), "Pause");
  await page.waitForFunction(() => {
    return (document.querySelector("#time-slider") as HTMLInputElement).value === "20";
  });
  await page.keyboard.press("Space");
  assertEquals(await play.getAttribute("aria-label"), "Play");
  const paused = await position();
  await page.waitForTimeout(400);
  assertEquals(await position(), paused);
});

browserTest(
  "points: hovering shows an arrow, a click follows, a number too",
  async (open, folder) => {
    await writePointRun(folder);
    const page = await open(await report(folder));
    const [stage, note, field] = ["#reverse-stage canvas", "#reverse-note", "#reverse-point"];
    const still = await pixels(page, stage);
    const box = (await page.locator(stage).boundingBox())!;
    // the ring's radius at t = 4 of 8 is 2, and 3.15 is shown, between margins of 30 and 8 pixels
    const rightmost = {
      x: box.x + 30 + (box.width - 38) * (0.5 + 0.5 * 2 / 3.15),
      y: box.y + box.height / 2,
    };
    await page.mouse.move(rightmost.x, rightmost.y);
    assertMatch(
      (await page.locator(note).textContent())!,
      /^point \d+ is at \(.*\), its arrow leads to \(.*\)$/,
    );
    const hovered = await pixels(page, stage);
    assertNotEquals(hovered, still);
    await page.mouse.click(rightmost.x, rightmost.y);
    const followed = await page.locator(field).inputValue();
    assertMatch(followed, /^\d+$/);
    await page.mouse.move(5, 5);
    assertMatch((await page.locator(note).textContent())!, new RegExp(`^point ${followed} `));
    assertNotEquals(await pixels(page, stage), hovered);
    await page.locator(field).fill("");
    assertEquals(await pixels(page, stage), still);
    await page.focus(field);
    await page.keyboard.type("7");
    assertMatch((await page.locator(note).textContent())!, /^point 7 is/);
    await page.locator(field).fill("61"); // there are 60
    assertEquals(await pixels(page, stage), still);
    await page.locator("#all-arrows").check();
    assertNotEquals(await pixels(page, stage), still);
  },
);

browserTest("flows: any t, any number of steps, before and after reflow", async (open, folder) => {
  await writeFlowRun(folder);
  const page = await open(await report(folder));
  const text = (id: string) => page.locator(id).textContent();
  const cloud = () => pixels(page, "#flow-stage canvas");
  assertEquals([await text("#time-label"), await text("#steps-label")], ["t = 0.50", "40 steps"]);
  assertEquals(await text("#distance-note"), "40 steps: 0.0200");
  assertEquals(await page.locator("#results dd").allTextContents(), [
    ...["0.65", "after each reflow: 0.0040"],
    ...["1.93 bits", "after each reflow: 0.35 bits", "under N(0, I): −3.34 bits"],
  ]);
  const middle = await cloud();
  await page.focus("#time-slider");
  await page.keyboard.press("ArrowRight");
  assertEquals(await text("#time-label"), "t = 0.51");
  assertNotEquals(await cloud(), middle);
  await page.keyboard.press("ArrowLeft");
  assertEquals(await cloud(), middle);
  // one step of a turning flow cuts the corner; in the straight flow it is as good as forty
  await page.focus("#steps-slider");
  await page.keyboard.press("Home");
  assertEquals(await text("#distance-note"), "1 step: 0.5000");
  assertNotEquals(await cloud(), middle);
  await page.selectOption("#flow-choice", "after one reflow");
  assertEquals(await text("#distance-note"), "1 step: 0.0300");
  await page.focus("#steps-slider");
  await page.keyboard.press("End");
  assertEquals(await text("#distance-note"), "40 steps: 0.0201");
  await page.waitForFunction(() => document.querySelector("#distance-chart svg") !== null);
  const chart = (await page.locator("#distance-chart").boundingBox())!;
  await page.mouse.click(chart.x + 50, chart.y + 100); // the far left is one step
  assertEquals(await text("#steps-label"), "1 step");
});

browserTest("flows of images: t rises from noise to image", async (open, folder) => {
  await writeImageFlowRun(folder);
  const page = await open(await report(folder));
  const text = (id: string) => page.locator(id).textContent();
  await page.focus("#time-slider");
  await page.keyboard.press("Home");
  assertEquals(await text("#time-label"), "t = 0.00");
  const noise = await pixels(page, "#xt-images canvas");
  await page.keyboard.press("End");
  assertEquals(await text("#time-label"), "t = 1.00");
  assertNotEquals(await pixels(page, "#xt-images canvas"), noise);
});

browserTest("images: the keyboard moves the chains, and the sheets", async (open, folder) => {
  await writeImageRun(folder);
  const page = await open(await report(folder));
  const places = ["#xt-images canvas", "#x0hat-images canvas"];
  assertEquals(await page.locator(places[0]).count(), 8);
  const before = await Promise.all(places.map((place) => pixels(page, place)));
  await page.focus("#time-slider");
  await page.keyboard.press("End");
  assertEquals(await page.locator("#time-label").textContent(), "t = 100");
  const after = await Promise.all(places.map((place) => pixels(page, place)));
  assertNotEquals(after[0], before[0]);
  assertNotEquals(after[1], before[1]);
  const [sheet, label] = [page.locator("#sheet"), page.locator("#sheet-label")];
  assertEquals(await label.textContent(), "step 30");
  const last = await sheet.getAttribute("src");
  const marker = () => page.locator("#loss-chart .marker").getAttribute("x1");
  const markerAtLast = Number(await marker());
  await page.focus("#sheet-slider");
  await page.keyboard.press("ArrowLeft");
  assertEquals(await label.textContent(), "step 20");
  assertNotEquals(await sheet.getAttribute("src"), last);
  assertGreater(markerAtLast, Number(await marker()));
  await page.locator("#strip img").first().click();
  assertEquals(await label.textContent(), "step 10");
  // the pixels are those of the file: ⌊(sin(i) + 1)·127.5⌉ at t = 100
  const [value] = await page.locator(places[0]).first().evaluate((canvas) =>
    Array.from((canvas as HTMLCanvasElement).getContext("2d")!.getImageData(1, 0, 1, 1).data)
  );
  assertEquals(value, Math.round((Math.sin(1) + 1) * 127.5));
});

browserTest("a click in a chart moves t", async (open, folder) => {
  await writeImageRun(folder);
  const page = await open(await report(folder));
  const chart = (await page.locator("#schedule-chart svg").boundingBox())!;
  await page.mouse.click(chart.x + chart.width - 16, chart.y + 60);
  assertEquals(await page.locator("#time-label").textContent(), "t = 100");
});

browserTest("light and dark: by the system, and by the button", async (open, folder) => {
  await writePointRun(folder);
  const address = await report(folder);
  const light = await open(address, { colorScheme: "light" });
  const dark = await open(address, { colorScheme: "dark" });
  assertGreater(await brightness(light), 200);
  assertGreater(60, await brightness(dark));
  const stage = "#forward-stage canvas";
  const drawn = await pixels(light, stage);
  await light.focus("#theme");
  await light.keyboard.press("Enter");
  assertGreater(60, await brightness(light));
  assertNotEquals(await pixels(light, stage), drawn);
  await dark.locator("#theme").click();
  assertGreater(await brightness(dark), 200);
  assertEquals(await pixels(dark, stage), drawn);
});

browserTest(
  "every font of the equations is in the page, and nothing is too wide",
  async (open, folder) => {
    await writePointRun(`${folder}/points`);
    await writeImageRun(`${folder}/ddim`, { settings: { sampler: "ddim" } });
    await writeImageRun(`${folder}/ddpm`, { settings: { sampler: "ddpm" } });
    for (const run of ["points", "ddim", "ddpm"]) {
      const page = await open(await report(`${folder}/${run}`), {
        viewport: { width: 400, height: 800 },
      });
      const { used, there } = await page.evaluate(async () => {
        await document.fonts.ready;
        const first = (element: Element) =>
          getComputedStyle(element).fontFamily.split(",")[0].replaceAll('"', "");
        const written = [...document.querySelectorAll(".katex-html *")].filter((element) =>
          [...element.childNodes].some((node) =>
            node.nodeType === 3 && /[^\s\u200b]/.test(node.textContent ?? "")
          )
        );
        return {
          used: [...new Set(written.map(first))],
          there: [...document.fonts].filter(({ status }) => status === "loaded")
            .map(({ family }) => family.replaceAll('"', "")),
        };
      });
      assertGreater(used.length, 2);
      assertEquals(used.filter((family) => !there.includes(family)), []);
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assertEquals(await overflow(), 0);
      for (const width of [1100, 600]) { // wide, then as wide as half a screen
        await page.setViewportSize({ width, height: 800 });
        await page.waitForTimeout(200);
      }
      assertEquals(await overflow(), 0);
    }
  },
);

browserTest("text from the folder stays text", async (open, folder) => {
  const evil = `</script><script>document.title = "hacked"</script><img src=x onerror=alert(1)>`;
  const run = `${folder}/${evil.replaceAll("/", "\u2215")}`;
  await writePointRun(run, { settings: { data: evil, [evil]: evil }, status: evil });
  await writeReportPage(run);
  await Deno.copyFile(`${run}/report.html`, `${folder}/report.html`);
  const page = await open(`file://${await Deno.realPath(folder)}/report.html`);
  assertMatch(await page.title(), /paper1$/);
  assertEquals(await page.locator("img[onerror]").count(), 0);
  assert((await page.locator("#settings").textContent())!.includes(evil));
  assertEquals(await page.locator("#status").textContent(), evil);
});

browserTest("a run that trains: the page grows, and the slider stays", async (open, folder) => {
  const run = `${folder}/runs/a`;
  await writeImageRun(run, { status: "running" });
  const explorer = await startExplorer(folder, "runs/a");
  try {
    const pages = [await open(explorer.address), await open(explorer.address)];
    for (const page of pages) {
      await page.focus("#time-slider");
      await page.keyboard.press("Home");
      await page.waitForFunction(() => document.querySelector("#live")!.textContent === "live");
    }
    await pages[1].focus("#sheet-slider");
    await pages[1].keyboard.press("ArrowLeft");
    await Deno.writeTextFile(`${run}/loss.csv`, losses(70));
    await writeSheet(run, 60);
    for (const page of pages) {
      await page.waitForFunction(() =>
        document.querySelector("#summary")!.textContent!.startsWith("70") &&
        document.querySelectorAll("#strip img").length === 4
      );
      assertEquals(await page.locator("#time-label").textContent(), "t = 0");
    }
    // who looks at the last sheet is shown the new one, who looks at another keeps it
    assertEquals(await pages[0].locator("#sheet-label").textContent(), "step 60");
    assertEquals(await pages[1].locator("#sheet-label").textContent(), "step 20");
    await Deno.writeTextFile(`${run}/run.json`, record("paper2"));
    await pages[0].waitForFunction(() => {
      return document.querySelector("#status")!.textContent === "finished";
    });
    for (const page of pages) await page.close(); // it would complain about a server that is gone
  } finally {
    await explorer.stop();
  }
});

browserTest("a click leads to the line of the code, and back", async (open, folder) => {
  await writePointRun(`${folder}/runs/a`);
  const explorer = await startExplorer(folder, "runs/a");
  try {
    const page = await open(explorer.address);
    await page.locator(".read-on a", { hasText: "the chain back" }).click();
    const line = page.locator("span:target");
    assertMatch((await line.textContent())!, /^\d+export function\* sample\($/);
    const { y } = (await line.boundingBox())!;
    assert(y > 0 && y < 600, `the line is at ${y}`);
    await page.locator("a", { hasText: "back to the page" }).click();
    await page.locator("#chains").waitFor();
    await page.close();
  } finally {
    await explorer.stop();
  }
});

browserTest(
  "a run that trains: with fewer bins of more steps the same step stays",
  async (open, folder) => {
    const run = `${folder}/runs/a`;
    await Deno.mkdir(run, { recursive: true });
    await Deno.writeTextFile(`${run}/run.json`, record("paper4", { status: "running" }));
    await Deno.writeTextFile(`${run}/loss.csv`, losses(300));
    for (const step of [290, 300]) await writeSheet(run, step);
    const explorer = await startExplorer(folder, "runs/a");
    try {
      const page = await open(explorer.address);
      await page.waitForFunction(() => document.querySelector("#live")!.textContent === "live");
      await page.focus("#sheet-slider");
      await page.keyboard.press("ArrowLeft");
      assertMatch((await page.locator("#loss-at").textContent())!, /^step 290:/);
      await writeSheet(run, 302);
      await Deno.writeTextFile(`${run}/loss.csv`, losses(302)); // two steps in a bin from 301 on
      await page.waitForFunction(() =>
        document.querySelectorAll("#strip img").length === 3 &&
        document.querySelector("#summary")!.textContent!.startsWith("302")
      );
      assertEquals(await page.locator("#sheet-label").textContent(), "step 290");
      assertMatch((await page.locator("#loss-at").textContent())!, /^step 290:/);
      await page.close();
    } finally {
      await explorer.stop();
    }
  },
);

browserTest("a run that has only begun fills in as it goes", async (open, folder) => {
  const run = `${folder}/runs/a`;
  await Deno.mkdir(run, { recursive: true });
  await Deno.writeTextFile(`${run}/run.json`, record("paper1", { status: "running" }));
  await Deno.writeTextFile(`${run}/loss.csv`, losses(5));
  const explorer = await startExplorer(folder, "runs/a");
  try {
    const page = await open(explorer.address);
    assert(await page.locator("#chains .later").isVisible());
    assert(!await page.locator("#time-slider").isVisible());
    await writePointRun(run);
    await page.waitForSelector("#reverse-stage canvas", { state: "visible" });
    await page.waitForFunction(() => {
      const canvas = document.querySelector("#reverse-stage canvas") as HTMLCanvasElement;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    });
    assert(!await page.locator("#chains .later").isVisible());
    await page.close();
  } finally {
    await explorer.stop();
  }
});
