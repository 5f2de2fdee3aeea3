import type { Packed } from "../packed.ts";
import { unpack } from "./unpack.ts";

/** A place in the plane. */
export interface Place {
  x: number;
  y: number;
}

/** N points at t = 0..T. */
export class PointChain {
  readonly T: number;
  readonly N: number;
  readonly #numbers: Float32Array;

  constructor(packed: Packed);
  constructor(numbers: Float32Array, shape: [times: number, N: number]);
  constructor(content: Packed | Float32Array, shape?: [times: number, N: number]) {
    const isPacked = !(content instanceof Float32Array);
    const [times, N] = isPacked ? content.shape : shape!;
    this.T = times - 1;
    this.N = N;
    this.#numbers = isPacked ? unpack(content) : content;
  }

  /** Where a point is at t. */
  at(point: number, t: number): Place {
    const i = 2 * (t * this.N + point);
    return { x: this.#numbers[i], y: this.#numbers[i + 1] };
  }

  /** The point nearest to a place at t, if one is within a distance. */
  nearest(place: Place, t: number, within: number): number | undefined {
    let found: number | undefined;
    let least = within;
    for (let point = 0; point < this.N; point++) {
      const { x, y } = this.at(point, t);
      const distance = Math.hypot(x - place.x, y - place.y);
      if (distance >= least) continue;
      least = distance;
      found = point;
    }
    return found;
  }
}
