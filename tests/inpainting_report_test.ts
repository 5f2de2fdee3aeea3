// What is measured on fillings: in the hole alone, and against the original.
import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { ImageSet } from "../common/data/images/image_set.ts";
import type { Classification } from "../common/network/digit_classifier.ts";
import { deviation, inpaintingCsv, inpaintingReport } from "../common/report/inpainting_report.ts";

Deno.test("errors count the hole only, and agreement compares with the original", async () => {
  // two images of two pixels, the second hidden; the training set's mean image is [0, 1]
  const train: ImageSet = {
    ...{ name: "test", count: 2, height: 1, width: 2, channels: 1, flips: false },
    pixels: Uint8Array.of(0, 255, 255, 255),
  };
  const originals = Float32Array.of(0.5, -1, 0.25, 0);
  const fillings = [Float32Array.of(0.5, 1, 0.25, 0), Float32Array.of(0.5, 0, 0.25, -1)];
  const images = {
    ...{ height: 1, width: 2, channels: 1, missing: Uint8Array.of(0, 1) },
    ...{ originals, fillings },
  };
  // takes an image for the digit of its hidden pixel's sign
  const classify = (images: Float32Array) => {
    const label = Int32Array.from([images[1], images[3]], (x) => Math.sign(x) + 1);
    return Promise.resolve({ label } as Classification);
  };
  const { report, rows } = await inpaintingReport(images, train, { classify });
  assertEquals([report.images, report.fillings, report.hidden, report.pixels], [2, 2, 1, 2]);
  assertAlmostEquals(report.error.filling, (4 + 0 + 1 + 1) / 4);
  assertAlmostEquals(report.error.meanOfFillings, (1.5 ** 2 + 0.5 ** 2) / 2);
  assertAlmostEquals(report.error.meanImage, (4 + 1) / 2);
  assertEquals(report.sameDigit, { filling: 1 / 4, meanImage: 0 });
  assertEquals(
    inpaintingCsv(rows),
    "image,filling,error,original_label,filled_label\n" +
      "1,1,4,0,2\n2,1,0,1,1\n1,2,1,0,1\n2,2,1,1,0\n",
  );
  assertEquals(deviation(fillings), Float32Array.of(0, 0.5, 0, 0.5));
  const { report: without } = await inpaintingReport(images, train);
  assertEquals(without.sameDigit, undefined);
});
