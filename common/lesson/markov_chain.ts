/**
 * The two chains as a drawing: a digit on its way to noise, and the way back.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { batch, type ImageSet } from "../data/images/image_set.ts";
import { qSample } from "../forward_process.ts";
import { gaussianNoise } from "../engine/noise.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import { COLOURS } from "../plot/chart.ts";
import { drawing, image, text } from "../plot/svg.ts";
import type { Schedule } from "../schedule.ts";

/** The states of the chain that are drawn, from noise to data; the dots stand for what is left out. */
const STATES = ["x_T", "…", "x_t", "x_{t−1}", "…", "x_0"] as const;
const [RADIUS, STEP, TOP] = [34, 128, 84];

/**
 * Draws the chain as SVG, each state with the digit as it is there.
 *
 * @param options.t The t of the state x_t.
 */
export async function markovChain(
  { images, index, schedule, t }: {
    images: ImageSet;
    index: number;
    schedule: Schedule;
    t: number;
  },
): Promise<string> {
  const { height, width, channels } = images;
  const shape: [number, number, number, number] = [1, height, width, channels];
  const at = { x_T: schedule.T, x_t: t, "x_{t−1}": t - schedule.T / 20, x_0: 0 };
  const parts = [arrowHeads()];
  for (const [i, state] of STATES.entries()) {
    const x = 60 + i * STEP;
    if (i > 0) parts.push(...arrows(x - STEP, x, STATES[i] === "x_{t−1}"));
    if (state === "…") {
      parts.push(text("…", { x, y: TOP + 6, size: 24 }));
      continue;
    }
    const pixels = tf.tidy(() => {
      const x0 = tf.tensor4d(batch(images, [index]), shape);
      const eps = gaussianNoise<tf.Rank.R4>({ seed: 1, stream: "markov chain" }, shape);
      return at[state] === 0 ? x0 : qSample(schedule, x0, at[state], eps);
    });
    const sheet = {
      images: await pixels.data<"float32">(),
      count: 1,
      columns: 1,
      scale: 4,
      gap: 0,
    };
    pixels.dispose();
    parts.push(
      `<circle cx="${x}" cy="${TOP}" r="${RADIUS}" fill="white" stroke="#222"/>`,
      withIndex(state, x, TOP + 6),
      image(imageSheet({ ...sheet, height, width, channels }), {
        x: x - RADIUS,
        y: TOP + 86,
        width: 2 * RADIUS,
        height: 2 * RADIUS,
      }),
    );
  }
  return drawing(120 + (STATES.length - 1) * STEP, TOP + 86 + 2 * RADIUS + 10, parts);
}

/** A step of the reverse process above, one of the forward process below. */
function arrows(from: number, to: number, named: boolean): string[] {
  const [a, b] = [from + RADIUS - 4, to - RADIUS + 4];
  const middle = (from + to) / 2;
  const above =
    `<path d="M ${a} ${TOP - 22} Q ${middle} ${TOP - 52} ${b} ${TOP - 22}" fill="none" ` +
    `stroke="${COLOURS.blue}" stroke-width="1.6" marker-end="url(#blue)"/>`;
  const below =
    `<path d="M ${b} ${TOP + 22} Q ${middle} ${TOP + 52} ${a} ${TOP + 22}" fill="none" ` +
    `stroke="${COLOURS.orange}" stroke-width="1.6" stroke-dasharray="5 3" marker-end="url(#orange)"/>`;
  if (!named) return [above, below];
  return [
    above,
    below,
    text("p_θ(x_{t−1} | xₜ), learned", { x: middle, y: TOP - 46, size: 13, fill: COLOURS.blue })
      .replace("p_θ(x_{t−1}", `p${index("θ")}(x${index("t−1")}`),
    text("q(xₜ | x_{t−1}), known", { x: middle, y: TOP + 60, size: 13, fill: COLOURS.orange })
      .replace("x_{t−1}", `x${index("t−1")}`),
  ];
}

/** "x_t" with its index below the line. */
function withIndex(state: string, x: number, y: number): string {
  const name = state.slice(2).replace(/[{}]/g, "");
  return text("x", { x, y, size: 18, italic: true }).replace("</text>", `${index(name)}</text>`);
}

function index(name: string): string {
  return `<tspan baseline-shift="sub" font-size="70%">${name}</tspan>`;
}

function arrowHeads(): string {
  const head = (name: "blue" | "orange") =>
    `<marker id="${name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" ` +
    `orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="${COLOURS[name]}"/></marker>`;
  return `<defs>${head("blue")}${head("orange")}</defs>`;
}
