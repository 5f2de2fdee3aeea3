/**
 * The input and the output of a generator of tiles: the types between `tiled_product.ts` and the two
 * ways to cut a product up.
 *
 * @module
 */

/** How the numbers of a factor lie: which neighbours are next to each other in memory. */
export type Contiguous = "depth" | "outer";

/** A way to cut products up: WGSL for the entry point, and how many workgroups of it. */
export interface Tiles {
  entryPoint(shape: TileShape): string;
  workgroups(shape: TileShape): [number, number, number];
}

/**
 * What a convolution's rows share: steps come in runs of `taps`, and what a row reads at one tap the
 * row before it reads at the next, within each `run` of rows (the pixels of an image's row).
 */
export interface Window {
  taps: number;
  run: number;
}

/** The sizes of a product, and how its factors lie. */
export interface TileShape {
  rows: number;
  columns: number;
  depth: number;
  count: number;
  aContiguous: Contiguous;
  bContiguous: Contiguous;
  window?: Window;
}
