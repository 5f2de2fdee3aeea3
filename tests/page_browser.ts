/// <reference lib="dom" />
// Opens the page of a run in a real browser, for its tests. They are skipped, and counted as such, where
// there is no Chromium.
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { writeReportPage } from "../common/page/page.ts";
import { inTemporaryFolder, mayRunCommands } from "./commands.ts";

const mayBrowse = mayRunCommands && (await Promise.all(
  (["env", "sys", "net"] as const).map((name) => Deno.permissions.query({ name })),
)).every(({ state }) => state === "granted");
/** Where Chromium is, if it is there and may be started. */
export const chromiumPath = mayBrowse ? await findChromium() : undefined;

async function findChromium(): Promise<string | undefined> {
  for (const path of ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]) {
    if (await Deno.stat(path).catch(() => undefined)) return path;
  }
}

/** A page in a browser, with everything it complained about or asked for. */
interface Tried {
  page: Page;
  complaints: string[];
  requests: string[];
}

/** Opens pages and looks afterwards whether one complained, or asked for anything but itself. */
export function browserTest(
  name: string,
  test: (
    open: (address: string, options?: BrowserContextOptions) => Promise<Page>,
    folder: string,
  ) => Promise<void>,
): void {
  async function run(folder: string): Promise<void> {
    const { chromium } = await import("playwright-core");
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
    const tried: Tried[] = [];
    try {
      await test(async (address, options) => {
        const opened = await openPage(browser, address, options);
        tried.push(opened);
        return opened.page;
      }, folder);
      for (const { page, complaints, requests } of tried) {
        assertEquals(complaints, []);
        const { origin, href } = new URL(page.url());
        const own = (url: string) => url === href || (origin !== "null" && url.startsWith(origin));
        assertEquals(requests.filter((url) => !own(url)), [], "requests to elsewhere");
      }
    } finally {
      await browser.close();
    }
  }
  Deno.test({ name, ignore: chromiumPath === undefined, fn: () => inTemporaryFolder(run) });
}

async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Tried> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1600 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) requests.push(request.url());
  });
  await page.goto(address);
  await page.waitForSelector("svg.chart");
  return { page, complaints, requests };
}

/** The address of a run's report on the disk. */
export async function report(folder: string): Promise<string> {
  await writeReportPage(folder);
  return `file://${await Deno.realPath(folder)}/report.html`;
}

/** The pixels of the canvas that a selector finds, as text. */
export async function pixels(page: Page, selector: string): Promise<string> {
  const canvas = page.locator(selector).first();
  return await canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL());
}
