/**
 * Points as a text file with two columns of numbers.
 *
 * @module
 */
import { type Draw, integers } from "../../random.ts";
import { UserError } from "../../user_error.ts";

/**
 * Reads rows of two numbers, separated by a comma, semicolon, tab or blanks; the first line may be
 * headings. Each column is brought to mean 0 and standard deviation 1.
 *
 * @param content The file's text.
 * @param name The file's name, for messages.
 * @returns [N·2].
 * @throws {UserError} A line is not two finite numbers (the message names the first), there are fewer than
 * two rows, or all numbers of a column are equal.
 */
export function parsePoints(content: string, name: string): Float32Array<ArrayBuffer> {
  const rows: [number, number][] = [];
  const lines = content.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  let headings = false;
  lines.forEach((line, i) => {
    if (line.trim() === "") return;
    const cells = splitRow(line);
    const isFirst = rows.length === 0 && !headings;
    if (
      isFirst && cells.length === 2 && cells.every((cell) => /^[^\d.+-]/.test(cell)) &&
      !isOddNumber(cells)
    ) {
      headings = true;
      return;
    }
    rows.push(parseRow(cells, `${name}, line ${i + 1}`));
  });
  if (rows.length < 2) {
    throw new UserError(`${name} has ${rows.length} rows of numbers; at least 2 are needed`);
  }
  return standardize(rows, name);
}

/** Points, [N·2], as such a file, with the headings x and y. */
export function pointsAsCsv(points: Float32Array): string {
  const rows = Array.from(
    { length: points.length / 2 },
    (_, i) => `${points[2 * i]},${points[2 * i + 1]}\n`,
  );
  return "x,y\n" + rows.join("");
}

/** Rows drawn with replacement; [count·2]. */
export function resample(points: Float32Array, draw: Draw, count: number): Float32Array {
  const rows = integers(draw, count, 0, points.length / 2);
  const drawn = new Float32Array(2 * count);
  rows.forEach((row, i) => drawn.set(points.subarray(2 * row, 2 * row + 2), 2 * i));
  return drawn;
}

function splitRow(line: string): string[] {
  const trimmed = line.trim();
  const separator = [",", ";", "\t"].find((sign) => trimmed.includes(sign)) ?? /\s+/;
  return trimmed.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1").trim());
}

/** NaN and Infinity are bad numbers rather than headings. */
function isOddNumber(cells: string[]): boolean {
  return cells.some((cell) => /^(nan|inf(inity)?)$/i.test(cell));
}

function parseRow(cells: string[], where: string): [number, number] {
  if (cells.length !== 2) {
    throw new UserError(`${where}: ${cells.length} column(s); expected two numbers`);
  }
  const bad = cells.find((cell) => !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell));
  if (bad !== undefined) throw new UserError(`${where}: '${bad}' is not a number`);
  const [x, y] = cells.map(Number);
  if (!Number.isFinite(x) || !Number.isFinite(y)) {
    throw new UserError(`${where}: ${cells.join(", ")} is too large for a number`);
  }
  return [x, y];
}

function standardize(rows: [number, number][], name: string): Float32Array<ArrayBuffer> {
  const points = new Float32Array(2 * rows.length);
  for (const column of [0, 1]) {
    const values = rows.map((row) => row[column]);
    if (values.every((value) => value === values[0])) { // its mean may be rounded to another number
      throw new UserError(
        `${name}: column ${column + 1} has variance 0, all of it is ${
          values[0]
        }; it must vary to be learned`,
      );
    }
    const mean = values.reduce((sum, x) => sum + x / values.length, 0);
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2 / values.length, 0);
    if (!(variance > 0) || !Number.isFinite(variance)) {
      throw new UserError(
        `${name}: column ${column + 1} has variance ${variance}; it must vary to be learned`,
      );
    }
    values.forEach((x, i) => points[2 * i + column] = (x - mean) / Math.sqrt(variance));
  }
  return points;
}
