/**
 * What the animation script does around its films: reads a run's points, shows how far a chain is, and
 * writes the file.
 *
 * @module
 */
import { unusedPaths } from "../files/numbered.ts";
import { readBytes } from "../files/reading.ts";
import { writeAtomically } from "../files/writing.ts";
import { decodeSafetensors, type HostTensor } from "../files/safetensors.ts";
import type { ChainSheetOptions } from "../plot/chain_sheet.ts";
import { encodeFilm, ENDINGS, type Film, type Format } from "../plot/film/film.ts";
import type { ChainPoint } from "../reverse_process.ts";
import { inWords, Progress } from "../run/progress.ts";
import { UserError } from "../user_error.ts";

/** Bytes of a file that a web page still shows quickly. */
const LARGE = 2_000_000;

/** The same chain under a bar that shows how far it is. */
export function* withProgress(
  chain: Iterable<ChainPoint>,
  length: number,
): Generator<ChainPoint, void> {
  const progress = new Progress({ label: "sampling", total: length });
  let done = 0;
  for (const point of chain) {
    progress.update(done++);
    yield point;
  }
  progress.finish();
}

/**
 * The points that a run of points has left behind, at each moment, [N·2]: the reverse chain of paper1 for
 * each t from 0 to T, or a flow of paper4 from t = 0 to t = 1.
 *
 * @param tensor Its name in figures.safetensors.
 */
export async function readPoints(
  folder: string,
  script: "paper1" | "paper4",
  tensor: string,
): Promise<Float32Array[]> {
  const path = `${folder}/figures.safetensors`;
  const again = `run ${script} again: deno task ${script} --from ${folder}/run.json`;
  const bytes = await orAdvise(readBytes(path), again);
  const moments = decodeSafetensors(bytes, path).tensors.get(tensor);
  const [times, N, coordinates] = moments?.shape ?? [];
  const fits = moments?.data instanceof Float32Array && moments.shape.length === 3 &&
    times >= 2 && N >= 1 && coordinates === 2;
  if (!fits) {
    const found = moments ? `is [${moments.shape}]` : "is not there";
    throw new UserError(`${path}: the tensor ${tensor} ${found}, expected [T+1, N, 2]; ${again}`);
  }
  const points = moments.data as Float32Array;
  return Array.from({ length: times }, (_, t) => points.subarray(t * 2 * N, (t + 1) * 2 * N));
}

/**
 * The ways of the first images that a run of paper 4 has left behind, from t = 0 to t = 1.
 *
 * @throws {UserError} They are not there, or not of the form that a run writes.
 */
export async function readImageWays(folder: string): Promise<ChainSheetOptions> {
  const path = `${folder}/figures.safetensors`;
  const again = `run paper4 again: deno task paper4 --from ${folder}/run.json`;
  const { tensors } = decodeSafetensors(await orAdvise(readBytes(path), again), path);
  const [t, xt, x0Hat] = ["t", "xt", "x0Hat"].map((name) => tensors.get(name));
  const [K, count, height, width, channels] = xt?.shape ?? [];
  const fits = [t, xt, x0Hat].every((tensor) => tensor?.data instanceof Float32Array) &&
    xt!.shape.length === 5 && xt!.shape.every((side) => side > 0) && K >= 2 &&
    `${x0Hat!.shape}` === `${xt!.shape}` && t!.data.length === K;
  if (!fits) {
    const found = [t, xt, x0Hat].map((tensor) => tensor ? `[${tensor.shape}]` : "missing");
    throw new UserError(
      `${path}: t, xt and x0Hat are ${found.join(", ")}, expected [K] and twice [K, N, H, W, C]; ` +
        again,
    );
  }
  const size = count * height * width * channels;
  const moments = ({ data }: HostTensor) =>
    Array.from({ length: K }, (_, k) => data.subarray(k * size, (k + 1) * size) as Float32Array);
  return {
    ...{ count, height, width, channels },
    t: Array.from(t!.data, (t) => +t.toFixed(2)),
    xt: moments(xt!),
    x0Hat: moments(x0Hat!),
    names: ["xₜ", "x̂₁"],
  };
}

/** Writes a film's file, beside an earlier one of that name, and says what it is. */
export async function writeFilm(
  film: Film,
  { folder, name, format, started }: {
    folder: string;
    name: string;
    format: Format;
    started: number;
  },
): Promise<void> {
  const { bytes, colours } = encodeFilm(film, format, LARGE);
  const [path] = await unusedPaths(folder, [name + ENDINGS[format]]);
  await writeAtomically(path, bytes);
  const { delays, width, height } = film;
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${path}: ${delays.length} frames of ${width}x${height} pixels` +
      `${colours ? `, ${colours} colours` : ""}, ${(bytes.length / 1e6).toFixed(2)} MB, ` +
      `in ${inWords(seconds)}`,
  );
  if (bytes.length > LARGE) {
    console.log("that is much for a web page; fewer --frames or --samples make it smaller");
  }
}

/** Waits for a file that is being read; adds the advice to the error if it is missing. */
export async function orAdvise<R>(reading: Promise<R>, advice: string): Promise<R> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof UserError && error.cause instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`${error.message}; ${advice}`, { cause: error });
  }
}
