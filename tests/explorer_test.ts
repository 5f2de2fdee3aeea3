// The page of a run: what it holds, what it keeps out, and the server that shows it.
import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { decodeSafetensors, encodeSafetensors } from "../common/files/safetensors.ts";
import { readRun } from "../common/page/data.ts";
import { buildPage, writeReportPage } from "../common/page/page.ts";
import { unpack } from "../common/page/page_script/unpack.ts";
import { packed, packedCoarsely, packedPixels } from "../common/page/packed.ts";
import { UserError } from "../common/user_error.ts";
import config from "../deno.json" with { type: "json" };
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";
import {
  losses,
  record,
  writeFlowRun,
  writeImageRun,
  writePointRun,
} from "./fixtures/run_folders.ts";

/** What a page may weigh. */
const MOST_BYTES = 5_000_000;

function folderTest(name: string, test: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore: !mayRunCommands, fn: () => inTemporaryFolder(test) });
}

async function pageOf(folder: string): Promise<string> {
  return await buildPage(await readRun(folder));
}

Deno.test("numbers survive being packed, as exactly as their kind promises", () => {
  const values = Float32Array.from({ length: 999 }, (_, i) => 3 * Math.sin(i));
  assertEquals(unpack(packed(values)), values);
  const coarse = unpack(packedCoarsely(values, [999]));
  const pixels = unpack(packedPixels(values, [999]));
  for (const [i, value] of values.entries()) {
    assertLess(Math.abs(coarse[i] - value), 3 / 32767);
    assertLess(Math.abs(pixels[i] - Math.max(-1, Math.min(1, value))), 1.001 / 255);
  }
});

folderTest("the page stays under 5 MB, however much a run leaves behind", async (folder) => {
  const points = `${folder}/points`;
  await writePointRun(points, { T: 1000, N: 200 });
  await Deno.writeTextFile(`${points}/loss.csv`, losses(40_000));
  const images = `${folder}/images`;
  await writeImageRun(images, { K: 41, side: 32, C: 3, sheets: 90, sheetSide: 100 });
  for (const run of [points, images]) {
    await writeReportPage(run);
    const { size } = await Deno.stat(`${run}/report.html`);
    assertLess(size, MOST_BYTES, `${run}: ${size} bytes`);
  }
  const { sheets, sheetsLeftOut } = await readRun(images);
  assert(sheetsLeftOut > 0 && sheets.length + sheetsLeftOut === 90);
  assertEquals([sheets[0].step, sheets.at(-1)!.step], [10, 900]);
  const { loss } = await readRun(points);
  assertEquals(loss?.steps, 40_000);
});

folderTest("fewer points and moments are kept where all would be too many", async (folder) => {
  await writePointRun(folder, { T: 1000, N: 200 });
  const { points } = await readRun(folder);
  const [times, N] = points!.reverse.shape;
  assertEquals(times, 1001);
  assert(N > 100 && N < 200, `${N} points`);
  const forward = unpack(points!.forward);
  // point 1 at the last t: radius 3, one N-th of the way round
  const last = 2 * (1000 * N + 1);
  assertLess(Math.abs(forward[last] - 3 * Math.cos(2 * Math.PI / 200)), 1e-3);
  await writeImageRun(folder, { K: 41, side: 64, C: 3, sheets: 0 });
  const { images } = await readRun(folder);
  assertEquals([images!.t[0], images!.t.at(-1)], [100, 0]);
  assertLess(images!.t.length, 41);
});

folderTest("ways of flows are taken by their steps, and wrong ones are named", async (folder) => {
  await writeFlowRun(folder, { N: 40 });
  const { flows, record, problems } = await readRun(folder);
  assertEquals([flows!.steps, problems], [[1, 4, 40], []]);
  const shapes = flows!.ways.map((bySteps) => bySteps.map(({ shape }) => shape));
  assertEquals(shapes[1], [[2, 40, 2], [5, 40, 2], [41, 40, 2]]);
  assertEquals(record.distanceOfFlow?.length, 2);
  // both flows end on the ring of radius 2, the first after half a turn
  const [turned, straight] = flows!.ways.map(([oneStep]) => unpack(oneStep));
  assertLess(Math.abs(straight[2 * 40] - 2), 1e-3);
  assertLess(Math.abs(turned[2 * 40] - 2 * Math.cos(3)), 1e-3);
  const path = `${folder}/figures.safetensors`;
  const { tensors } = decodeSafetensors(await Deno.readFile(path), path);
  const wrongs: [string, number[]][] = [
    ["flow.0.3", [3, 40, 2]],
    ["flow.0.0", [1, 40, 2]],
    ["flow.2", [6]],
  ];
  for (const [name, shape] of wrongs) {
    const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
    const changed = new Map(tensors).set(name, { shape, data });
    await Deno.writeFile(path, encodeSafetensors(changed));
    const wrong = await readRun(folder);
    assertEquals(wrong.flows, undefined, name);
    assertStringIncludes(wrong.problems.join(), "flow.{k}.{S} are not [S+1, N, 2]");
  }
});

folderTest("a run that has only begun gives a page that says what is to come", async (folder) => {
  await Deno.writeTextFile(`${folder}/run.json`, record("paper1", { status: "running" }));
  const data = await readRun(folder);
  assertEquals([data.problems, data.sheets, data.pictures], [[], [], []]);
  assertEquals(data.record.status, "running");
  const page = await buildPage(data);
  assertStringIncludes(page, "To come: the run writes the points of its chains");
});

folderTest("broken files are left out and named", async (folder) => {
  await writePointRun(folder);
  await Deno.writeTextFile(`${folder}/figures.safetensors`, "no");
  await Deno.writeTextFile(`${folder}/loss.csv`, "step,loss\n1,nothing\n");
  const { problems, points, loss, record } = await readRun(folder);
  assertEquals([points, loss], [undefined, undefined]);
  assertEquals(record.script, "paper1");
  assertEquals(problems.length, 2);
  assertStringIncludes(problems.join(), "figures.safetensors is not a usable model file");
});

folderTest("what is no run's folder is refused in one line", async (folder) => {
  await assertRejects(() => readRun(`${folder}/none`), UserError, "it has no run.json");
  await Deno.writeTextFile(`${folder}/run.json`, "[]");
  await assertRejects(() => readRun(folder), UserError, "is not a run's record");
});

const EVIL = `</script><script>globalThis.hacked = true</script><img src=x onerror=alert(1)>`;

folderTest("nothing from the folder becomes HTML or script", async (folder) => {
  const run = `${folder}/${EVIL.replaceAll("/", "\u2215")}`;
  await writePointRun(run, { settings: { data: EVIL, [EVIL]: 1 } });
  const page = await pageOf(run);
  const harmless = await (await writePointRun(`${folder}/a`), pageOf(`${folder}/a`));
  for (const tag of ["<script", "</script", "<img"]) {
    assertEquals(page.split(tag).length, harmless.split(tag).length, tag);
  }
  assertEquals((await readRun(run)).record.settings.find(([name]) => name === "data")?.[1], EVIL);
});

folderTest("the page loads nothing and runs no script but its own", async (folder) => {
  await writeImageRun(folder);
  const page = await pageOf(folder);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1];
  assertStringIncludes(policy, "default-src 'none'; script-src 'sha256-");
  assertStringIncludes(policy, "connect-src 'none'");
  assert(!/unsafe|http|\*/.test(policy), policy);
  assert(!/\b(eval|Function)\(/.test(page), "the page evaluates text");
  const markup = page.replace(/<script>.*<\/script>/s, "");
  const links = [...markup.matchAll(/(?:src|href)=["']?([^"' >]{1,20})|url\(([^)]{1,20})/g)]
    .map(([, link, url]) => link ?? url)
    .filter((link) => !link.startsWith("data:"));
  assertEquals(links, []);
  // names of XML vocabularies are written like addresses, but nobody goes there
  const addresses = page.slice(0, page.lastIndexOf("<!--"))
    .match(/(?:https?|wss?):\/\/(?!www\.w3\.org\/)[\w.]+/g) ?? [];
  assertEquals(addresses, []);
});

Deno.test({
  name: "page_script.js is what `deno task page-script` builds",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const built = `${folder}/page_script.js`;
      const [command, ...args] = config.tasks["page-script"].split(" ");
      assertEquals(command, "deno");
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: args.map((argument) => argument.endsWith("page_script.js") ? built : argument),
        cwd: root,
        stdout: "null",
        stderr: "piped",
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      const committed = await Deno.readTextFile(`${root}common/page/page_script.js`);
      assert(await Deno.readTextFile(built) === committed, "run `deno task page-script`");
    }),
});
