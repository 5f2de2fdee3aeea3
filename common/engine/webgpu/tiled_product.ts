/**
 * The matrix product under every convolution and matrix multiplication, as a shader generator.
 *
 * C[row, column] = Σ over steps, Σ over depth of A[row, step, depth] · B[step, depth, column].
 * A plain product has one step; a convolution has one for each tap of its window, its weight
 * gradient one for each row of pixels. An operation says where its numbers lie, in WGSL:
 *
 *     fn stepRange(z: u32) -> vec2u                          first step and the one after the last
 *     fn startOfB(step: u32, z: u32) -> u32                  index of B[step, 0, 0]
 *     fn store(row: u32, column: u32, z: u32, value: vec4f)  four columns; must check both bounds
 *   and if A's depth is contiguous
 *     fn origin(row: u32, z: u32) -> vec3i                   whatever `startOfA` needs of a row
 *     fn startOfA(origin: vec3i, step: u32, z: u32) -> i32   index of A[row, step, 0], −1: zeros
 *   or if A's rows are
 *     fn startOfA(step: u32, depth: u32, z: u32) -> i32      index of A[0, step, depth], −1: zeros
 *
 * z counts independent products. Who does what is up to the tiles: `register_tiles.ts` suits
 * processors that are slow at loads (a CPU in the guise of a GPU), `shared_tiles.ts` a real GPU.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Dispatch, dispatch } from "./dispatch.ts";
import { registerTiles, registerTileSize } from "./register_tiles.ts";
import { SHARED_TILE, sharedTiles } from "./shared_tiles.ts";
import type { Contiguous, Window } from "./tiles.ts";

/** How a product is cut up: each thread a tile of its own, or workgroups with shared memory. */
export type Tiling = "registers" | "shared";

/** A product to run. */
export interface Product {
  name: string;
  rows: number;
  columns: number;
  depth: number;
  /** Number of independent products. */
  count: number;
  a: Operand;
  b: Operand;
  /** Only where A's depth is contiguous. */
  window?: Window;
  /** The WGSL functions above. */
  functions: string;
  /** Further inputs, the output, and the sizes that the functions read. */
  inputs?: Dispatch["inputs"];
  output: Dispatch["outputs"][string];
  sizes: Record<string, number>;
}

/** A factor of the product. */
export interface Operand {
  tensor: tf.TensorInfo;
  /** Neighbours in memory: numbers of neighbouring depth, or of neighbouring rows (columns). */
  contiguous: Contiguous;
  /** Length of a contiguous run that starts on a multiple of it: may be read four at a time if 4 divides it. */
  run: number;
}

/** Rows or columns of a tile when the product has this many. */
export function tileSize(size: number, tiling: Tiling): number {
  return tiling === "shared" ? SHARED_TILE : registerTileSize(size);
}

/** The shaders so far, by what they were generated from: generating one takes a while. */
const generated = new Map<string, string>();

/** Runs the product in one dispatch. */
export function runProduct(product: Product, tiling: Tiling): void {
  const { name, rows, columns, depth, count, a, b, window } = product;
  const tiles = tiling === "shared" ? sharedTiles : registerTiles;
  const shape = {
    ...{ rows, columns, depth, count },
    ...{ aContiguous: a.contiguous, bContiguous: b.contiguous, window },
  };
  const [quadsA, quadsB] = [a.run % 4 === 0, b.run % 4 === 0];
  const tile = `${tileSize(rows, tiling)}x${tileSize(columns, tiling)}`;
  const layout = [a.contiguous, b.contiguous, quadsA, quadsB, window?.taps, window?.run];
  const key = [tiling, tile, ...layout, product.functions].join();
  let code = generated.get(key);
  if (code === undefined) {
    code = loader("A", quadsA) + loader("B", quadsB) + product.functions + tiles.entryPoint(shape);
    generated.set(key, code);
  }
  dispatch({
    name,
    code,
    inputs: {
      A: { tensor: a.tensor, vec4: quadsA },
      B: { tensor: b.tensor, vec4: quadsB },
      ...product.inputs,
    },
    outputs: { C: product.output },
    sizes: { rows, columns, depth, ...product.sizes },
    workgroups: tiles.workgroups(shape),
  });
}

/** Four neighbours from an index on; those from `count` on lie beyond the run and read as 0. */
function loader(name: string, quads: boolean): string {
  const single = (i: number) => `select(0.0, ${name}[index + ${i}u], count > ${i}u)`;
  return quads
    ? `fn load${name}(index: u32, count: u32) -> vec4f { return ${name}[index / 4u]; }\n`
    : `fn load${name}(index: u32, count: u32) -> vec4f {
  return vec4f(${[0, 1, 2, 3].map(single).join(", ")});
}\n`;
}
