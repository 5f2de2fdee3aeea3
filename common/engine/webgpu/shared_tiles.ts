/**
 * A tiled product in which a workgroup of 16x16 invocations shares a tile of 64x64 numbers: for every
 * 16 steps of depth it brings a piece of A and a piece of B into shared memory, from where each
 * invocation multiplies them into the 4x4 numbers that it keeps in registers.
 *
 * Every number is fetched from the device's memory once for 64 multiplications, neighbours by
 * neighbouring invocations: what a GPU likes.
 *
 * @module
 */
import type { Tiles, TileShape } from "./tiles.ts";

/** Rows and columns of a workgroup's tile. */
export const SHARED_TILE = 64;
const DEPTH = 16;
/** From one depth to the next in shared memory: no two invocations write to the same bank. */
const PITCH = SHARED_TILE + 2;

/** A tile for each workgroup of 256 invocations and 8 KiB of shared memory: all devices have that. */
export const sharedTiles: Tiles = {
  entryPoint,
  workgroups: ({ rows, columns, count }) => [
    Math.ceil(rows / SHARED_TILE),
    Math.ceil(columns / SHARED_TILE),
    count,
  ],
};

function entryPoint(shape: TileShape): string {
  const ofDepth = shape.aContiguous === "depth";
  return `
var<workgroup> tileA: array<f32, ${DEPTH * PITCH}>; // [depth, row]
var<workgroup> tileB: array<f32, ${DEPTH * PITCH}>; // [depth, column]

fn four(start: u32) -> vec4u { return vec4u(start, start + 1u, start + 2u, start + 3u); }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let z = group.z;
  let row = group.x * ${SHARED_TILE}u;
  let column = group.y * ${SHARED_TILE}u;
  // its 4x4 numbers of the tile
  let rows = lane / 16u;
  let columns = lane % 16u;
  var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f();
  // the four neighbours that it fetches: of one row (column) when depth is contiguous, else of one depth
  let outer = lane / 4u;
  let inner = (lane % 4u) * 4u;
${ofDepth ? "  let originA = origin(row + outer, z);\n" : ""}
  let steps = stepRange(z);
  for (var step = steps.x; step < steps.y; step++) {
    let startB = startOfB(step, z);
${ofDepth ? "    let startA = startOfA(originA, step, z);\n" : ""}
    for (var k = 0u; k < p.depth; k += ${DEPTH}u) {
${fetchA(ofDepth)}
${fetchB(shape.bContiguous === "depth")}
      workgroupBarrier();
      for (var q = 0u; q < ${DEPTH}u; q++) {
        let atA = four(q * ${PITCH}u + 4u * rows);
        let atB = four(q * ${PITCH}u + 4u * columns);
        let a = vec4f(tileA[atA.x], tileA[atA.y], tileA[atA.z], tileA[atA.w]);
        let b = vec4f(tileB[atB.x], tileB[atB.y], tileB[atB.z], tileB[atB.w]);
        c0 = fma(vec4f(a.x), b, c0);
        c1 = fma(vec4f(a.y), b, c1);
        c2 = fma(vec4f(a.z), b, c2);
        c3 = fma(vec4f(a.w), b, c3);
      }
      workgroupBarrier();
    }
  }
  store(row + 4u * rows, column + 4u * columns, z, c0);
  store(row + 4u * rows + 1u, column + 4u * columns, z, c1);
  store(row + 4u * rows + 2u, column + 4u * columns, z, c2);
  store(row + 4u * rows + 3u, column + 4u * columns, z, c3);
}
`;
}

function fetchA(ofDepth: boolean): string {
  if (ofDepth) {
    return `      var a = vec4f();
      if (startA >= 0 && k + inner < p.depth) {
        a = loadA(u32(startA) + k + inner, p.depth - k - inner);
      }
${keepTransposed("tileA", "a")}`;
  }
  return `      var a = vec4f();
      if (k + rows < p.depth && row + 4u * columns < p.rows) {
        let startA = startOfA(step, k + rows, z);
        if (startA >= 0) {
          a = loadA(u32(startA) + row + 4u * columns, p.rows - row - 4u * columns);
        }
      }
${keepInOrder("tileA", "a")}`;
}

function fetchB(ofDepth: boolean): string {
  if (ofDepth) {
    return `      var b = vec4f();
      if (column + outer < p.columns && k + inner < p.depth) {
        b = loadB(startB + (column + outer) * p.strideB + k + inner, p.depth - k - inner);
      }
${keepTransposed("tileB", "b")}`;
  }
  return `      var b = vec4f();
      if (k + rows < p.depth && column + 4u * columns < p.columns) {
        b = loadB(startB + (k + rows) * p.strideB + column + 4u * columns, p.columns - column - 4u * columns);
      }
${keepInOrder("tileB", "b")}`;
}

/** Four neighbours in rows (columns) are copied to the tile. */
function keepInOrder(tile: string, value: string): string {
  return [0, 1, 2, 3].map((i) =>
    `      ${tile}[rows * ${PITCH}u + 4u * columns + ${i}u] = ${value}[${i}];`
  ).join("\n");
}

/** Four neighbours in depth are copied to four rows of the tile. */
function keepTransposed(tile: string, value: string): string {
  return [0, 1, 2, 3].map((q) =>
    `      ${tile}[(inner + ${q}u) * ${PITCH}u + outer] = ${value}[${q}];`
  ).join("\n");
}
