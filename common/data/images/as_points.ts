/**
 * Images as points: a point has a coordinate for each number of its image.
 *
 * @module
 */
import { type Draw, integers } from "../../random.ts";
import { batch, type ImageSet } from "./image_set.ts";

/** A set of images to draw from, as {@linkcode PointData} is drawn from. */
export interface ImagePoints {
  /** SHA-256 of the images. */
  sha256?: string;
  /** Draws images, some flipped left to right where that is natural; [count·D] in [-1, 1]. */
  sample(draw: Draw, count: number): Float32Array;
}

/** A random image of the set, as often as asked for. */
export function asPoints(images: ImageSet): ImagePoints {
  return {
    sha256: images.sha256,
    sample: (draw, count) => {
      const chosen = (stream: string, of: number) =>
        integers({ ...draw, stream: `${draw.stream} ${stream}` }, count, 0, of);
      return batch(images, chosen("image", images.count), images.flips ? chosen("flip", 2) : []);
    },
  };
}
