/**
 * Two circles, one within the other.
 *
 * @module
 */
import { type Draw, normal, uniform } from "../../random.ts";
import type { Mixture } from "./mixture.ts";

const NOISE = 0.05;
const RADII = [1.7, 0.85];

/** Points of both circles with a little noise; [count·2]. */
export function sampleCircles(draw: Draw, count: number): Float32Array {
  const u = uniform({ ...draw, stream: `${draw.stream} place` }, 2 * count);
  const noise = normal({ ...draw, stream: `${draw.stream} noise` }, 2 * count);
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const angle = 2 * Math.PI * u[2 * i];
    const radius = RADII[u[2 * i + 1] < 0.5 ? 0 : 1];
    points[2 * i] = radius * Math.cos(angle) + NOISE * noise[2 * i];
    points[2 * i + 1] = radius * Math.sin(angle) + NOISE * noise[2 * i + 1];
  }
  return points;
}

/** The circles as a fine set of points with the noise around each. */
export function circles(count: number): Mixture {
  const centres = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const [angle, radius] = [2 * Math.PI * (i + 0.5) / count, RADII[i % 2]];
    centres.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * i);
  }
  return { centres, width: [NOISE, NOISE] };
}
