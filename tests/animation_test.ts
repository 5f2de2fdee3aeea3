import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertMatch,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import * as tf from "@tensorflow/tfjs";
import omggif from "omggif";
import { PNG } from "pngjs";
import { encodeFilm, type Film } from "../common/plot/film/film.ts";
import { chainFilm, interpolationFilm } from "../common/plot/film/image_film.ts";
import { pointFilm, pointsAt } from "../common/plot/film/point_film.ts";
import { selectBackend } from "../common/backend.ts";
import { readSafetensors } from "../common/checkpoint.ts";
import { encodeSafetensors } from "../common/files/safetensors.ts";
import { batch } from "../common/data/images/image_set.ts";
import { loadImages } from "../common/data/images/load.ts";
import { recordChain } from "../common/report/draw_images.ts";
import { createModel } from "../common/network/image_model.ts";
import { writeApng } from "../common/plot/film/apng.ts";
import { writeGif } from "../common/plot/film/gif.ts";
import { toByte } from "../common/plot/image_sheet.ts";
import { type IndexedFilm, paletteOf } from "../common/plot/film/palette.ts";
import type { Rgba } from "../common/data/images/png.ts";
import { normal } from "../common/random.ts";
import { endOfChain } from "../common/reverse_process.ts";
import { cosineSchedule } from "../common/schedule.ts";
import { sampleChain, type Sampling, slerp } from "../paper_2_animate.ts";
import { algorithm2, ddim } from "../paper_2.ts";
import { errorLines, inTemporaryFolder, mayRunCommands, runScript } from "./commands.ts";

const NO_LIMIT = 1e9;

// --------------------------------------------------------------------------------- interpolation

function norm(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}

/** A noise with the norm that noises have on average. */
function noise(stream: string, count = 256): Float32Array {
  const drawn = normal({ seed: 5, stream }, count);
  return drawn.map((x) => x * Math.sqrt(count) / norm(drawn));
}

/** What is left of b without its part along a, with the norm of a. */
function orthogonalTo(a: Float32Array, b: Float32Array): Float32Array {
  const along = a.reduce((sum, x, i) => sum + x * b[i], 0) / norm(a) ** 2;
  const rest = b.map((x, i) => x - along * a[i]);
  return rest.map((x) => x * norm(a) / norm(rest));
}

const other: Record<string, (a: Float32Array) => Float32Array> = {
  "an independent": () => noise("b"),
  "an orthogonal": (a) => orthogonalTo(a, noise("b")),
  "a nearly parallel": (a) => a.map((x, i) => x + 1e-4 * noise("b")[i]),
  "the same": (a) => a.slice(),
};

for (const [name, otherOf] of Object.entries(other)) {
  Deno.test(`slerp to ${name} noise keeps the norm and ends at both noises`, () => {
    const a = noise("a");
    const b = otherOf(a);
    assertEquals(slerp(a, b, 0), a);
    assertEquals(slerp(a, b, 1), b);
    for (const lambda of [0.1, 0.37, 0.5, 0.9]) {
      const between = slerp(a, b, lambda);
      assertAlmostEquals(norm(between), norm(a), 1e-3 * norm(a));
    }
  });
}

Deno.test("slerp turns evenly: a third of the way is a third of the angle", () => {
  const a = noise("a");
  const third = slerp(a, orthogonalTo(a, noise("b")), 1 / 3);
  const cosine = a.reduce((sum, x, i) => sum + x * third[i], 0) / (norm(a) * norm(third));
  assertAlmostEquals(Math.acos(cosine), Math.PI / 6, 1e-5);
});

// ---------------------------------------------------------------------------------------- the files

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

/** All frames of a GIF as they are seen, by another library's decoder. */
function framesOfGif(bytes: Uint8Array): { frames: Uint8Array[]; delays: number[]; loop: number } {
  const reader = new omggif.GifReader(bytes);
  const seen = new Uint8Array(4 * reader.width * reader.height);
  const numbers = Array.from({ length: reader.numFrames() }, (_, i) => i);
  const frames = numbers.map((i) => {
    reader.decodeAndBlitFrameRGBA(i, seen);
    return seen.slice();
  });
  const delays = numbers.map((i) => 10 * reader.frameInfo(i).delay);
  // 1: it stays, and the next one is drawn over it
  for (const i of numbers) assertEquals(reader.frameInfo(i).disposal, 1);
  return { frames, delays, loop: reader.loopCount() };
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

interface Chunk {
  name: string;
  content: Uint8Array;
}

/** A PNG's chunks, their checksums verified bit by bit. */
function chunksOf(bytes: Uint8Array): Chunk[] {
  const chunks: Chunk[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 8; at < bytes.length;) {
    const length = view.getUint32(at);
    const name = new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
    let crc = 0xffffffff;
    for (const byte of bytes.subarray(at + 4, at + 8 + length)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    assertEquals(view.getUint32(at + 8 + length), ~crc >>> 0, `checksum of ${name}`);
    chunks.push({ name, content: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

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

Deno.test("a palette has the pictures' own colours, evenly spaced greys, or black, white and near ones", () => {
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

// -------------------------------------------------------------------------------------- the films

const shape: [number, number, number, number] = [4, 8, 8, 1];

/** A model of random weights, so that it sees something in every image. */
function stirredModel(timesteps: number) {
  const settings = {
    ...{ size: 8, channels: 8, channelMults: "1,2", attentionLevels: "none", groups: 4 },
    ...{ dropout: 0, timesteps, schedule: "cosine" as const, seed: 1 },
  };
  const model = createModel(settings, 1);
  const weights = model.network.stateDict();
  for (const [name, weight] of weights) {
    const wave = tf.reshape(tf.sin(tf.range(0, weight.size)), weight.shape);
    weights.set(name, tf.add(weight, tf.mul(0.1, wave)));
  }
  model.network.load(weights);
  return model;
}

/** The middle pixel of every enlarged pixel of the picture at (left, top): [height·width] bytes. */
function pixelsAt(
  { data, width }: Rgba,
  { left, top, scale, size }: { left: number; top: number; scale: number; size: number },
): number[] {
  return Array.from({ length: size * size }, (_, k) => {
    const x = left + (k % size) * scale + Math.floor(scale / 2);
    const y = top + Math.floor(k / size) * scale + Math.floor(scale / 2);
    return data[4 * (y * width + x)];
  });
}

/** Where the four images of 8x8 pixels lie in a chain film's frame: left their xₜ, right their x̂₀. */
function placesOfFour(film: { width: number; height: number }) {
  const scale = 18; // 300 pixels hold two of 8
  const cell = 8 * scale + 4;
  const sheet = 2 * cell + 4;
  assertEquals([film.width, film.height], [2 * sheet + 12, sheet + 28]);
  return [0, sheet + 12].map((left) =>
    [0, 1, 2, 3].map((n) => ({
      left: left + 4 + (n % 2) * cell,
      top: 28 + 4 + Math.floor(n / 2) * cell,
      scale,
      size: 8,
    }))
  );
}

function assertShows(frame: Rgba, images: ArrayLike<number>): void {
  for (const places of placesOfFour(frame)) {
    places.forEach((place, n) => {
      const wanted = Array.from(images).slice(64 * n, 64 * (n + 1)).map(toByte);
      pixelsAt(frame, place).forEach((byte, k) => {
        assert(Math.abs(byte - wanted[k]) <= 1, `image ${n}, pixel ${k}: ${byte}, ${wanted[k]}`);
      });
    });
  }
}

Deno.test("the film's chain is paper2's, and its last frame shows where the chain ends", async () => {
  const backend = await selectBackend("wasm", { workers: 1 });
  tf.engine().startScope();
  try {
    const model = stirredModel(30);
    const start = { shape, seed: 3, name: "samples 0" };
    for (const sampler of ["ddpm", "ddim"] as const) {
      const sampling: Sampling = { seed: 3, sampler, sampleSteps: 10, eta: 0.5 };
      const length = sampler === "ddpm" ? 30 : 10;
      const x0 = await endOfChain(
        sampler === "ddpm" ? algorithm2(model, start) : ddim(model, { ...start, ...sampling }),
      );
      const samples = await x0.data();
      const record = await recordChain(sampleChain(model, shape, sampling), length, 6);
      assertEquals(record.xt.at(-1), samples);
      const film = await chainFilm({ count: 4, height: 8, width: 8, channels: 1, ...record });
      const { width, height } = film;
      assertEquals(film.delays, [80, 80, 80, 80, 80, 2000]);
      const { frames, delays } = framesOfGif(encodeFilm(film, "gif", NO_LIMIT).bytes);
      assertEquals(delays, film.delays);
      assertShows({ width, height, data: frames[5] }, samples);
    }
  } finally {
    tf.engine().endScope();
    backend.dispose();
  }
});

Deno.test("an interpolation goes there and back, and stops at both ends", async () => {
  const length = 16 * 16;
  const images = [-1, -0.5, 0, 0.5, 1].map((value) => new Float32Array(5 * length).fill(value));
  const lambda = [0, 0.25, 0.5, 0.75, 1];
  const film = await interpolationFilm({ height: 16, width: 16, channels: 1, lambda, images });
  assertEquals(film.delays, [800, 80, 80, 80, 800, 80, 80, 80]);
  for (const i of [1, 2, 3]) {
    const again = film.draw(8 - i).data;
    assert(film.draw(i).data.every((byte, k) => byte === again[k]), `frame ${8 - i}`);
  }
  // the pair's first image, the one on the way, the second one; the last of five pairs is alone
  const [scale, cell] = [4, 4 + 16 * 4];
  const right = 3 * cell + 4 + 12;
  const greys = (left: number, row: number, i: number) =>
    [0, 1, 2].map((column) => {
      const place = { left: left + 4 + column * cell, top: 32 + row * cell, scale, size: 16 };
      const pixels = new Set(pixelsAt(film.draw(i), place));
      assertEquals(pixels.size, 1);
      return [...pixels][0];
    });
  assertEquals(greys(0, 2, 0), [0, 0, 255]);
  assertEquals(greys(0, 2, 1), [0, 64, 255]);
  assertEquals(greys(right, 1, 4), [0, 255, 255]);
  assertEquals(greys(right, 2, 1), [255, 255, 255]); // nothing there
});

Deno.test("points between two steps are on the straight line between them", () => {
  const chain = [[0, 0, 1, 1], [2, 4, 1, 3], [6, 0, 0, 0]].map((points) =>
    new Float32Array(points)
  );
  assertEquals(pointsAt(chain, 1), chain[1]);
  assertEquals(pointsAt(chain, 2), chain[2]);
  assertEquals([...pointsAt(chain, 0.25)], [0.5, 1, 1, 1.5]);
});

/** The pixels with a colour, as the mean of their places and of their red, green and blue. */
function colouredDots({ data, width }: Rgba, isIn = (_x: number) => true) {
  const sum = { x: 0, y: 0, count: 0 };
  const colour = [0, 0, 0];
  for (let i = 0; i < data.length / 4; i++) {
    const rgb = [...data.subarray(4 * i, 4 * i + 3)];
    if (Math.max(...rgb) - Math.min(...rgb) < 60 || !isIn(i % width)) continue;
    sum.x += i % width;
    sum.y += Math.floor(i / width);
    sum.count++;
    rgb.forEach((value, c) => colour[c] += value);
  }
  const { x, y, count } = sum;
  return { x: x / count, y: y / count, count, colour: colour.map((value) => value / count) };
}

Deno.test("a film of points has equal axes, y upwards, and stands still at its end", async () => {
  // two points in the same place go from (1, 0) over (0, 0) to (0, 1)
  const chain = [[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]].map((points) =>
    new Float32Array(points)
  );
  const film = await pointFilm(chain, 5);
  assertEquals(film.delays, [80, 80, 80, 80, 2000]);
  const at = (i: number) => colouredDots(film.draw(i));
  const [right, half, origin, , up] = [0, 1, 2, 3, 4].map(at);
  assert(right.count > 5);
  const unit = right.x - origin.x;
  assert(unit > 10, `${unit}`);
  assertAlmostEquals(right.y, origin.y, 0.7);
  assertAlmostEquals(half.x - origin.x, unit / 2, 1);
  assertAlmostEquals(origin.y - up.y, unit, 1);
  assertAlmostEquals(up.x, origin.x, 0.7);
});

Deno.test("points have the colour of the place where they end from the beginning on", async () => {
  const end = new Float32Array([1, 0, -1, 0]);
  const film = await pointFilm([end, end.map((x) => -x)], 2);
  const left = (x: number) => x < film.width / 2;
  const right = (x: number) => x >= film.width / 2;
  const [first, last] = [film.draw(0), film.draw(1)];
  const still = (await pointFilm([end, end], 2)).draw(0);
  assertEquals(colouredDots(last, right).colour, colouredDots(still, right).colour);
  assertEquals(colouredDots(first, left).colour, colouredDots(last, right).colour);
  assertEquals(colouredDots(first, right).colour, colouredDots(last, left).colour);
  const apart = colouredDots(last, left).colour.map((value, c) =>
    Math.abs(value - colouredDots(last, right).colour[c])
  );
  assert(Math.max(...apart) > 60, `${apart}`);
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

// ------------------------------------------------------------------------------------- the script

const SCRIPT = "paper_2_animate.ts";
const tiny = ["--size", "8", "--channels", "8", "--channel-mults", "1,2", "--batch", "4"];

/** What lies in a folder, by name. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    content.set(name, String(await Deno.readFile(`${folder}/${name}`)));
  }
  return content;
}

/** The names of the files that are new, and nothing else is different. */
function added(before: Map<string, string>, after: Map<string, string>): string[] {
  for (const [name, content] of before) assert(after.get(name) === content, `${name} changed`);
  return [...after.keys()].filter((name) => !before.has(name)).sort();
}

Deno.test({
  name: "paper_2_animate.ts shows how a run's own samples came about, and only adds its files",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const run = `${folder}/runs/test`;
      const train = [...tiny, "--backend", "wasm", "--steps", "3", "--sample-steps", "6"];
      const settings = ["--samples", "5", "--eta", "0.5", "--seed", "7", "--out", "runs/test"];
      const trained = await runScript("paper_2.ts", [...train, ...settings], folder);
      assertEquals(trained.code, 0, trained.stderr);
      const before = await contentOf(run);

      const animate = async (...args: string[]) => {
        const common = ["--resume", "runs/test", "--backend", "wasm", "--samples", "4"];
        const ended = await runScript(SCRIPT, [...common, ...args], folder);
        assertEquals(ended.code, 0, ended.stderr);
        return ended.stdout;
      };
      const said = await animate();
      assertMatch(said, /^runs\/test\/paper2_chain\.gif: 7 frames of .* pixels, .* 0\.\d+ MB, in /);
      await animate("--format", "apng", "--frames", "4");
      await animate("--format", "strip", "--sampler", "ddpm");
      await animate("--interpolate", "--frames", "6", "--sample-steps", "3");
      assertEquals(added(before, await contentOf(run)), [
        "paper2_chain.apng",
        "paper2_chain.gif",
        "paper2_chain_strip.png",
        "paper2_interpolation.gif",
      ]);

      const gif = await Deno.readFile(`${run}/paper2_chain.gif`);
      const { frames } = framesOfGif(gif);
      const { width, height } = new omggif.GifReader(gif);
      const backend = await selectBackend("cpu");
      const samples = (await readSafetensors(`${run}/samples.safetensors`)).get("samples")!;
      assertShows({ width, height, data: frames.at(-1)! }, await samples.data());
      samples.dispose();
      backend.dispose();
      const between = framesOfGif(await Deno.readFile(`${run}/paper2_interpolation.gif`));
      assertEquals(between.delays, [800, 80, 80, 800, 80, 80]);
      const chunks = chunksOf(await Deno.readFile(`${run}/paper2_chain.apng`));
      assertEquals(chunks.filter(({ name }) => name === "fcTL").length, 4);
    }),
});

/** A folder that looks like a finished run of paper 1 as far as the animation looks at it. */
async function makePointRun(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const record = { script: "paper1", settings: { preset: "quick", seed: 0 } };
  await Deno.writeTextFile(`${folder}/run.json`, JSON.stringify(record));
  const [T, N] = [4, 50];
  const reverse = { shape: [T + 1, N, 2], data: normal({ seed: 0, stream: "p" }, (T + 1) * N * 2) };
  const figures = encodeSafetensors(new Map([["reverse", reverse]]));
  await Deno.writeFile(`${folder}/figures.safetensors`, figures);
}

Deno.test({
  name: "paper_2_animate.ts lets the points of a paper1 run flow",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await makePointRun(`${folder}/runs/points`);
      const before = await contentOf(`${folder}/runs/points`);
      for (const more of [[], ["--format", "strip"], ["--format", "apng", "--frames", "5"]]) {
        const ended = await runScript(SCRIPT, ["--resume", "runs/points", ...more], folder);
        assertEquals(ended.code, 0, ended.stderr);
        assertMatch(ended.stdout, /^runs\/points\/paper1_chain/);
      }
      const files = ["paper1_chain.apng", "paper1_chain.gif", "paper1_chain_strip.png"];
      assertEquals(added(before, await contentOf(`${folder}/runs/points`)), files);
      const gif = framesOfGif(await Deno.readFile(`${folder}/runs/points/paper1_chain.gif`));
      assertEquals([gif.delays.length, gif.delays.at(-1), gif.loop], [60, 2000, 0]);
    }),
});

Deno.test({
  name: "what cannot be animated is refused in one line",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const runs = `${folder}/runs`;
      await makePointRun(`${runs}/points`);
      await makePointRun(`${runs}/old`);
      await Deno.remove(`${runs}/old/figures.safetensors`);
      await makePointRun(`${runs}/broken`);
      await Deno.truncate(`${runs}/broken/figures.safetensors`, 300);
      await makePointRun(`${runs}/strange`);
      const flat = new Map([["reverse", { shape: [4, 2], data: new Float32Array(8) }]]);
      await Deno.writeFile(`${runs}/strange/figures.safetensors`, encodeSafetensors(flat));
      const args = [...tiny, "--backend", "wasm", "--steps", "1", "--timesteps", "25"];
      const draw = ["--sample-steps", "2", "--samples", "1", "--out", "runs/images"];
      const trained = await runScript("paper_2.ts", [...args, ...draw], folder);
      assertEquals(trained.code, 0, trained.stderr);
      const record = await Deno.readTextFile(`${runs}/images/run.json`);
      const withRecord = async (name: string, content: string, model = false) => {
        await Deno.mkdir(`${runs}/${name}`);
        await Deno.writeTextFile(`${runs}/${name}/run.json`, content);
        if (!model) return;
        await Deno.copyFile(
          `${runs}/images/model.safetensors`,
          `${runs}/${name}/model.safetensors`,
        );
      };
      await withRecord("unfinished", record);
      await withRecord("misfit", record.replace(/"channels": 8/, '"channels": 16'), true);
      await withRecord("foreign", record.replace('"paper2"', '"verify"'), true);
      await withRecord("odd", record.replace(/"eta": [^,]*/, '"eta": 7'), true);
      await withRecord("text", "hello");

      const cases: [string[], RegExp][] = [
        [[], /--resume DIR/],
        [
          ["--resume", "runs/none"],
          /runs\/none\/run\.json: there is no such file; runs\/none holds/,
        ],
        [["--resume", "runs/unfinished"], /model\.safetensors: .*go on with it: deno task paper2/],
        [["--resume", "runs/misfit"], /runs\/misfit\/model\.safetensors.* instead of /],
        [["--resume", "runs/foreign"], /a run of verify; expected one of paper1 or paper2/],
        [["--resume", "runs/odd"], /eta = 7; allowed/],
        [["--resume", "runs/text"], /not a run's record/],
        [["--resume", "runs/old"], /run paper1 again: deno task paper1 --resume runs\/old/],
        [["--resume", "runs/broken"], /runs\/broken\/figures\.safetensors/],
        [["--resume", "runs/strange"], /\[4,2\], expected \[T\+1, N, 2\]/],
        [["--resume", "runs/points", "--interpolate"], /--interpolate is for images/],
        [["--resume", "runs/points", "--seed", "1"], /--seed is for images/],
        [["--resume", "runs/points", "--frames", "1"], /--frames does not take '1'.*2 to 240/],
        [["--resume", "runs/images", "--format", "webp"], /gif, apng, strip/],
        [["--resume", "runs/images", "--format", "strip", "--frames", "65"], /2 to 64/],
        [["--resume", "runs/images", "--samples", "65"], /1 to 64/],
        [["--resume", "runs/images", "--sample-steps", "26"], /--sample-steps 26.*1 to 25/],
        [
          ["--resume", "runs/images", "--sampler", "ddpm", "--eta", "1"],
          /goes with --sampler ddim/,
        ],
        [["--resume", "runs/images", "--interpolate", "--eta", "1"], /--eta 1; allowed is 0/],
        [["--resume", "runs/images", "--interpolate", "--samples", "3"], /even numbers/],
        [["--resume", "runs/images", "--interpolate", "--sampler", "ddpm"], /--sampler ddim/],
        [["--resume", "runs/images", "--frame", "3"], /did you mean --frames/],
      ];
      for (const [args, message] of cases) {
        const ended = await runScript(SCRIPT, ["--backend", "cpu", ...args], folder);
        assertEquals(ended.code, 2, `${args}: ${ended.stderr}`);
        const lines = errorLines(ended.stderr);
        assertEquals(lines.length, 1, ended.stderr);
        assertMatch(lines[0], message);
        assert(!ended.stderr.includes("    at "), ended.stderr);
      }
    }),
});
