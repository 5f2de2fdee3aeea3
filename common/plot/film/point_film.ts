/**
 * Films of points in the plane on their way from noise to a shape.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import type { Rgba } from "../../data/images/png.ts";
import { readPng } from "../../data/images/png.ts";
import { chart } from "../chart.ts";
import { squareAround } from "../figures.ts";
import { rasterize } from "../raster.ts";
import { captions, drawAt } from "./canvas.ts";
import type { Film } from "./film.ts";

/** How long frames are shown, in milliseconds. */
const DELAY = { moving: 80, last: 2000 };
/** In units of the drawing, which the raster doubles. */
const SIDE = 240;
const MARGIN = { left: 26, right: 8, top: 16, bottom: 20 };
/** A point's radius in pixels. */
const RADIUS = 2.2;

/**
 * Points flowing along the reverse chain, each in the colour of the position where it ends. Between two
 * steps of the chain the points move in a straight line. The last frame stands still for 2 s.
 *
 * @param chain For each t from 0 to T the points, [N·2].
 * @param frames How many frames; at least 2.
 * @param caption What stands above the points at a t. Default: `t = 12`.
 */
export async function pointFilm(
  chain: Float32Array[],
  frames: number,
  caption: (t: number) => string = (t) => `t = ${Math.round(t)}`,
): Promise<Film> {
  const T = chain.length - 1;
  const domain = squareAround([{ points: chain[0] }, { points: chain[T] }]);
  const background = await axes(domain);
  const colours = coloursByPosition(chain[0]);
  const times = Array.from({ length: frames }, (_, i) => T * (1 - i / (frames - 1)));
  const words = await captions(times.map(caption), 2 * SIDE);
  return {
    width: background.width,
    height: background.height,
    delays: times.map((_, i) => i === frames - 1 ? DELAY.last : DELAY.moving),
    draw(i) {
      const frame = { ...background, data: background.data.slice() };
      const middle = 2 * (MARGIN.left + SIDE / 2);
      drawAt(frame, words[i], { left: middle - words[i].width / 2, top: 0 });
      drawPoints(frame, pointsAt(chain, times[i]), { colours, domain });
      return frame;
    },
  };
}

/** Where the points are at a time between two steps. */
export function pointsAt(chain: Float32Array[], t: number): Float32Array {
  const before = Math.floor(t);
  const share = t - before;
  if (share === 0) return chain[before];
  return chain[before].map((x, i) => (1 - share) * x + share * chain[before + 1][i]);
}

/** The empty frame with its axes, of the same scale in x and y. */
async function axes(domain: [number, number]): Promise<Rgba> {
  const { svg } = chart({
    width: MARGIN.left + SIDE + MARGIN.right,
    height: MARGIN.top + SIDE + MARGIN.bottom,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    x: { domain, ticks: 5, label: null },
    y: { domain, ticks: 5, label: null },
    marks: [Plot.frame({ stroke: "#ccc" })],
  });
  return readPng(await rasterize(svg), "axes");
}

/** A colour for each point: the hue turns once around the middle of all, and is darker inside. */
function coloursByPosition(points: Float32Array): [number, number, number][] {
  const N = points.length / 2;
  const [x, y] = [0, 1].map((c) =>
    points.reduce((sum, x, i) => i % 2 === c ? sum + x : sum, 0) / N
  );
  const polar = Array.from({ length: N }, (_, n) => {
    const [dx, dy] = [points[2 * n] - x, points[2 * n + 1] - y];
    return { turn: Math.atan2(dy, dx) / (2 * Math.PI), radius: Math.hypot(dx, dy) };
  });
  const outermost = polar.reduce((most, { radius }) => Math.max(most, radius), 1e-9);
  return polar.map(({ turn, radius }) => hue(turn, 90 + 150 * radius / outermost));
}

/** Red, green and blue as squared sines, a third of a turn apart: never too light for a white ground. */
function hue(turn: number, most: number): [number, number, number] {
  const part = (shift: number) => Math.round(most * Math.sin(Math.PI * (turn + shift)) ** 2);
  return [part(0.5), part(0.5 + 1 / 3), part(0.5 + 2 / 3)];
}

/** Draws the points that lie within the axes. */
function drawPoints(
  frame: Rgba,
  points: Float32Array,
  { colours, domain: [low, high] }: {
    colours: [number, number, number][];
    domain: [number, number];
  },
): void {
  const side = 2 * SIDE;
  colours.forEach((colour, n) => {
    const right = side * (points[2 * n] - low) / (high - low);
    const up = side * (points[2 * n + 1] - low) / (high - low);
    const inside = [right, up].every((at) => at >= RADIUS && at <= side - RADIUS);
    if (!inside) return;
    drawDot(frame, 2 * MARGIN.left + right, 2 * MARGIN.top + side - up, colour);
  });
}

/** A disc whose edge lets a little of the ground through. */
function drawDot(frame: Rgba, x: number, y: number, colour: [number, number, number]): void {
  const reach = Math.ceil(RADIUS + 0.5);
  for (let row = Math.floor(y) - reach; row <= y + reach; row++) {
    for (let column = Math.floor(x) - reach; column <= x + reach; column++) {
      const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
      const cover = Math.min(1, Math.max(0, RADIUS + 0.5 - distance));
      const at = 4 * (row * frame.width + column);
      colour.forEach((value, c) => {
        frame.data[at + c] = Math.round((1 - cover) * frame.data[at + c] + cover * value);
      });
    }
  }
}
