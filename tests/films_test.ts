// What the films show: chains of images, the way between two of them, and points that flow.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { selectBackend } from "../common/backend.ts";
import type { Rgba } from "../common/data/images/png.ts";
import { createModel } from "../common/network/image_model.ts";
import { encodeFilm } from "../common/plot/film/film.ts";
import { chainFilm, interpolationFilm } from "../common/plot/film/image_film.ts";
import { pointFilm, pointsAt } from "../common/plot/film/point_film.ts";
import { recordChain } from "../common/report/draw_images.ts";
import { endOfChain } from "../common/reverse_process.ts";
import { chainOf } from "../paper_2.ts";
import { assertShows, framesOfGif, NO_LIMIT, pixelsAt } from "./film_readers.ts";
import { stirred } from "./weights.ts";

const shape: [number, number, number, number] = [4, 8, 8, 1];

/** A model of random weights, so that it sees something in every image. */
function stirredModel(timesteps: number) {
  const model = createModel({
    ...{
      size: 8,
      inChannels: 1,
      channels: 8,
      channelMults: [1, 2],
      attentionLevels: [],
      groups: 4,
    },
    ...{ dropout: 0, timesteps, schedule: "cosine", seed: 1 },
  });
  model.network.load(stirred(model.network.stateDict()));
  return model;
}

Deno.test("the last frame of a film shows where the chain ends", async () => {
  const backend = await selectBackend("wasm", { workers: 1 });
  tf.engine().startScope();
  try {
    const model = stirredModel(30);
    const start = { shape, seed: 3, name: "samples 0" };
    for (const sampler of ["ddpm", "ddim"] as const) {
      const sampling = { sampler, sampleSteps: 10, eta: 0.5 };
      const length = sampler === "ddpm" ? 30 : 10;
      const x0 = await endOfChain(chainOf(model, sampling, start));
      const samples = await x0.data();
      const record = await recordChain(chainOf(model, sampling, start), length, 6);
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
