/**
 * Two half moons that reach into each other.
 *
 * @module
 */
import { type Draw, normal, uniform } from "../../random.ts";

const NOISE = 0.05;

/** Points of the moons with a little noise, about as wide as N(0, I); [count·2]. */
export function sampleMoons(draw: Draw, count: number): Float32Array {
  const u = uniform({ ...draw, stream: `${draw.stream} place` }, 2 * count);
  const noise = normal({ ...draw, stream: `${draw.stream} noise` }, 2 * count);
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const angle = Math.PI * u[2 * i];
    const upper = u[2 * i + 1] < 0.5;
    const x = upper ? Math.cos(angle) : 1 - Math.cos(angle);
    const y = upper ? Math.sin(angle) : 0.5 - Math.sin(angle);
    // the moons' middle is (0.5, 0.25); stretched to about unit width
    points[2 * i] = 1.15 * (x - 0.5 + NOISE * noise[2 * i]);
    points[2 * i + 1] = 2 * (y - 0.25 + NOISE * noise[2 * i + 1]);
  }
  return points;
}
