import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { makeMask, parseMask } from "../common/data/images/masks.ts";
import { writePng } from "../common/data/images/png.ts";
import { UserError } from "../common/user_error.ts";
import { inTemporaryFolder } from "./commands.ts";

const mayUseFiles = (await Promise.all(
  (["write", "read"] as const).map((name) => Deno.permissions.query({ name })),
)).every(({ state }) => state === "granted");

/** The mask in rows, # where a pixel is missing. */
async function drawn(text: string, size: number, seed = 0): Promise<string[]> {
  const missing = await makeMask(parseMask(text)!, { name: text, size, seed });
  assertEquals(missing.length, size * size);
  return Array.from(
    { length: size },
    (_, y) => Array.from(missing.subarray(y * size, (y + 1) * size), (p) => ".#"[p]).join(""),
  );
}

Deno.test("halves and boxes hide the pixels that they name", async () => {
  assertEquals(await drawn("left", 4), ["##..", "##..", "##..", "##.."]);
  assertEquals(await drawn("right", 4), ["..##", "..##", "..##", "..##"]);
  assertEquals(await drawn("top", 4), ["####", "####", "....", "...."]);
  assertEquals(await drawn("bottom", 4), ["....", "....", "####", "####"]);
  assertEquals(await drawn("bottom", 5), [".....", ".....", ".....", "#####", "#####"]);
  assertEquals(await drawn("box:1,0,3,2", 4), [".###", ".###", "....", "...."]);
  assertEquals(await drawn("box:3,3,1,1", 4), ["....", "....", "....", "...#"]);
});

Deno.test("a random mask hides just that share, decided by the seed", async () => {
  for (const [fraction, hidden] of [["0.25", 64], [".5", 128], ["0.99", 253]] as const) {
    const rows = await drawn(`random:${fraction}`, 16);
    assertEquals(rows.join("").split("#").length - 1, hidden);
  }
  assertEquals(await drawn("random:0.5", 8, 3), await drawn("random:0.5", 8, 3));
  assert(String(await drawn("random:0.5", 8, 3)) !== String(await drawn("random:0.5", 8, 4)));
});

Deno.test("what is no mask is not understood", () => {
  const wrong = ["", "middle", "Left", "box", "box:1,2,3", "box:1,2,3,4,5", "box:-1,0,2,2"];
  wrong.push("box:0.5,0,2,2", "box: 1,1,2,2", "random", "random:", "random:1.1", "random:-0.1");
  wrong.push("random:half", "mask.jpg", `box:${"9".repeat(400)},0,1,1`);
  for (const text of wrong) assertEquals(parseMask(text), undefined, text);
  assertEquals(parseMask("a/b.PNG"), { kind: "file", path: "a/b.PNG" });
  assertEquals(parseMask("random:1"), { kind: "random", fraction: 1 });
});

Deno.test("a mask that does not fit, hides nothing or everything is refused in one line", async () => {
  const cases: [string, RegExp][] = [
    ["box:0,0,9,1", /box:0,0,9,1 .*column 9.*at most 8/],
    ["box:4,5,2,4", /row 9.*at most 8/],
    ["box:8,0,1,1", /column 9/],
    ["box:999999999,0,1,1", /at most 8/],
    ["box:0,0,0,3", /hides none of the 8x8 pixels/],
    ["random:0", /hides none/],
    ["random:0.001", /hides none/],
    ["random:1", /hides all of the 8x8 pixels.*--sample-only/],
    ["box:0,0,8,8", /hides all/],
  ];
  for (const [name, message] of cases) {
    const made = () => makeMask(parseMask(name)!, { name, size: 8, seed: 0 });
    const error = await assertRejects(made, UserError);
    assertMatch(error.message, message);
    assertEquals([error.exitCode, error.message.includes("\n")], [2, false]);
  }
});

Deno.test({
  name: "in a PNG file white is missing; black, dark and transparent are known",
  ignore: !mayUseFiles,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const path = `${folder}/mask.png`;
      const grey = (value: number, alpha: number) => [value, value, value, alpha];
      const row = [grey(255, 255), grey(0, 255), grey(100, 255), grey(255, 0)].flat();
      const data = Uint8Array.from([row, row, row, row].flat());
      await Deno.writeFile(path, writePng({ width: 4, height: 4, data }));
      assertEquals(await drawn(path, 4), ["#...", "#...", "#...", "#..."]);

      const made = (name: string) => makeMask(parseMask(name)!, { name, size: 8, seed: 0 });
      const other = await assertRejects(() => made(path), UserError);
      assertMatch(other.message, /mask\.png has 4x4 pixels; the images have 8x8/);
      await Deno.writeFile(path, new Uint8Array(20));
      assertMatch((await assertRejects(() => made(path), UserError)).message, /not a PNG file/);
      const missing = await assertRejects(() => made(`${folder}/none.png`), UserError);
      assertMatch(missing.message, /none\.png: there is no such file/);
    }),
});
