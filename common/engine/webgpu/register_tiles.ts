/**
 * A tiled product in which every invocation works alone, on a tile of up to 16x16 numbers in
 * registers: for each step of depth it loads 16 numbers of A and 16 of B and does 256 multiplications.
 *
 * Where neighbouring rows read the same numbers at neighbouring steps (a convolution's pixels), these
 * are loaded once: 18 instead of 48 for 16 pixels and the three taps of a row of the window.
 *
 * On a software adapter such as llvmpipe an invocation is a lane of a CPU's vector unit, a load
 * costs as much as about ten multiplications, and shared memory is no faster than any other.
 *
 * @module
 */
import type { Tiles, TileShape, Window } from "./tiles.ts";

/** One vector of a CPU with AVX2. */
const WORKGROUP = 8;

/** A tile for each invocation. */
export const registerTiles: Tiles = {
  entryPoint: (shape) =>
    entryPoint(registerTileSize(shape.rows), registerTileSize(shape.columns), shape),
  workgroups: ({ rows, columns, count }) => {
    const down = Math.ceil(rows / registerTileSize(rows));
    const across = Math.ceil(columns / registerTileSize(columns));
    return [Math.ceil(down * across / WORKGROUP), 1, count];
  },
};

/** Rows or columns of a tile: no more than the product needs. */
export function registerTileSize(size: number): number {
  return size <= 4 ? 4 : size <= 8 ? 8 : 16;
}

function entryPoint(tileRows: number, tileColumns: number, shape: TileShape): string {
  const rows = range(tileRows);
  const quads = range(tileColumns / 4); // four columns each
  const perRow = (line: (m: number) => string) => rows.map((m) => `  ${line(m)}\n`).join("");
  const ofDepth = shape.aContiguous === "depth";
  const window = windowOf(tileRows, shape);
  const taps = range(window.taps);
  return `
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let z = id.z;
  let tilesInRow = (p.columns + ${tileColumns - 1}u) / ${tileColumns}u;
  let row = (id.x / tilesInRow) * ${tileRows}u;
  let column = (id.x % tilesInRow) * ${tileColumns}u;
  if (row >= p.rows) { return; }
${perRow((m) => quads.map((n) => `var c${m}_${n} = vec4f();`).join(" "))}
${ofDepth ? perRow((m) => `let origin${m} = origin(row + ${m}u, z);`) : ""}
  let steps = stepRange(z);
  for (var step = steps.x; step < steps.y; step += ${window.taps}u) {
${ofDepth ? startsOfA(window, tileRows) : ""}
    for (var k = 0u; k < p.depth; k += ${depthPerTurn(shape)}u) {
${ofDepth ? loadWindow(window, tileRows) : loadRows(rows, shape)}
${
    taps.map((tap) =>
      `      {
      let startB = startOfB(step + ${tap}u, z);
${loadB(tileColumns, shape)}${multiply(rows, quads, shape, window, tap)}      }\n`
    ).join("")
  }    }
  }
${
    perRow((m) =>
      quads.map((n) => `store(row + ${m}u, column + ${4 * n}u, z, c${m}_${n});`).join(" ")
    )
  }}
`;
}

/** The product's window where the tile holds whole runs of rows, or lies within one. */
function windowOf(tileRows: number, { window }: TileShape): Window {
  const fits = window && (tileRows % window.run === 0 || window.run % tileRows === 0);
  return fits ? { ...window, run: Math.min(window.run, tileRows) } : { taps: 1, run: tileRows };
}

/** The positions that a tile's rows read at any tap, each with a row and a tap that read it. */
function positions(
  { taps, run }: Window,
  tileRows: number,
): { m: number; tap: number; at: string }[] {
  return range(tileRows).flatMap((m) => {
    const tapsOfItsOwn = m % run === run - 1 ? taps : 1; // the next row has the others
    return range(tapsOfItsOwn).map((tap) => ({ m, tap, at: positionOf(m, tap, run) }));
  });
}

/** Names start<position>. */
function startsOfA(window: Window, tileRows: number): string {
  return positions(window, tileRows).map(({ m, tap, at }) =>
    `    let start${at} = startOfA(origin${m}, step + ${tap}u, z);\n`
  ).join("");
}

/** Names a<position>, four of depth in one. */
function loadWindow(window: Window, tileRows: number): string {
  return positions(window, tileRows).map(({ at }) =>
    `      let a${at} = ` +
    `select(vec4f(), loadA(u32(max(start${at}, 0)) + k, p.depth - k), start${at} >= 0);\n`
  ).join("");
}

/** What row m reads at a tap: the number of its run, and how far along. */
function positionOf(m: number, tap: number, run: number): string {
  return `${Math.floor(m / run)}_${m % run + tap}`;
}

/** Four steps of depth in each round of the loop where an operand's depth is read four at a time. */
function depthPerTurn({ aContiguous, bContiguous }: TileShape): number {
  return aContiguous === "depth" || bContiguous === "depth" ? 4 : 1;
}

/** Names a<depth>_<quad of rows>. */
function loadRows(rows: number[], shape: TileShape): string {
  return range(depthPerTurn(shape)).map((q) => {
    const loads = range(rows.length / 4).map((m) =>
      `      let a${q}_${m} = select(vec4f(), ` +
      `loadA(start_${q} + row + ${4 * m}u, p.rows - row - ${4 * m}u), at${q} >= 0);\n`
    );
    return `      let at${q} = startOfA(step, k + ${q}u, z);\n` +
      `      let start_${q} = u32(max(at${q}, 0));\n` + loads.join("");
  }).join("");
}

/** Names b<depth>_<quad of columns>. */
function loadB(tileColumns: number, shape: TileShape): string {
  const quads = range(tileColumns / 4);
  if (shape.bContiguous === "outer") {
    return range(depthPerTurn(shape)).flatMap((q) =>
      quads.map((n) =>
        `      let b${q}_${n} = loadB(startB + (k + ${q}u) * p.strideB + column + ${4 * n}u, ` +
        `p.columns - column - ${4 * n}u);\n`
      )
    ).join("");
  }
  const columns = range(tileColumns).map((n) =>
    `      let column${n} = loadB(startB + (column + ${n}u) * p.strideB + k, p.depth - k);\n`
  );
  const transposed = range(4).flatMap((q) =>
    quads.map((n) => {
      const parts = range(4).map((i) => `column${4 * n + i}[${q}]`).join(", ");
      return `      let b${q}_${n} = vec4f(${parts});\n`;
    })
  );
  return [...columns, ...transposed].join("");
}

function multiply(
  rows: number[],
  quads: number[],
  shape: TileShape,
  { run }: Window,
  tap: number,
): string {
  const a = (m: number, q: number) =>
    shape.aContiguous === "depth"
      ? `a${positionOf(m, tap, run)}[${q}]`
      : `a${q}_${Math.floor(m / 4)}[${m % 4}]`;
  return rows.flatMap((m) =>
    quads.map((n) => {
      const sum = range(depthPerTurn(shape)).reduce(
        (inner, q) => `fma(vec4f(${a(m, q)}), b${q}_${n}, ${inner})`,
        `c${m}_${n}`,
      );
      return `      c${m}_${n} = ${sum};\n`;
    })
  ).join("");
}

function range(count: number): number[] {
  return [...Array(count).keys()];
}
