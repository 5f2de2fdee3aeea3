/**
 * The WASM kernels for browsers without relaxed SIMD, which has the multiplication and addition in one:
 * the same sources, with the two apart. Compiled while the page is written.
 *
 * @module
 */
import activations from "../common/engine/wasm/kernels/activations.ts" with { type: "text" };
import adam from "../common/engine/wasm/kernels/adam.ts" with { type: "text" };
import conv2d from "../common/engine/wasm/kernels/conv2d.ts" with { type: "text" };
import dropout from "../common/engine/wasm/kernels/dropout.ts" with { type: "text" };
import groupNorm from "../common/engine/wasm/kernels/group_norm.ts" with { type: "text" };
import index from "../common/engine/wasm/kernels/index.ts" with { type: "text" };
import lanes from "../common/engine/wasm/kernels/lanes.ts" with { type: "text" };
import matMul from "../common/engine/wasm/kernels/mat_mul.ts" with { type: "text" };
import pixels from "../common/engine/wasm/kernels/pixels.ts" with { type: "text" };
import winograd from "../common/engine/wasm/kernels/winograd.ts" with { type: "text" };
import tiles from "../common/engine/wasm/kernels/winograd_tiles.ts" with { type: "text" };
import weights from "../common/engine/wasm/kernels/winograd_weight_gradient.ts" with {
  type: "text",
};
import config from "../deno.json" with { type: "json" };
import { readBytes } from "../common/files/reading.ts";
import { makeFolder, writeAtomically } from "../common/files/writing.ts";
import { UserError } from "../common/user_error.ts";

const SOURCES: Record<string, string> = {
  ...{ activations, adam, conv2d, dropout, index, lanes, pixels, winograd },
  group_norm: groupNorm,
  mat_mul: matMul,
  winograd_tiles: tiles,
  winograd_weight_gradient: weights,
};

/** What stands for the relaxed operations. */
const PLAIN = `
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  return f32x4.sub(c, f32x4.mul(a, b));
}
`;

/** A source file without relaxed operations. */
function plain(name: string, source: string): string {
  const replaced = source
    .replaceAll(/f32x4\.relaxed_(n?madd)\(/g, "$1(")
    .replaceAll(/f32x4\.relaxed_(min|max)\(/g, "f32x4.$1(");
  if (name === "lanes") return replaced + PLAIN;
  const used = ["madd", "nmadd"].filter((word) => new RegExp(`\\b${word}\\(`).test(replaced));
  return used.length ? `import { ${used.join(", ")} } from "./lanes";\n${replaced}` : replaced;
}

/**
 * Compiles them as `deno task kernels` does, but for what the browsers lack.
 *
 * @param folder A folder to work in; the caller removes it.
 * @throws {UserError} The compiler refused them; the message is its own (exit code 1).
 */
export async function plainKernels(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  await makeFolder(folder);
  for (const [name, source] of Object.entries(SOURCES)) {
    await writeAtomically(`${folder}/${name}.ts`, plain(name, source));
  }
  const built = `${folder}/kernels.wasm`;
  const words = config.tasks.kernels.replace(" --enable relaxed-simd", "")
    .replace("--allow-write=common/engine/wasm", `--allow-write=${folder}`)
    .replace("common/engine/wasm/kernels/index.ts", `${folder}/index.ts`)
    .replace("common/engine/wasm/kernels.wasm", built).split(" ").slice(1);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: words,
    env: { NO_COLOR: "1" },
  }).output();
  if (code === 0) return await readBytes(built);
  throw new UserError(`asc: ${new TextDecoder().decode(stderr).trim()}`, { exitCode: 1 });
}
