/**
 * Images in a terminal: two pixels to a character.
 *
 * @module
 */
import { toByte } from "../plot/image_sheet.ts";

/** Images among a tensor's numbers, [count, height, width, channels]. */
export interface Images {
  /** How many. */
  count: number;
  /** In pixels. */
  height: number;
  /** In pixels. */
  width: number;
  /** 1 is grey, 3 is red, green, blue. */
  channels: number;
}

/** The terminal that shows them. */
export interface Screen {
  /** Characters of a line. */
  columns: number;
  /** Whether it shows colours; otherwise characters show the brightness. */
  colour: boolean;
}

/** A tensor with fewer pixels to a side is taken for a list of numbers, not an image. */
const SMALLEST_SIDE = 4;
/** Pixels of height; a higher image is shown smaller. */
const LARGEST_HEIGHT = 128;
/** Dark to bright. */
const BRIGHTNESS = " .:-=+*#%@";
/** NaN has no brightness. */
const NAN = { character: "?", colour: [255, 0, 0] };

/** The images in a tensor of shape [H, W], [H, W, C] or [B, H, W, C], C being 1 or 3; or undefined. */
export function imagesIn(shape: number[]): Images | undefined {
  const [count, height, width, channels] = shape.length === 2
    ? [1, ...shape, 1]
    : shape.length === 3
    ? [1, ...shape]
    : shape;
  if (shape.length < 2 || shape.length > 4 || count === 0) return undefined;
  if (Math.min(height, width) < SMALLEST_SIDE || (channels !== 1 && channels !== 3)) {
    return undefined;
  }
  return { count, height, width, channels };
}

/**
 * Draws as many images as fit side by side.
 *
 * @param values [count, height, width, channels] in [-1, 1]; what lies outside is clipped.
 * @returns The lines, and how many images they show.
 */
export function drawImages(
  values: ArrayLike<number>,
  images: Images,
  { columns, colour }: Screen,
): { lines: string[]; shown: number } {
  const shrink = Math.max(
    Math.ceil(images.width / columns),
    Math.ceil(images.height / LARGEST_HEIGHT),
  );
  const width = Math.floor(images.width / shrink);
  const shown = Math.min(images.count, Math.floor((columns + 1) / (width + 1)));
  const draw = colour ? colouredCells : brightnessCells;
  const lines: string[] = [];
  for (let y = 0; y < Math.floor(images.height / shrink); y += 2) {
    const parts = Array.from({ length: shown }, (_, n) => {
      const at = (x: number, y: number) => pixel(values, images, { n, x, y, shrink });
      return draw(Array.from({ length: width }, (_, x) => [at(x, y), at(x, y + 1)]));
    });
    lines.push(parts.join(" "));
  }
  return { lines, shown };
}

/** [red, green, blue] in 0..255, NaN where there is no number; undefined below the image. */
type Pixel = number[] | undefined;
/** What a character shows: a pixel, and the one below it. */
type Cell = [Pixel, Pixel];

/** The mean of the square of pixels that becomes one. */
function pixel(
  values: ArrayLike<number>,
  { height, width, channels }: Images,
  { n, x, y, shrink }: { n: number; x: number; y: number; shrink: number },
): Pixel {
  if ((y + 1) * shrink > height) return undefined;
  return [0, 1, 2].map((c) => {
    let sum = 0;
    for (let row = y * shrink; row < (y + 1) * shrink; row++) {
      for (let column = x * shrink; column < (x + 1) * shrink; column++) {
        const first = ((n * height + row) * width + column) * channels;
        sum += values[first + Math.min(c, channels - 1)];
      }
    }
    return toByte(sum / shrink ** 2);
  });
}

/** Upper half blocks: the foreground is the upper pixel, the background the lower one. */
function colouredCells(cells: Cell[]): string {
  let before = "";
  const text = cells.map(([upper, lower]) => {
    const code = `\x1b[38;2;${colourOf(upper!)};${lower ? `48;2;${colourOf(lower)}` : "49"}m`;
    const change = code === before ? "" : code;
    before = code;
    return `${change}▀`;
  });
  return `${text.join("")}\x1b[0m`;
}

function colourOf(pixel: number[]): string {
  return (pixel.some(Number.isNaN) ? NAN.colour : pixel).join(";");
}

function brightnessCells(cells: Cell[]): string {
  return cells.map((cell) => {
    const bytes = cell.flatMap((pixel) => pixel ?? []);
    const mean = bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;
    if (Number.isNaN(mean)) return NAN.character;
    return BRIGHTNESS[Math.round(mean / 255 * (BRIGHTNESS.length - 1))];
  }).join("");
}
