/**
 * The timestep embedding as a picture: a row of numbers for each t.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { timestepEmbedding } from "../../unet.ts";
import { evenly } from "../plot/evenly.ts";
import { imageSheet } from "../plot/image_sheet.ts";
import { drawing, image, text } from "../plot/svg.ts";

const [WIDTH, HEIGHT, LEFT, TOP] = [600, 240, 56, 34];

/**
 * Draws the embedding of t = 1..T as SVG: t to the right, the C numbers downwards, black −1, white 1.
 *
 * @param T Timesteps.
 * @param C Numbers of each.
 */
export async function embeddingFigure(T: number, C: number): Promise<string> {
  const shown = WIDTH / 2; // columns
  const t = evenly(T, shown).map((i) => i + 1);
  const rows = tf.tidy(() => tf.transpose(timestepEmbedding(tf.tensor1d(t, "float32"), C))); // [C, t]
  const images = await rows.data<"float32">();
  rows.dispose();
  const sheet = { images, count: 1, height: C, width: shown, channels: 1, columns: 1 };
  const png = imageSheet({ ...sheet, scale: 1, gap: 0 });
  const ticks = [1, T / 4, T / 2, 3 * T / 4, T].map((t) =>
    text(String(Math.round(t)), { x: LEFT + WIDTH * (t - 1) / (T - 1), y: TOP + HEIGHT + 16 })
  );
  const side = (label: string, y: number) => text(label, { x: LEFT - 8, y, anchor: "end" });
  return drawing(LEFT + WIDTH + 24, TOP + HEIGHT + 42, [
    text(`sin t·ω and cos t·ω, ω from 1 to 1/10000, of ${C} channels; black −1, white 1`, {
      x: LEFT + WIDTH / 2,
      y: 20,
      size: 12,
    }),
    image(png, { x: LEFT, y: TOP, width: WIDTH, height: HEIGHT }),
    side("sin", TOP + HEIGHT / 4),
    side("cos", TOP + 3 * HEIGHT / 4),
    side("ω = 1", TOP + 12),
    side("ω = 1", TOP + HEIGHT / 2 + 12),
    ...ticks,
    text("t", { x: LEFT + WIDTH / 2, y: TOP + HEIGHT + 34, size: 13 }),
  ]);
}
