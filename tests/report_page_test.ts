/// <reference lib="dom" />
// The page of a run in a real browser, as somebody meets it who clicks, types, plays, prints, or holds a phone.
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { JOBS } from "../common/lesson/jobs.ts";
import { WORDS, wordsFor } from "../common/page/page_script/picture_words.ts";
import { PLACES, readOn, wayToProject } from "../common/page/read_on.ts";
import { root } from "./commands.ts";
import {
  writeFlowRun,
  writeGuidedRun,
  writeImageRun,
  writePointRun,
} from "./fixtures/run_folders.ts";
import { losses, record, writeSheet } from "./fixtures/run_folders.ts";
import { browserTest, report } from "./page_browser.ts";

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 } };

async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent())!;
}

browserTest("the loss by t moves t, by clicks and by keys", async (open, folder) => {
  await writeImageRun(folder);
  const page = await open(await report(folder));
  const chart = page.locator("#per-t-chart");
  await chart.locator("svg").click({ position: { x: 60, y: 60 } }); // near t = 0
  assertEquals(await textOf(page, "#time-label"), "t = 0");
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  assertEquals(await textOf(page, "#time-label"), "t = 25");
  assertEquals(await chart.getAttribute("aria-valuetext"), "t = 25");
  await page.keyboard.press("End");
  assertEquals(await textOf(page, "#time-label"), "t = 100");
  await page.keyboard.press("ArrowRight");
  assertEquals(await textOf(page, "#time-label"), "t = 100");
});

browserTest(
  "the loss by step tells a step's loss, with and without sheets",
  async (open, folder) => {
    for (const sheets of [0, 3]) {
      const run = `${folder}/${sheets}`;
      await writeImageRun(run, { sheets });
      const page = await open(await report(run));
      const chart = page.locator("#loss-chart");
      const box = (await chart.locator("svg").boundingBox())!;
      await chart.locator("svg").click({ position: { x: 48 + (box.width - 62) * 19 / 39, y: 80 } });
      assertEquals(await textOf(page, "#loss-at"), "step 20: 0.0500"); // losses() is 1/step
      await page.keyboard.press("ArrowRight");
      assertEquals(await textOf(page, "#loss-at"), "step 21: 0.0476");
      if (sheets > 0) assertEquals(await textOf(page, "#sheet-label"), "step 20"); // the nearest
      await page.keyboard.press("Home");
      assertEquals(await textOf(page, "#loss-at"), "step 1: 1.00");
      assertEquals(await chart.locator(".marker").getAttribute("visibility"), "visible");
    }
  },
);

browserTest(
  "playing goes forwards with the forward chain, and back with the other",
  async (open, folder) => {
    await writePointRun(folder, { T: 8 });
    const page = await open(await report(folder));
    const times: number[] = [];
    await page.exposeFunction("seen", (t: number) => times.push(t));
    await page.evaluate(() => {
      const label = document.querySelector("#time-label")!;
      const seen = (globalThis as unknown as { seen(t: number): void }).seen;
      new MutationObserver(() => seen(Number(label.textContent!.slice(4)))).observe(label, {
        childList: true,
      });
    });
    const opacity = (which: string) =>
      page.locator(`#${which}-stage`).evaluate((stage) => getComputedStyle(stage).opacity);
    const said = await page.locator("#time-slider").getAttribute("aria-valuetext");
    await page.locator("#time-play").click();
    await page.waitForFunction(() =>
      document.querySelector("#time-label")!.textContent === "t = 6"
    );
    assertEquals([await opacity("forward"), await opacity("reverse")], ["1", "0.3"]);
    // a film that is playing is not read out, moment by moment
    assertEquals(await page.locator("#time-slider").getAttribute("aria-valuetext"), said);
    await page.waitForFunction(() =>
      (document.querySelector("#chains") as HTMLElement).dataset.runs === "down"
    );
    await page.waitForFunction(() =>
      document.querySelector("#time-label")!.textContent === "t = 6"
    );
    assertEquals([await opacity("forward"), await opacity("reverse")], ["0.3", "1"]);
    await page.locator("#time-play").click();
    assertEquals([await opacity("forward"), await opacity("reverse")], ["1", "1"]);
    assertEquals(times.slice(0, 6), [5, 6, 7, 8, 7, 6]);
  },
);

browserTest("a flow plays from noise to data", async (open, folder) => {
  await writeFlowRun(folder);
  const page = await open(await report(folder));
  await page.locator("#time-play").click();
  await page.waitForFunction(() =>
    document.querySelector("#time-label")!.textContent !== "t = 0.50"
  );
  assert(await textOf(page, "#time-label") > "t = 0.50");
});

browserTest("the instrument stands above the fold, with its slider", async (open, folder) => {
  await writePointRun(`${folder}/points`);
  await writeImageRun(`${folder}/images`);
  await writeFlowRun(`${folder}/flows`);
  await writeGuidedRun(`${folder}/guided`);
  const seen: Record<string, string[]> = {
    points: ["#forward-stage", "#reverse-stage", "#time-slider"],
    images: ["#xt-images", "#x0hat-images", "#time-slider"],
    flows: ["#flow-stage", "#time-slider"],
    guided: ["#guidance-images", "#label-slider", "#strength-slider"],
  };
  for (const [run, parts] of Object.entries(seen)) {
    const page = await open(await report(`${folder}/${run}`), DESKTOP);
    const boxes = await Promise.all(parts.map((part) => page.locator(part).boundingBox()));
    boxes.forEach((box, i) => {
      assert(box!.y + box!.height <= 800, `${run}: ${parts[i]} ends at ${box!.y + box!.height}`);
    });
    const control = (await page.locator(".time:has(#time-slider)").boundingBox())?.y ?? 800;
    if (run === "points") {
      assertGreater(control + 1, boxes[0]!.y + boxes[0]!.height, "the slider lies on a cloud");
    }
  }
});

browserTest(
  "a phone shows both clouds beside each other, and nothing is too wide",
  async (open, folder) => {
    await writePointRun(`${folder}/points`);
    await writeImageRun(`${folder}/images`);
    for (
      const [run, ids] of [["points", ["forward-stage", "reverse-stage"]], ["images", [
        "xt-images",
        "x0hat-images",
      ]]] as const
    ) {
      const page = await open(await report(`${folder}/${run}`), PHONE);
      const [left, right] = await Promise.all(
        ids.map(async (id) => (await page.locator(`#${id}`).boundingBox())!),
      );
      assertEquals(left.y, right.y);
      assert(left.x + left.width <= right.x && left.width > 150, JSON.stringify([left, right]));
      assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    }
  },
);

/** Runs in the page: words whose colour is too near to the page's ground, with their contrast. */
function tooPale(): string[] {
  const brightness = (colour: string) => {
    const [r, g, b] = colour.match(/[\d.]+/g)!.slice(0, 3).map((n) => {
      const share = Number(n) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = brightness(getComputedStyle(document.body).backgroundColor);
  const found = new Set<string>();
  for (
    const element of document.querySelectorAll(
      "body *:not(script, style, noscript, button, button *)",
    )
  ) {
    const words = [...element.childNodes].some((node) =>
      node.nodeType === 3 && node.textContent!.trim()
    );
    if (!words || element.getClientRects().length === 0) continue;
    const style = getComputedStyle(element);
    const ink = brightness(element instanceof SVGElement ? style.fill : style.color);
    const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    if (contrast < 4.5) found.add(`${element.textContent}: ${contrast.toFixed(2)}`);
  }
  return [...found];
}

browserTest("all words stand out from their ground, by day and by night", async (open, folder) => {
  await writePointRun(`${folder}/points`);
  await writeFlowRun(`${folder}/flows`);
  for (const run of ["points", "flows"]) {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await open(await report(`${folder}/${run}`), { colorScheme });
      await page.waitForFunction(() => document.querySelectorAll("svg.chart text").length > 10);
      assertEquals(await page.evaluate(tooPale), [], `${run}, ${colorScheme}`);
    }
  }
});

browserTest(
  "printed, a dark page is dark on light, without what one can only click",
  async (open, folder) => {
    await writePointRun(folder);
    const page = await open(await report(folder), { colorScheme: "dark" });
    const canvas = page.locator("#forward-stage canvas");
    const dark = await canvas.evaluate((c) => (c as HTMLCanvasElement).toDataURL());
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    assertEquals(
      await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      "rgb(255, 255, 255)",
    );
    // the browser says a moment later that the medium is another one; then the points are drawn anew
    await page.waitForFunction(
      (dark) =>
        document.querySelector<HTMLCanvasElement>("#forward-stage canvas")!.toDataURL() !== dark,
      dark,
    );
    assertEquals(await page.evaluate(tooPale), []);
    assert(!await page.locator("#time-slider").isVisible());
  },
);

browserTest("pictures have titles in words and say what is seen", async (open, folder) => {
  await writePointRun(folder);
  await Deno.copyFile(`${root}images/paper1_field.png`, `${folder}/paper1_field.png`);
  await Deno.copyFile(`${root}images/nearest.png`, `${folder}/paper1_of_mine.png`);
  const page = await open(await report(folder));
  const titles = await page.locator("#gallery h3").allTextContents();
  assertEquals(titles.sort(), ["Where the network moves a point", "of mine"]);
  for (
    const alt of await page.locator("img.picture").evaluateAll((all) =>
      all.map((image) => (image as HTMLImageElement).alt)
    )
  ) {
    assertMatch(alt, /^[A-Z].* .*\.$/);
  }
});

Deno.test("every picture that the lesson's runs leave has a title and words", () => {
  const names = JOBS.flatMap(({ pictures }) => pictures).filter((name) =>
    /^paper\d\w*\.png$/.test(name)
  );
  assertEquals(names.filter((name) => !Object.hasOwn(WORDS, name)), []);
  assertEquals(wordsFor("paper2_inpainting-3.png").title, "Holes filled, 3");
  const described = Object.values(WORDS).filter(({ title, alt }) =>
    alt.length > title.length && /\.$/.test(alt)
  );
  assertEquals(described.length, Object.keys(WORDS).length);
});

browserTest(
  "a run of paper 1 shows samples while it trains, before there is a loss",
  async (open, folder) => {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/run.json`, record("paper1", { status: "running" }));
    await Deno.writeTextFile(`${folder}/loss.csv`, losses(3)); // for the chart that open() waits for
    await writeSheet(folder, 90);
    const page = await open(await report(folder));
    assert(await page.locator("#sheet").isVisible());
    assertEquals(
      await page.locator("#sheet").getAttribute("alt"),
      "Samples in the plane after 90 training steps, over the data in grey",
    );
  },
);

Deno.test({
  name: "the chapters and functions that pages lead to are there",
  ignore: (await Deno.permissions.query({ name: "read" })).state !== "granted",
  async fn() {
    for (const [script, places] of Object.entries(PLACES)) {
      assertGreater(places.length, 3, script);
      for (const { file, line } of places) {
        const lines = (await Deno.readTextFile(root + file)).split("\n");
        assert(lines.some((text) => text.startsWith(line)), `${file} has no line ${line}`);
      }
    }
  },
});

Deno.test("the way from a page to the project is known where its folder is in the project", () => {
  assertEquals(["runs/a", "./runs/a/", "runs/x/y"].map(wayToProject), [
    "../../",
    "../../",
    "../../../",
  ]);
  assertEquals(["/tmp/a", "../a"].map(wayToProject), [undefined, undefined]);
  assert(
    readOn("paper1", ({ file }) => `../../${file}`).includes(
      '<a href="../../paper_1_partb.ts">the chain back</a> <span><code>sample</code>',
    ),
  );
  assert(!readOn("paper1").includes("href") && readOn("paper9") === "");
});
