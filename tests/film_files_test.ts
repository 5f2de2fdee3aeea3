// The files that a film is written to: GIF, animated PNG and a strip, each read back by other code.
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { PNG } from "pngjs";
import { batch } from "../common/data/images/image_set.ts";
import { loadImages } from "../common/data/images/load.ts";
import type { Rgba } from "../common/data/images/png.ts";
import { writeApng } from "../common/plot/film/apng.ts";
import { encodeFilm, type Film } from "../common/plot/film/film.ts";
import { writeGif } from "../common/plot/film/gif.ts";
import { chainFilm } from "../common/plot/film/image_film.ts";
import { type IndexedFilm, paletteOf } from "../common/plot/film/palette.ts";
import { normal } from "../common/random.ts";
import { cosineSchedule } from "../common/schedule.ts";
import { type Chunk, chunksOf, framesOfGif, NO_LIMIT } from "./film_readers.ts";

/** Three frames of 7x5 pixels: most of them change from one to the next, some do not. */
const small: IndexedFilm = {
  width: 7,
  height: 5,
  palette: [[0, 0, 0], [255, 255, 255], [255, 0, 0], [1, 2, 3], [90, 90, 90]],
  frames: [80, 120, 2000].map((delay, i) => ({
    pixels: Uint8Array.from({ length: 35 }, (_, k) => k < 7 ? 2 : (k * (i + 1)) % 5),
    delay,
  })),
};

function coloursOf({ palette, frames }: IndexedFilm, i: number): number[] {
  return [...frames[i].pixels].flatMap((place) => [...palette[place], 255]);
}

Deno.test("a GIF shows the film's frames for their times, for ever", () => {
  const bytes = writeGif(small);
  const text = new TextDecoder("latin1").decode(bytes);
  assert(text.startsWith("GIF89a\x07\x00\x05\x00")); // the logical screen is 7x5
  assert(text.includes("\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")); // 0: without end
  assertEquals(bytes.at(-1), 0x3b);
  const { frames, delays, loop } = framesOfGif(bytes);
  assertEquals(frames.map((frame) => [...frame]), [0, 1, 2].map((i) => coloursOf(small, i)));
  assertEquals(delays, [80, 120, 2000]);
  assertEquals(loop, 0);
});

Deno.test("a GIF leaves out what does not change", () => {
  const same = { ...small, width: 70, height: 50 };
  const pixels = Uint8Array.from(normal({ seed: 0, stream: "g" }, 3500), (x) => Math.abs(x) % 5);
  const film = (count: number) =>
    writeGif({ ...same, frames: Array.from({ length: count }, () => ({ pixels, delay: 80 })) });
  const [one, three] = [film(1), film(3)];
  assertLess(three.length - one.length, one.length / 2);
});

Deno.test("a GIF has one place for what does not change besides at most 255 colours", () => {
  const palette = Array.from({ length: 256 }, (_, i): [number, number, number] => [i, i, i]);
  assertThrows(() => writeGif({ ...small, palette }), RangeError, "256 colours");
  writeGif({ ...small, palette: palette.slice(1) });
});

function numberAt({ content }: Chunk, at: number, bytes: 2 | 4): number {
  const view = new DataView(content.buffer, content.byteOffset);
  return bytes === 2 ? view.getUint16(at) : view.getUint32(at);
}

Deno.test("an animated PNG has its chunks in order, with frames, delays and endless loop", () => {
  const chunks = chunksOf(writeApng(small));
  const names = chunks.map(({ name }) => name);
  const [header, control] = chunks;
  const later = ["fcTL", "fdAT", "fcTL", "fdAT"];
  assertEquals(names, ["IHDR", "acTL", "PLTE", "fcTL", "IDAT", ...later, "IEND"]);
  assertEquals([numberAt(header, 0, 4), numberAt(header, 4, 4)], [7, 5]);
  assertEquals([numberAt(control, 0, 4), numberAt(control, 4, 4)], [3, 0]);
  const counted = chunks.filter(({ name }) => name === "fcTL" || name === "fdAT");
  assertEquals(counted.map((chunk) => numberAt(chunk, 0, 4)), [0, 1, 2, 3, 4]);
  const controls = chunks.filter(({ name }) => name === "fcTL");
  for (const control of controls) {
    assertEquals([4, 8, 12, 16].map((at) => numberAt(control, at, 4)), [7, 5, 0, 0]);
  }
  const delays = controls.map((control) =>
    1000 * numberAt(control, 20, 2) / numberAt(control, 22, 2)
  );
  assertEquals(delays, [80, 120, 2000]);
});

Deno.test("every frame of an animated PNG is the film's, the first to any viewer", () => {
  const bytes = writeApng(small);
  assertEquals([...PNG.sync.read(Buffer.from(bytes)).data], coloursOf(small, 0));
  // a file of one frame is a plain PNG: that frame
  small.frames.forEach((frame, i) => {
    const alone = chunksOf(writeApng({ ...small, frames: [frame] }));
    const data = chunksOf(bytes).filter(({ name }) => name === "IDAT" || name === "fdAT");
    const found = i === 0 ? data[0].content : data[i].content.subarray(4);
    assertEquals([...found], [...alone.find(({ name }) => name === "IDAT")!.content]);
    const decoded = PNG.sync.read(Buffer.from(writeApng({ ...small, frames: [frame] })));
    assertEquals([...decoded.data], coloursOf(small, i));
  });
});

function rgba(colours: number[][]): Rgba {
  const data = Uint8Array.from(colours.flatMap((colour) => [...colour, 255]));
  return { width: colours.length, height: 1, data };
}

Deno.test("a palette has the images' own colours, evenly spaced greys, or black, white and near ones", () => {
  const two = paletteOf([rgba([[9, 8, 7], [1, 2, 3], [9, 8, 7]])], 4);
  assertEquals(two.length, 2);
  const greys = Array.from({ length: 256 }, (_, i) => [i, i, i]);
  assertEquals(paletteOf([rgba(greys)], 4).map(([red]) => red), [0, 85, 170, 255]);
  const many = Array.from({ length: 3000 }, (_, i) => [i % 250, (7 * i) % 251, (i * i) % 241]);
  const near = paletteOf([rgba(many)], 63);
  assert(near.length <= 63);
  assertEquals(near.slice(0, 2), [[0, 0, 0], [255, 255, 255]]);
});

/** Real digits on their way through the forward process, from noise to image, and the digits. */
async function digitsInNoise(frames: number) {
  const set = await loadImages({ dataset: "mnist", size: 16, split: "test" });
  const x0 = batch(set, Array.from({ length: 16 }, (_, n) => n));
  const { alphaBar } = cosineSchedule(1000);
  const t = Array.from({ length: frames }, (_, i) => Math.round(1000 * (1 - i / (frames - 1))));
  const noisy = (t: number) => {
    const eps = normal({ seed: 0, stream: "film", step: t }, x0.length);
    return x0.map((x, i) => Math.sqrt(alphaBar(t)) * x + Math.sqrt(1 - alphaBar(t)) * eps[i]);
  };
  const shape = { count: 16, height: 16, width: 16, channels: 1 };
  return { ...shape, t, xt: t.map(noisy), x0Hat: t.map((t) => noisy(Math.round(t / 4))) };
}

Deno.test("16 digits in 60 frames stay under 2 MB, with as many greys as that allows", async () => {
  const film = await chainFilm(await digitsInNoise(60));
  const { bytes, colours } = encodeFilm(film, "gif", 2e6);
  assertLess(bytes.length, 2e6);
  assert(colours! >= 15 && colours! < 255, `${colours}`);
  const large = encodeFilm(film, "gif", NO_LIMIT);
  assertEquals(large.colours, 255);
  assert(large.bytes.length > 2e6);
});

Deno.test("a strip has all frames in rows of four", () => {
  const film: Film = {
    width: 3,
    height: 2,
    delays: [1, 1, 1, 1, 1],
    draw: (i) => ({ width: 3, height: 2, data: new Uint8Array(24).fill(10 * i) }),
  };
  const { bytes } = encodeFilm(film, "strip", NO_LIMIT);
  const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
  assertEquals([width, height], [4 * 3 + 3 * 36, 2 * 2 + 36]);
  const at = (x: number, y: number) => data[4 * (y * width + x)];
  assertEquals([at(0, 0), at(39, 1), at(119, 0), at(2, 39), at(3, 39)], [0, 10, 30, 40, 255]);
});
