/**
 * The README's picture of the page to play with: chapter b after its whole training, in a real browser.
 *
 *     deno task play-picture      one to three minutes; writes images/play.png
 *
 * It needs Chromium. The page's random numbers are those of the script, so the picture is always the same
 * but for the browser's fonts and the speed that it tells.
 *
 * @module
 */
import { chromium, type Page } from "playwright-core";
import { readBytes } from "../files/reading.ts";
import { makeFolder, writeAtomically } from "../files/writing.ts";
import { runMain } from "../run/main.ts";
import { UserError } from "../user_error.ts";

const PICTURE = "images/play.png";
/** As wide as the README has room for, with the page's margins. */
const VIEWPORT = { width: 860, height: 900 };
/** Milliseconds that the training may take. */
const PATIENCE = 180_000;
/** What the README can bear. */
const MOST_BYTES = 200_000;
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

async function main(args: string[]): Promise<void> {
  if (args.length > 0) throw new UserError(`play-picture takes no arguments, not '${args[0]}'`);
  const executablePath = await findBrowser();
  await buildPage();
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: "light" });
    await page.goto(new URL("runs/page/index.html", `file://${Deno.cwd()}/`).href);
    await trained(page);
    const picture = await page.screenshot({ clip: await instrument(page), fullPage: true });
    if (picture.length > MOST_BYTES) {
      throw new UserError(`the picture has ${picture.length} bytes; ${MOST_BYTES} are the most`);
    }
    await makeFolder("images");
    await writeAtomically(PICTURE, Uint8Array.from(picture));
  } finally {
    await browser.close();
  }
  console.log(`${PICTURE}, ${(await readBytes(PICTURE)).length} bytes`);
}

async function findBrowser(): Promise<string> {
  for (const path of BROWSERS) {
    if (await Deno.stat(path).catch(() => undefined)) return path;
  }
  throw new UserError(
    `there is no Chromium to take the picture with: none of ${BROWSERS.join(", ")}`,
  );
}

/** `deno task page`, which writes runs/page. */
async function buildPage(): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: ["task", "page"] })
    .output();
  if (code === 0) return;
  throw new UserError(`deno task page failed: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Trains to the last of the steps that the page says there are. */
async function trained(page: Page): Promise<void> {
  const note = page.locator("#train-note");
  await note.filter({ hasText: /^step 0 of \d+/ }).waitFor({ timeout: PATIENCE });
  await page.waitForTimeout(1000); // a click while it begins would be lost
  await page.locator("#train").press("Enter");
  await note.filter({ hasText: /^step (\d+) of \1(\D|$)/ }).waitFor({ timeout: PATIENCE });
  await page.locator("#train").filter({ hasText: "again" }).waitFor();
  await page.locator("#train").evaluate((button) => (button as unknown as { blur(): void }).blur());
  await page.waitForTimeout(1000); // the last points are drawn
}

/** Where both clouds, the buttons and the curves stand on the page. */
async function instrument(page: Page) {
  const parts = await Promise.all(
    ["learn-data", "learn-samples", "loss-chart", "kl-chart"].map(async (id) =>
      (await page.locator(`figure:has(#${id}), #${id}`).first().boundingBox())!
    ),
  );
  const margin = 16;
  const [x, y] = [Math.min(...parts.map((p) => p.x)), Math.min(...parts.map((p) => p.y))];
  const right = Math.max(...parts.map((p) => p.x + p.width));
  const bottom = Math.max(...parts.map((p) => p.y + p.height));
  const scrolled = await page.evaluate("scrollY") as number;
  return {
    ...{ x: x - margin, y: y + scrolled - margin },
    ...{ width: right - x + 2 * margin, height: bottom - y + 2 * margin },
  };
}

if (import.meta.main) await runMain(main);
