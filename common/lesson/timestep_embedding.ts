/**
 * The timestep embedding as a picture: a row of numbers for each t.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { timestepEmbedding } from "../../unet.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import { drawing, image, text } from "../plot/svg.ts";

const [WIDTH, HEIGHT, LEFT, TOP] = [600, 288, 104, 34];

/**
 * Draws the embedding of t = 1..T as SVG: t to the right, the C numbers downwards, black −1, white 1.
 *
 * @param T Timesteps.
 * @param C Numbers of each.
 */
export async function embeddingFigure(T: number, C: number): Promise<string> {
  const t = Array.from({ length: T }, (_, i) => i + 1);
  const rows = tf.tidy(() => tf.transpose(timestepEmbedding(tf.tensor1d(t, "float32"), C))); // [C, T]
  const images = await rows.data<"float32">();
  rows.dispose();
  const sheet = { images, count: 1, height: C, width: T, channels: 1, columns: 1 };
  const png = imageSheet({ ...sheet, scale: 1, gap: 0 });
  const ticks = [1, T / 4, T / 2, 3 * T / 4, T].map((t) =>
    text(String(Math.round(t)), { x: LEFT + WIDTH * (t - 1) / (T - 1), y: TOP + HEIGHT + 16 })
  );
  const names = Array.from({ length: C }, (_, row) => {
    const omega = 10000 ** (-(row % (C / 2)) / (C / 2 - 1));
    const name = `${row < C / 2 ? "sin" : "cos"} ${Number(omega.toPrecision(2))}·t`;
    return text(name, { x: LEFT - 8, y: TOP + (row + 0.5) * HEIGHT / C + 4, anchor: "end" });
  });
  return drawing(LEFT + WIDTH + 24, TOP + HEIGHT + 42, [
    text(`the ${C} numbers that stand for t; black −1, white 1`, {
      x: LEFT + WIDTH / 2,
      y: 20,
      size: 13,
    }),
    image(png, { x: LEFT, y: TOP, width: WIDTH, height: HEIGHT }),
    ...names,
    ...ticks,
    text("t", { x: LEFT + WIDTH / 2, y: TOP + HEIGHT + 34, size: 13 }),
  ]);
}
