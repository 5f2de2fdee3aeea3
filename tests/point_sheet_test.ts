// The small pictures of samples that a run on points draws while it trains.
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertGreater } from "@std/assert";
import { selectBackend } from "../common/backend.ts";
import { pointData } from "../common/data/points/point_data.ts";
import { readPng } from "../common/data/images/png.ts";
import { writePointSheet } from "../common/report/point_sheet.ts";
import type { RunFolder } from "../common/run/folder.ts";

Deno.test("a sheet has the samples in blue over the data in grey, and nothing of what lies outside", async () => {
  const backend = await selectBackend("cpu");
  const files = new Map<string, Uint8Array>();
  const folder = {
    write: (name: string, bytes: Uint8Array) => Promise.resolve(void files.set(name, bytes)),
  } as unknown as RunFolder;
  const data = await pointData("swiss-roll");
  const places = [[0, 0], [1, 1], [99, 0], [NaN, 0]];
  function* reverse() {
    for (const t of [1, 0]) {
      const xt = tf.tensor2d(t === 0 ? places : places.map(() => [-1, -1]));
      yield { t, xt };
      xt.dispose();
    }
  }
  await writePointSheet({ folder, data, seed: 0, reverse }, 42);
  backend.dispose();
  assertEquals([...files.keys()], ["sheet-0000042.png"]);
  const { width, height, data: pixels } = readPng(files.get("sheet-0000042.png")!, "sheet");
  const count = (isColour: (rgb: number[]) => boolean, left = 0, right = width) => {
    let found = 0;
    for (let y = 0; y < height; y++) {
      for (let x = left; x < right; x++) {
        const at = 4 * (y * width + x);
        if (isColour([...pixels.subarray(at, at + 3)])) found++;
      }
    }
    return found;
  };
  const isBlue = ([r, , b]: number[]) => b > 150 && r < 50;
  assertEquals(count(isBlue), 2 * 9); // two of the four places, 3×3 pixels each; none of t = 1
  assertEquals(count(isBlue, 0, width / 2 - 2), 0);
  assertGreater(count(([r]) => r === 205), 1000);
});
