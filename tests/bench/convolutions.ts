/**
 * How fast the WASM kernels convolve, by shape and form: forward, input gradient, weight gradient.
 *
 * Every form is counted with the operations of the direct one, 2·9·C·O for each output pixel. The
 * choice between the forms in `common/engine/wasm/convolutions.ts` rests on this table.
 *
 *     XDG_RUNTIME_DIR=/tmp deno run tests/bench/convolutions.ts [--threads 2] [--rounds 9] [--only 16x16]
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { parseArgs } from "@std/cli/parse-args";
import { gaussianNoise } from "../../common/engine/noise.ts";
import {
  convolve,
  convolveWeightGradient,
  type Form,
} from "../../common/engine/wasm/convolutions.ts";
import { startWasm } from "../../common/engine/wasm/start.ts";

/** Batch, height = width, channels in, channels out. */
const SHAPES = [
  [32, 16, 1, 16],
  [32, 16, 16, 1],
  [32, 16, 16, 16],
  [32, 16, 32, 16],
  [32, 16, 48, 16],
  [32, 16, 32, 32],
  [32, 8, 16, 32],
  [32, 8, 32, 32],
  [32, 8, 96, 32],
  [32, 8, 64, 64],
  [32, 4, 64, 64],
  [32, 4, 128, 64],
  [32, 2, 64, 64],
  [8, 32, 3, 32],
  [8, 32, 32, 32],
  [8, 32, 64, 64],
  [8, 8, 128, 128],
  [8, 4, 128, 128],
  [4, 32, 128, 128],
  [4, 16, 256, 256],
  [1, 32, 64, 64],
  [1, 8, 128, 128],
  [1, 4, 128, 128],
  [1, 8, 16, 16],
  [32, 3, 64, 64],
  [32, 5, 64, 64],
  [32, 6, 64, 64],
  [32, 7, 64, 64],
];

const { threads: count = "2", rounds = "9", only = "" } = parseArgs(Deno.args, {
  string: ["threads", "rounds", "only"],
});
const threads = await startWasm(Number(count));
console.log("B x HxW x C -> O, GFLOP/s: direct | winograd, best of the rounds");
console.log("shape".padEnd(24), ...["forward", "dx", "dw"].map((name) => name.padEnd(18)));
for (const [B, size, C, O] of SHAPES) {
  const name = `${B} x ${size}x${size} x ${C} -> ${O}`;
  if (!name.includes(only)) continue;
  const random = (stream: string, shape: number[]) => gaussianNoise({ seed: 0, stream }, shape);
  const x = random("x", [B, size, size, C]);
  const y = random("y", [B, size, size, O]);
  const w = random("w", [3, 3, C, O]);
  const bias = tf.zeros([O]);
  const stride = 1;
  const kinds: ((form: Form) => void)[] = [
    (form) => convolve(threads, x, w, y, { stride, transposed: false, bias, form }),
    (form) => convolve(threads, y, w, x, { stride, transposed: true, form }),
    (form) => convolveWeightGradient(threads, x, y, w, { stride, form }),
  ];
  const operations = 2 * 9 * B * size * size * C * O;
  const cells = kinds.map((run) => {
    const [direct, winograd] = best(run, operations);
    return `${direct.toFixed(1)} | ${winograd.toFixed(1)}`.padEnd(18);
  });
  console.log(name.padEnd(24), ...cells);
  tf.dispose([x, y, w, bias]);
}
Deno.exit(0);

/** GFLOP/s of the two forms in their best rounds, in turn: other processes cost both the same. */
function best(run: (form: Form) => void, operations: number): number[] {
  const forms: Form[] = ["direct", "winograd"];
  const repeats = Math.max(1, Math.round(2e8 / operations));
  const times: number[][] = [[], []];
  for (let round = 0; round <= Number(rounds); round++) {
    forms.forEach((form, i) => {
      const start = performance.now();
      for (let k = 0; k < repeats; k++) run(form);
      if (round > 0) times[i].push((performance.now() - start) / repeats);
    });
  }
  return times.map((of) => operations / 1e6 / Math.min(...of));
}
