// How the project is built: imports run downwards, from the papers to the mathematics, and never in a
// circle.
import { assert, assertEquals } from "@std/assert";
import { root } from "./commands.ts";
import { importsOf, sources } from "./sources.ts";

const mayRead = (await Deno.permissions.query({ name: "read" })).state === "granted";

/**
 * The rooms and loose files of common/ from the bottom up. Each may import what stands in a line above
 * its own in this list, and nothing else. The paper scripts may import all of it.
 */
const ROOMS = [
  ["user_error.ts", "random.ts", "slerp.ts"],
  ["schedule.ts"],
  ["forward_process.ts"],
  ["reverse_process.ts"],
  ["variational_bound.ts"],
  ["ode.ts"],
  ["files", "engine"],
  ["checkpoint.ts", "backend.ts", "data"],
  ["network", "plot", "shipped"],
  ["inspect"],
  ["run"],
  ["report"],
  ["page", "lesson"],
];

/** The pages that are made of the papers, or show their code: they import whatever they need of them. */
const PLAY = "play/";

/** The packages that stand for @std: imported by their names, and apart from everything. */
const APART = "std";

/** An import of one file of the project by another. */
type Import = [from: string, to: string];

/** The number of a paper script, and whether it is the paper itself and not built on one. */
function paperOf(file: string): { number: number; isPaper: boolean } | undefined {
  const [, number, part] = /^paper_(\d+)(\w*)\.ts$/.exec(file) ?? [];
  return number ? { number: Number(number), isPaper: /^(_part[a-z])?$/.test(part) } : undefined;
}

/** What a file counts as: a room, or a loose file. */
function roomOf(file: string): string {
  if (file === "unet.ts") return "network";
  return file.split("/")[file.startsWith("common/") ? 1 : 0];
}

/** Why an import may not be, or nothing. */
function fault([from, to]: Import): string | undefined {
  if (to.startsWith(PLAY) && !from.startsWith(PLAY)) return `nothing imports ${PLAY}`;
  if (from.startsWith(PLAY)) return;
  const [importer, imported] = [paperOf(from), paperOf(to)];
  if (importer && imported) {
    if (imported.number < importer.number) return;
    const isOwn = imported.number === importer.number && imported.isPaper && !importer.isPaper;
    return isOwn ? undefined : "a paper script builds on its paper and on earlier ones";
  }
  if (importer) return;
  if (imported) return "nothing but a paper script imports a paper script";
  const [room, other] = [roomOf(from), roomOf(to)];
  if (room === other) return;
  if (room === APART || other === APART) return `${APART} is apart`;
  const [row, otherRow] = [room, other].map((name) => ROOMS.findIndex((row) => row.includes(name)));
  const unknown = row < 0 ? room : otherRow < 0 ? other : undefined;
  if (unknown) return `${unknown} has no place in the list of rooms`;
  if (otherRow >= row) return `${room} may not import ${other}`;
}

/** A circle for every import that closes one: a -> b -> a. */
function circles(imports: Import[]): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) {
      found.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    if (done.has(file)) return;
    for (const [from, to] of imports) if (from === file) visit(to, [...path, file]);
    done.add(file);
  };
  for (const [from] of imports) visit(from, []);
  return found;
}

/** All imports between files of the papers, the network, common/ and play/. */
async function importsOfProject(): Promise<Import[]> {
  const imports: Import[] = [];
  for await (const from of sources()) {
    if (from.includes("/") && !/^(common|play)\//.test(from)) continue;
    for (const specifier of importsOf(await Deno.readTextFile(root + from))) {
      if (!specifier.startsWith(".")) continue;
      const to = new URL(specifier, `file:///${from}`).pathname.slice(1);
      if (!to.startsWith(".git/")) imports.push([from, to]); // the commit, which is no part of the code
    }
  }
  assert(imports.length > 300, `${imports.length} imports were found`);
  return imports;
}

function structureTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !mayRead, fn });
}

structureTest("imports run downwards only, from the papers to the mathematics", async () => {
  const offending = (await importsOfProject()).flatMap(([from, to]) => {
    const reason = fault([from, to]);
    return reason ? [`${from} -> ${to}: ${reason}`] : [];
  });
  assertEquals(offending, []);
});

structureTest("no file imports itself by way of others", async () => {
  assertEquals(circles(await importsOfProject()), []);
});

structureTest(
  "every room of common/ has its place in the order, and its line in CONTRIBUTING.md",
  async () => {
    const entries = (await Array.fromAsync(Deno.readDir(`${root}common`))).map(({ name }) => name);
    const known = [...ROOMS.flat(), APART];
    assertEquals(entries.toSorted(), known.toSorted());
    const text = await Deno.readTextFile(`${root}CONTRIBUTING.md`);
    const listed = [...text.matchAll(/^\| `common\/([\w.]+)\/?` /gm)].map(([, name]) => name);
    assertEquals(listed, known);
  },
);

Deno.test("an import upwards, one beside, and one of a later paper are named", () => {
  const faulty: Import[] = [
    ["common/engine/noise.ts", "common/network/adam.ts"],
    ["common/schedule.ts", "common/engine/ops/silu.ts"],
    ["common/page/page.ts", "common/lesson/draw.ts"],
    ["common/run/folder.ts", "common/cellar/box.ts"],
    ["common/data/points.ts", "common/std/cli/mod.ts"],
    ["common/report/table.ts", "paper_2.ts"],
    ["common/engine/noise.ts", "unet.ts"],
    ["unet.ts", "paper_2.ts"],
    ["paper_2.ts", "play/worker.ts"],
    ["common/page/page.ts", "play/worker.ts"],
    ["paper_2.ts", "paper_3.ts"],
    ["paper_2.ts", "paper_2_animate.ts"],
    ["paper_2_inpainting.ts", "paper_2_animate.ts"],
  ];
  for (const found of faulty) assert(fault(found), found.join(" -> "));
  const right: Import[] = [
    ["common/network/adam.ts", "common/engine/noise.ts"],
    ["common/engine/ops/silu.ts", "common/engine/noise.ts"],
    ["unet.ts", "common/network/layers.ts"],
    ["paper_2_animate.ts", "paper_2.ts"],
    ["paper_1_partb.ts", "common/page/page.ts"],
    ["paper_3.ts", "paper_1_partb.ts"],
    ["paper_1_film.ts", "paper_1_partb.ts"],
    ["play/worker.ts", "paper_1_partb.ts"],
  ];
  for (const found of right) assertEquals(fault(found), undefined, found.join(" -> "));
});

Deno.test("a circle is named by its way, and two ways to the same file are none", () => {
  assertEquals(circles([["a", "b"], ["a", "c"], ["b", "d"], ["c", "d"]]), []);
  assertEquals(circles([["x", "a"], ["a", "b"], ["b", "c"], ["c", "a"]]), ["a -> b -> c -> a"]);
});
