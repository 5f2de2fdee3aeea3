// PNG files: what is written is read back, broken files are named in one line, and sheets put every
// pixel where it belongs.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { imageSheet } from "../common/plot/image_sheet.ts";
import { readPng, writePng } from "../common/data/images/png.ts";
import { uniform } from "../common/random.ts";
import { UserError } from "../common/user_error.ts";

const noise = {
  width: 7,
  height: 5,
  data: Uint8Array.from(uniform({ seed: 1, stream: "noise" }, 4 * 35), (v) => 256 * v),
};

function assertRefused(bytes: Uint8Array, part: string): void {
  try {
    readPng(bytes, "cat.png");
  } catch (error) {
    assert(error instanceof UserError, `${error}`);
    assertEquals(error.exitCode, 2);
    assert(/^cat\.png: [^\n]+$/.test(error.message), error.message);
    assert(error.message.includes(part), `"${error.message}" lacks "${part}"`);
    return;
  }
  throw new Error(`read, where "${part}" was expected`);
}

Deno.test("pixels survive the way through a PNG file", () => {
  assertEquals(readPng(writePng(noise), "noise.png"), noise);
});

Deno.test("a PNG file cut off anywhere is refused in one line", () => {
  const file = writePng(noise);
  for (let length = 0; length < file.length; length++) {
    assertRefused(file.subarray(0, length), length < 8 ? "not a PNG file" : "broken or incomplete");
  }
});

Deno.test("a PNG file with a wrong byte in its header or pixels is refused", () => {
  const file = writePng(noise);
  for (let at = 0; at < file.length - 12; at++) { // the last chunk carries nothing
    const wrong = file.slice();
    wrong[at] ^= 0x55;
    const inSize = at >= 16 && at < 24; // may claim a gigantic image
    assertRefused(wrong, at < 8 ? "not a PNG file" : inSize ? "" : "PNG file");
  }
});

Deno.test("a PNG header that claims a gigantic image is refused before decoding", () => {
  const file = writePng(noise);
  new DataView(file.buffer).setUint32(16, 0x7fffffff);
  assertRefused(file, "2147483647x5");
  new DataView(file.buffer).setUint32(16, 0);
  assertRefused(file, "0x5");
});

Deno.test("what is not a PNG file is refused", () => {
  assertRefused(
    new TextEncoder().encode("GIF89a, not a PNG file at all, but long enough"),
    "not a",
  );
  assertRefused(new Uint8Array(), "it is empty");
});

Deno.test("a sheet puts each pixel of each image where it belongs, enlarged", () => {
  const [count, height, width, channels, columns, scale, gap] = [5, 2, 3, 3, 2, 4, 1];
  const images = uniform({ seed: 2, stream: "pictures" }, count * height * width * channels)
    .map((v) => 3 * v - 1.5); // beyond [-1, 1] on both sides
  const sheet = readPng(
    imageSheet({ images, count, height, width, channels, columns, scale, gap }),
    "sheet.png",
  );
  assertEquals([sheet.width, sheet.height], [2 * 13 + 1, 3 * 9 + 1]);
  const expected = new Uint8Array(sheet.data.length).fill(255);
  for (let y = 0; y < sheet.height; y++) {
    for (let x = 0; x < sheet.width; x++) {
      const [column, row] = [Math.floor((x - gap) / 13), Math.floor((y - gap) / 9)];
      const [px, py] = [Math.floor((x - gap) % 13 / scale), Math.floor((y - gap) % 9 / scale)];
      const n = row * columns + column;
      if (x < gap || y < gap || px >= width || py >= height || n >= count) continue;
      for (let c = 0; c < 3; c++) {
        const value = images[((n * height + py) * width + px) * channels + c];
        expected[4 * (y * sheet.width + x) + c] = Math.min(255, Math.max(0, 127.5 * (value + 1))) +
          0.5;
      }
    }
  }
  assertEquals(sheet.data, expected);
});

Deno.test("a sheet shows one channel as grey, -1 as black, 1 as white, and digits 64 pixels wide", () => {
  const images = new Float32Array(2 * 16 * 16).fill(-1).fill(1, 256);
  const shape = { count: 2, height: 16, width: 16, channels: 1, columns: 8 };
  const sheet = readPng(imageSheet({ images, ...shape }), "sheet.png");
  assertEquals([sheet.width, sheet.height], [2 * 68 + 4, 68 + 4]);
  assertEquals([...sheet.data.subarray(4 * (30 * 140 + 30)).subarray(0, 4)], [0, 0, 0, 255]);
  assertEquals([...sheet.data.subarray(4 * (30 * 140 + 100)).subarray(0, 4)], [255, 255, 255, 255]);
  assertThrows(() => imageSheet({ images, ...shape, count: 3 }), RangeError, "for 3 pictures");
});
