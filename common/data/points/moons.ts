/**
 * Two half moons that reach into each other.
 *
 * @module
 */
import { type Draw, normal, uniform } from "../../random.ts";
import type { Mixture } from "./mixture.ts";

const NOISE = 0.05;
/** To about unit width. */
const STRETCH = [1.15, 2];
const WIDTH: [number, number] = [STRETCH[0] * NOISE, STRETCH[1] * NOISE];

/** Points of the moons with a little noise, about as wide as N(0, I); [count·2]. */
export function sampleMoons(draw: Draw, count: number): Float32Array {
  const u = uniform({ ...draw, stream: `${draw.stream} place` }, 2 * count);
  const noise = normal({ ...draw, stream: `${draw.stream} noise` }, 2 * count);
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const [x, y] = moon(u[2 * i], u[2 * i + 1] < 0.5);
    points[2 * i] = STRETCH[0] * (x + NOISE * noise[2 * i]);
    points[2 * i + 1] = STRETCH[1] * (y + NOISE * noise[2 * i + 1]);
  }
  return points;
}

/** The moons as a fine set of points with the noise around each. */
export function moons(count: number): Mixture {
  const centres = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const [x, y] = moon((i + 0.5) / count, i % 2 === 0);
    centres.set([STRETCH[0] * x, STRETCH[1] * y], 2 * i);
  }
  return { centres, width: WIDTH };
}

/** The point of a moon at u in [0, 1], before both are stretched. */
function moon(u: number, upper: boolean): [x: number, y: number] {
  const angle = Math.PI * u;
  const x = upper ? Math.cos(angle) : 1 - Math.cos(angle);
  const y = upper ? Math.sin(angle) : 0.5 - Math.sin(angle);
  // the moons' middle is (0.5, 0.25)
  return [x - 0.5, y - 0.25];
}
