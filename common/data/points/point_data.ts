/**
 * The data of paper 1 by name: points in the plane.
 *
 * @module
 */
import { readText } from "../../files/reading.ts";
import { sha256 } from "../../files/sha256.ts";
import type { Draw } from "../../random.ts";
import { circles, sampleCircles } from "./circles.ts";
import { parsePoints, resample } from "./csv.ts";
import type { Mixture } from "./mixture.ts";
import { moons, sampleMoons } from "./moons.ts";
import { distanceToSpiral, sampleSwissRoll, swissRoll } from "./swiss_roll.ts";

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
  /** The distribution itself, where it can be written down: a curve with so many centres. */
  known?(count: number): Mixture;
  /** How far points are from the shape itself, [N], where it has no width. */
  distance?(points: Float32Array): Float32Array;
}

/** Points of a file that are few enough to compare all of them with a noisy one. */
const MOST_KNOWN = 4000;

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
        known: swissRoll,
        distance: distanceToSpiral,
      };
    case "moons":
      return { name, scale: "two moons 3.5 wide", sample: sampleMoons, known: moons };
    case "circles":
      return {
        name,
        scale: "circles of radius 0.85 and 1.7",
        sample: sampleCircles,
        known: circles,
      };
    default: {
      const points = parsePoints(await readText(name), name);
      return {
        name,
        scale: "each column with standard deviation 1",
        sha256: await sha256(new Uint8Array(points.buffer)),
        sample: (draw, count) => resample(points, draw, count),
        known: points.length <= 2 * MOST_KNOWN
          ? () => ({ centres: points, width: [0, 0] })
          : undefined,
      };
    }
  }
}
