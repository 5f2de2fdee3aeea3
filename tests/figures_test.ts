// The figures: whole PNG files of the expected size, with the data in them, the same at every call.
import { Buffer } from "node:buffer";
import { PNG } from "pngjs";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { centredMean } from "../common/plot/centred_mean.ts";
import { chainSheet } from "../common/plot/chain_sheet.ts";
import { sheet } from "../common/plot/chart.ts";
import { diffusionFigure, fieldFigure, lineFigure } from "../common/plot/figures.ts";
import { logTicks } from "../common/plot/log_ticks.ts";
import { lossFigure } from "../common/plot/loss_figure.ts";
import { rasterize } from "../common/plot/raster.ts";
import { normal } from "../common/random.ts";

const points = normal({ seed: 1, stream: "points" }, 2000);
const arrows = [{ x: -1, y: 0, dx: 1, dy: 0.5 }, { x: 0, y: 1, dx: 0, dy: -0.3 }];
const perT = { t: [2, 3, 4], value: [0.5, 0.2, 0.1], label: "of each t" };

function decode(bytes: Uint8Array): PNG {
  assert(bytes.length > 1000);
  return PNG.sync.read(Buffer.from(bytes));
}

/** Pixels whose colour is nearer to this one than to white or grey. */
function coloured({ data }: PNG, [r, g, b]: number[]): number {
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const difference = Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) +
      Math.abs(data[i + 2] - b);
    if (difference < 120) count++;
  }
  return count;
}

const BLUE = [0, 114, 178];
const ORANGE = [213, 94, 0];

Deno.test("two rows of three panels, dots in all of them", async () => {
  const row = { label: "a row", panels: [0, 1, 2].map((t) => ({ title: `t = ${t}`, points })) };
  const png = decode(await diffusionFigure({ rows: [row, row] }));
  assert(png.width > 1200 && png.height > 900);
  const far = coloured(png, [127, 184, 216]); // blue dots at half opacity
  assert(far > 6 * 1000, `${far}`);
  const empty = { label: "", panels: [{ title: "", points: points.subarray(0, 2) }] };
  assert(coloured(decode(await diffusionFigure({ rows: [empty] })), BLUE) < 100);
});

Deno.test("loss, field and line figures hold what is given, and are repeatable", async () => {
  const losses = Array.from({ length: 3000 }, (_, i) => 1 / (1 + i / 100));
  const loss = await lossFigure({ lossLabel: "loss", losses, perT });
  assert(coloured(decode(loss), BLUE) > 500 && coloured(decode(loss), ORANGE) > 300);
  assertEquals(await lossFigure({ lossLabel: "loss", losses, perT }), loss);
  assertNotEquals(await lossFigure({ lossLabel: "loss", losses: [1, ...losses], perT }), loss);
  // a loss of 0 cannot stand on a logarithmic axis
  decode(await lossFigure({ lossLabel: "loss", losses: [1, 0, 2], perT }));

  const field = await fieldFigure({ panels: [{ title: "t = 1", points, arrows }] });
  assert(coloured(decode(field), ORANGE) > 50);
  decode(
    await fieldFigure({
      panels: [{ title: "still", points, arrows: [{ x: 0, y: 0, dx: 0, dy: 0 }] }],
    }),
  );

  const line = { name: "ᾱ", x: [0, 1, 2], y: [1, 0.5, 0] };
  const lines = await lineFigure({ title: "a & b < c", xLabel: "t", yLabel: "ᾱₜ", lines: [line] });
  assert(coloured(decode(lines), BLUE) > 300);
});

Deno.test("a centred mean neither lags nor leaves a straight line", () => {
  const line = Array.from({ length: 30 }, (_, i) => 3 * i);
  assertEquals(centredMean(line, 4).slice(0, 26), line.slice(0, 26));
  assertEquals(centredMean(line, 4).at(-1), 3 * 27); // the mean of the last five
  const step = centredMean(line.map((_, i) => i < 15 ? 0 : 1), 4);
  assertEquals(step.slice(10, 12), [0, 1 / 9]);
  assertEquals(step.slice(18, 20), [8 / 9, 1]);
  assertEquals(centredMean([1, 5], 0), [1, 5]);
});

Deno.test("a logarithmic axis has at least four round ticks within its range, and few", () => {
  assertEquals(logTicks(0.04, 1.1), [0.05, 0.1, 0.2, 0.5, 1]);
  assertEquals(logTicks(1e-4, 10), [1e-4, 1e-3, 1e-2, 1e-1, 1, 10]);
  for (const [from, to] of [[0.084, 0.22], [0.9, 1.3], [2e-5, 9], [11, 48]]) {
    const ticks = logTicks(from, to);
    assert(ticks.length >= 4 && ticks.length <= 10, `${from} to ${to}: ${ticks}`);
    assert(ticks.every((tick, i) => from <= tick && tick <= to && !(tick <= ticks[i - 1])));
  }
});

Deno.test("a chain's sheet has a strip for xₜ and one for x̂₀ in every row", async () => {
  const [count, height, width, channels] = [2, 4, 4, 1];
  const size = count * height * width;
  const sheet = (value: number) => new Float32Array(size).fill(value);
  const options = { count, height, width, channels, t: [10, 5, 0] };
  const png = decode(
    await chainSheet({
      ...options,
      xt: [sheet(-1), sheet(-1), sheet(-1)],
      x0Hat: [sheet(1), sheet(1), sheet(1)],
    }),
  );
  // xₜ is black, x̂₀ white like the paper: half of the strips' area is dark
  const dark = coloured(png, [0, 0, 0]);
  const strips = 3 * 2 * 64 * 64;
  assert(dark > 0.95 * strips && dark < 1.2 * strips, `${dark} of ${strips}`);
});

Deno.test("what stands out over a chart's edge, as a long label does, is not cut off", async () => {
  const square = (x: number) => `<rect x="${x}" y="10" width="5" height="5" fill="#0072b2"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="50" height="30">${square(-4)}${
    square(49)
  }</svg>`;
  const chart = { svg, width: 50, height: 30 };
  const png = decode(await rasterize(sheet([{ label: "a row", charts: [chart] }])));
  assertEquals(coloured(png, BLUE), 2 * 10 * 10); // two pixels for each unit
});
