// How near samples are to the training images.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { ImageSet } from "../common/data/images/image_set.ts";
import { batch } from "../common/data/images/image_set.ts";
import { normal, randomBits } from "../common/random.ts";
import { nearestImages } from "../common/report/nearest_images.ts";
import { closerShare, reportNearest } from "../common/report/nearest_report.ts";
import type { RunFolder } from "../common/run/folder.ts";
import { on } from "./backends.ts";

function images(stream: string, count: number): ImageSet {
  const bits = randomBits({ seed: 3, stream }, count * 12);
  const pixels = Uint8Array.from(bits, (bits) => bits);
  return { name: "test", count, height: 2, width: 2, channels: 3, pixels, flips: false };
}

Deno.test("the nearest image of a large set is that of a search one by one", () =>
  on("cpu", async () => {
    const set = images("set", 5000); // more than are compared at once
    const samples = normal({ seed: 1, stream: "samples" }, 300 * 12);
    const { index, distance } = await nearestImages(samples, set);
    const all = batch(set, Array.from({ length: set.count }, (_, i) => i));
    assert(index.some((i) => i >= 4096) && index.some((i) => i < 4096));
    for (const n of [0, 255, 256, 299]) {
      let nearest = Infinity;
      for (let i = 0; i < set.count; i++) {
        let sum = 0;
        for (let k = 0; k < 12; k++) sum += (samples[n * 12 + k] - all[i * 12 + k]) ** 2;
        nearest = Math.min(nearest, Math.sqrt(sum));
      }
      assertAlmostEquals(distance[n], nearest, 1e-4);
    }
  }));

Deno.test("copies are nearer than all real images, and as many real ones as half of them", () =>
  on("cpu", async () => {
    const [train, unseen] = [images("train", 200), images("unseen", 200)];
    const written: string[] = [];
    const folder = {
      write: (name: string) => {
        written.push(name);
        return Promise.resolve();
      },
    } as unknown as RunFolder;
    const copies = batch(train, [5, 9, 5]);
    const { results } = await reportNearest(copies, { train, unseen, folder });
    assertEquals(written, ["nearest.png"]);
    assertEquals(results.nearestDistance, 0);
    assertEquals(results.closerThanReal, 1);
    const real = batch(unseen, Array.from({ length: 200 }, (_, i) => i));
    const same = (await reportNearest(real, { train, unseen, folder })).results;
    assertEquals(same.closerThanReal, 0.5);
    assertEquals(same.nearestDistance, same.nearestDistanceReal);
  }));

Deno.test("the error of the share is that of repeated draws", () => {
  const shares: number[] = [];
  let error = 0;
  for (let seed = 0; seed < 400; seed++) {
    const measured = closerShare(
      normal({ seed, stream: "a" }, 60),
      normal({ seed, stream: "b" }, 120),
    );
    shares.push(measured.share);
    error = measured.error;
  }
  const mean = shares.reduce((sum, x) => sum + x, 0) / shares.length;
  const spread = Math.sqrt(shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / shares.length);
  assertAlmostEquals(mean, 0.5, 0.02);
  assertAlmostEquals(error / spread, 1, 0.15);
});
