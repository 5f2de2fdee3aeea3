/**
 * What a run of paper 5 leaves behind: the images that different denoisers draw from the same noises, the
 * training images nearest to them, and how well each denoiser foretells the network's. It knows nothing
 * of the denoisers but how their chains run.
 *
 * @module
 */
import type { ImageSet } from "../data/images/image_set.ts";
import { encodeSafetensors } from "../files/safetensors.ts";
import { labelledRows } from "../plot/labelled_rows.ts";
import type { ChainPoint, ImageShape } from "../reverse_process.ts";
import type { RunFolder } from "../run/folder.ts";
import { Progress } from "../run/progress.ts";
import type { Conclusion } from "../run/training_run.ts";
import { type ChainRecord, recordChain } from "./draw_images.ts";
import { median, rSquared } from "./metrics/r_squared.ts";
import { nearestImages } from "./nearest_images.ts";

/** What is compared: chains from the same noises. */
export interface Invention {
  /** Where the files go. */
  folder: RunFolder;
  /** What the denoisers know, or were trained on. */
  images: ImageSet;
  /** Starts the chain of the perfect denoiser. */
  perfect: () => Iterable<ChainPoint>;
  /** Starts that of the local one. */
  ls: () => Iterable<ChainPoint>;
  /** Starts that of the one which also forgets where a patch was. */
  els: () => Iterable<ChainPoint>;
  /** Starts that of the trained network. */
  network: () => Iterable<ChainPoint>;
  /** Steps of the chains. */
  length: number;
  /** Of the chains' images. */
  shape: ImageShape;
}

const DENOISERS = ["perfect", "ls", "els", "network"] as const;
type DenoiserName = typeof DENOISERS[number];

/** Their names in the figure. */
const LABELS = { perfect: "perfect denoiser", ls: "local, LS", els: "local anywhere, ELS" };

/** Images in a row of the figure. */
const SHOWN = 16;

/** The images of every denoiser, [N, H, W, C] each, and how far they are from the training set. */
interface Drawn {
  noise: Float32Array;
  samples: Map<DenoiserName, Float32Array>;
  distance: Map<DenoiserName, Float32Array>;
  /** The training images nearest to those of the network. */
  nearest: Float32Array;
  /** How many images there are of each. */
  count: number;
  /** The t from which on the perfect denoiser's expected image stays next to the same one, [N]. */
  decided: number[];
}

/**
 * Walks all chains, and writes paper5_invention.png and samples.safetensors.
 */
export async function reportInvention(run: Invention): Promise<Conclusion> {
  const { folder, shape } = run;
  const drawn = await draw(run);
  await folder.write("paper5_invention.png", await figure(run, drawn));
  const tensors = [["noise", drawn.noise] as const, ...drawn.samples];
  const all = [...tensors, ["nearest", drawn.nearest] as const];
  const file = new Map(all.map(([name, data]) => [name, { shape, data }]));
  await folder.write("samples.safetensors", encodeSafetensors(file));
  return conclusion(drawn);
}

async function draw(run: Invention): Promise<Drawn> {
  const samples = new Map<DenoiserName, Float32Array>();
  const distance = new Map<DenoiserName, Float32Array>();
  let noise = new Float32Array();
  let decided: number[] = [];
  let nearest = new Float32Array();
  for (const name of DENOISERS) {
    const started = performance.now();
    const record = await recordChain(underBar(run[name](), run.length, name), run.length, Infinity);
    run.folder.addSeconds(name, (performance.now() - started) / 1000);
    const ends = record.xt.at(-1)!;
    const found = await nearestImages(ends, run.images);
    samples.set(name, ends);
    distance.set(name, found.distance);
    nearest = found.images as typeof nearest;
    if (name !== "perfect") continue;
    noise = record.xt[0] as typeof noise;
    decided = await decisionTimes(record, found.index, run.images);
  }
  return { noise, samples, distance, nearest, count: run.shape[0], decided };
}

/** A chain that shows how far it is. */
function* underBar(
  chain: Iterable<ChainPoint>,
  total: number,
  label: string,
): Generator<ChainPoint> {
  const progress = new Progress({ label: label.padEnd(7), total });
  let done = 0;
  for (const point of chain) {
    progress.update(done++);
    yield point;
  }
  progress.finish();
}

/** For each sample the earliest t from which on the nearest image of x̂₀ is that of the chain's end. */
async function decisionTimes(
  { t, x0Hat }: ChainRecord,
  last: Int32Array,
  images: ImageSet,
): Promise<number[]> {
  const decided = Array.from(last, () => 0);
  const open = new Set(last.keys());
  for (let at = t.length - 1; at >= 0 && open.size > 0; at--) {
    const { index } = await nearestImages(x0Hat[at], images);
    for (const k of open) {
      if (index[k] === last[k]) decided[k] = t[at];
      else open.delete(k);
    }
  }
  return decided;
}

/** A row for each denoiser, between the noise and the nearest training images. */
async function figure({ shape }: Invention, drawn: Drawn): Promise<Uint8Array> {
  const [N, height, width, channels] = shape;
  const columns = Math.min(SHOWN, N);
  const row = (label: string[], images: Float32Array) => ({
    label,
    images: images.subarray(0, columns * height * width * channels),
  });
  const rows = [row(["noise"], drawn.noise)];
  for (const [name, images] of drawn.samples) {
    if (name === "network") rows.push(row(["network"], images));
    else {
      const r2 = `r² = ${median(eachRSquared(drawn, name)!).toFixed(2)}`;
      rows.push(row([LABELS[name], r2], images));
    }
  }
  rows.push(row(["training images", "nearest to the network's"], drawn.nearest));
  return await labelledRows({ height, width, channels, columns, rows });
}

/** r² of each sample: how much of the network's image a denoiser foretells. */
function eachRSquared({ samples, count }: Drawn, name: DenoiserName): number[] | undefined {
  if (name === "network") return undefined;
  const [own, network] = [samples.get(name)!, samples.get("network")!];
  const size = network.length / count;
  const one = (images: Float32Array, k: number) => images.subarray(k * size, (k + 1) * size);
  return Array.from({ length: count }, (_, k) => rSquared(one(own, k), one(network, k)));
}

function conclusion(drawn: Drawn): Conclusion {
  const { decided } = drawn;
  const per = (of: (name: DenoiserName) => unknown) =>
    Object.fromEntries([...drawn.samples.keys()].map((name) => [name, of(name)]));
  const distance = per((name) => median(drawn.distance.get(name)!));
  const largest = Math.max(...drawn.distance.get("perfect")!);
  const r2 = per((name) => {
    const each = eachRSquared(drawn, name);
    return each && { median: median(each), each };
  });
  const lines = [
    `the perfect denoiser ends at most ${largest.toFixed(4)} from a training image; half of its ` +
    `chains had decided by t = ${median(decided)}`,
    ...[...drawn.samples.keys()].map((name) => {
      const fit = r2[name] as { median: number } | undefined;
      return `${name.padEnd(7)}  nearest training image ${
        (distance[name] as number).toFixed(2)
      } away` +
        (fit ? `, foretells the network's image with r² = ${fit.median.toFixed(2)}` : "") +
        " (medians)";
    }),
  ];
  return { results: { distance, largestDistanceOfPerfect: largest, decided, r2 }, lines };
}
