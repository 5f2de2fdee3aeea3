/**
 * The data of paper 1 by name: points in the plane.
 *
 * @module
 */
import { readText } from "../../files/reading.ts";
import { sha256 } from "../../files/sha256.ts";
import type { Draw } from "../../random.ts";
import { sampleCircles } from "./circles.ts";
import { parsePoints, resample } from "./csv.ts";
import { sampleMoons } from "./moons.ts";
import { distanceToSpiral, sampleSwissRoll } from "./swiss_roll.ts";

/** A distribution of points in the plane. */
export interface PointData {
  /** The shape's name, or the path of the CSV file. */
  name: string;
  /** In which unit the points are, in a few words. */
  scale: string;
  /** SHA-256 of the points, where they come from a file. */
  sha256?: string;
  /** Draws points; [count·2], x and y of each in turn. */
  sample(draw: Draw, count: number): Float32Array;
  /** How far points are from the shape itself, [N], where it has no width. */
  distance?(points: Float32Array): Float32Array;
}

/** The shapes that come with the program. */
export const SHAPES = ["swiss-roll", "moons", "circles"] as const;

/**
 * The distribution of this name.
 *
 * @param name One of {@linkcode SHAPES}, or a CSV file.
 * @throws {UserError} The file cannot be read or is not two columns of numbers.
 */
export async function pointData(name: string): Promise<PointData> {
  switch (name) {
    case "swiss-roll":
      return {
        name,
        scale: "a spiral 2.8 wide",
        sample: sampleSwissRoll,
        distance: distanceToSpiral,
      };
    case "moons":
      return { name, scale: "two moons 3.5 wide", sample: sampleMoons };
    case "circles":
      return { name, scale: "circles of radius 0.85 and 1.7", sample: sampleCircles };
    default:
      return await tableData(await readText(name), name);
  }
}

/**
 * The distribution of which a table holds draws: its rows are drawn again, with replacement.
 *
 * @param content As in {@linkcode parsePoints}.
 * @param name For messages.
 * @throws {UserError} It is not two columns of numbers.
 */
export async function tableData(content: string, name: string): Promise<PointData> {
  const points = parsePoints(content, name);
  return {
    name,
    scale: "each column with standard deviation 1",
    sha256: await sha256(new Uint8Array(points.buffer)),
    sample: (draw, count) => resample(points, draw, count),
  };
}
