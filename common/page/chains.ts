/**
 * Reads figures.safetensors, the numbers behind a run's figures.
 *
 * @module
 */
import { decodeSafetensors, type HostTensor } from "../files/safetensors.ts";
import { evenly } from "../plot/evenly.ts";
import { readBytes } from "../files/reading.ts";
import { UserError } from "../user_error.ts";
import { packed, packedCoarsely, packedPixels } from "./packed.ts";
import type { FlowWays, GuidanceData, ImageChains, PointChains, RunData } from "./run_data.ts";

/** Bytes that the chains may take. */
const ROOM = 1_800_000;
/** Bytes that the images of all labels and strengths may take. */
const GUIDANCE_ROOM = 900_000;

/** The parts of a page that come from this file. */
export type Figures = Pick<
  RunData,
  "alphaBar" | "perT" | "points" | "flows" | "images" | "guidance"
>;

/**
 * Reads the parts that are there, cut down to what fits into a page: fewer points, or fewer moments of
 * fewer images.
 *
 * @throws {UserError} It is not a sound file, or its tensors don't fit together.
 */
export async function readFigures(path: string): Promise<Figures> {
  const { tensors } = decodeSafetensors(await readBytes(path), path);
  const wrong = (what: string) => new UserError(`${path}: ${what}; the run writes them otherwise`);
  const [t, value] = [tensors.get("perT.t"), tensors.get("perT.value")];
  if (t && value && (t.shape.length !== 1 || `${t.shape}` !== `${value.shape}`)) {
    throw wrong(`perT.t is [${t.shape}] and perT.value [${value.shape}]`);
  }
  const alphaBar = tensors.get("schedule.alphaBar");
  if (alphaBar?.data.some((value) => value < 0 || value > 1)) {
    throw wrong("schedule.alphaBar is not all in 0 to 1");
  }
  return {
    alphaBar: alphaBar && packed(alphaBar.data),
    perT: t && value && { t: Array.from(t.data), value: Array.from(value.data) },
    points: pointChains(tensors, wrong),
    flows: flowWays(tensors, wrong),
    images: imageChains(tensors, wrong),
    guidance: guidanceImages(tensors, wrong),
  };
}

type Tensors = Map<string, HostTensor>;
type Wrong = (what: string) => UserError;

function pointChains(tensors: Tensors, wrong: Wrong): PointChains | undefined {
  const chains = ["forward", "reverse", "mean"].map((name) => tensors.get(name));
  if (!chains.every((chain) => chain !== undefined)) return undefined;
  const [{ shape }] = chains;
  const isSound = shape.length === 3 && shape[0] > 1 && shape[1] > 0 && shape[2] === 2 &&
    chains.every((chain) => `${chain.shape}` === `${shape}`);
  if (!isSound) {
    const shapes = chains.map((chain) => `[${chain.shape}]`).join(", ");
    throw wrong(`forward, reverse and mean are ${shapes}, not [T+1, N, 2]`);
  }
  const [times, N] = shape;
  const kept = Math.max(1, Math.min(N, Math.floor(ROOM / (3 * times * 2 * 2))));
  const [forward, reverse, mean] = chains.map(({ data }) => firstPoints(data, { times, N, kept }));
  return {
    forward: packedCoarsely(forward, [times, kept, 2]),
    reverse: packedCoarsely(reverse, [times, kept, 2]),
    mean: packedCoarsely(mean, [times, kept, 2]),
    reach: 1.05 * Math.max(reachOf(forward), reachOf(reverse)),
  };
}

/** `flow.{k}` and `flow.{k}.{S}`: the ways of flow k by S steps, the first by the most. */
function flowWays(tensors: Tensors, wrong: Wrong): FlowWays | undefined {
  const whole = [...tensors.keys()].filter((name) => /^flow\.\d$/.test(name)).sort();
  if (whole.length === 0) return undefined;
  const stepsOf = (flow: string) =>
    [...tensors.keys()].filter((name) => name.startsWith(`${flow}.`))
      .map((name) => Number(name.slice(flow.length + 1))).sort((a, b) => a - b);
  const fewer = stepsOf(whole[0]);
  const all = whole.map((flow) => [...fewer.map((S) => `${flow}.${S}`), flow]);
  const [most, N] = tensors.get(whole[0])!.shape;
  const steps = [...fewer, most - 1];
  const isSound = N > 0 && steps.every((S) => S >= 1) &&
    all.every((names) =>
      names.every((name, i) => `${tensors.get(name)?.shape}` === `${[steps[i] + 1, N, 2]}`)
    );
  if (!isSound) throw wrong("flow.{k}.{S} are not [S+1, N, 2] for the same S and N");
  const moments = whole.length * steps.reduce((sum, S) => sum + S + 1, 0);
  const kept = Math.max(1, Math.min(N, Math.floor(ROOM / (moments * 2 * 2))));
  const ways = all.map((names) =>
    names.map((name) => {
      const { shape: [times], data } = tensors.get(name)!;
      return packedCoarsely(firstPoints(data, { times, N, kept }), [times, kept, 2]);
    })
  );
  const reach = 1.05 * Math.max(...whole.map((name) => reachOf(tensors.get(name)!.data)));
  return { steps, ways, reach };
}

/** The first points of all at each time, [times·kept·2]. */
function firstPoints(
  data: HostTensor["data"],
  { times, N, kept }: { times: number; N: number; kept: number },
): Float32Array {
  const cut = new Float32Array(times * kept * 2);
  for (let t = 0; t < times; t++) {
    cut.set(data.subarray(t * N * 2, (t * N + kept) * 2), t * kept * 2);
  }
  return cut;
}

/** The bound that all but two in a thousand coordinates are within. */
function reachOf(points: HostTensor["data"]): number {
  const sizes = Float32Array.from(points, Math.abs).sort();
  return sizes[Math.floor(0.998 * (sizes.length - 1))] || 1;
}

function imageChains(tensors: Tensors, wrong: Wrong): ImageChains | undefined {
  const [t, xt, x0Hat] = ["t", "xt", "x0Hat"].map((name) => tensors.get(name));
  if (!t || !xt || !x0Hat) return undefined;
  const isSound = xt.shape.length === 5 && `${xt.shape}` === `${x0Hat.shape}` &&
    t.data.length === xt.shape[0] && xt.shape.every((side) => side > 0) &&
    [1, 3].includes(xt.shape[4]);
  if (!isSound) {
    throw wrong(
      `t, xt and x0Hat are [${t.shape}], [${xt.shape}] and [${x0Hat.shape}], not [K] and twice ` +
        "[K, N, H, W, C]",
    );
  }
  const [K, N, H, W, C] = xt.shape;
  const size = H * W * C;
  const images = Math.max(1, Math.min(N, Math.floor(ROOM / (2 * 2 * size))));
  const moments = Math.min(K, Math.max(2, Math.floor(ROOM / (2 * images * size))));
  const kept = evenly(K, moments);
  const [keptXt, keptX0Hat] = [xt, x0Hat].map(({ data }) => {
    const cut = new Float32Array(kept.length * images * size);
    kept.forEach((k, i) =>
      cut.set(data.subarray(k * N * size, (k * N + images) * size), i * images * size)
    );
    return packedPixels(cut, [kept.length, images, H, W, C]);
  });
  return { t: kept.map((k) => t.data[k]), xt: keptXt, x0Hat: keptX0Hat };
}

/** As many images of each label and strength as there is room for; none where one is too many. */
function guidanceImages(tensors: Tensors, wrong: Wrong): GuidanceData | undefined {
  const [w, images] = ["guidance.w", "guidance.images"].map((name) => tensors.get(name));
  if (!w || !images) return undefined;
  const isSound = w.shape.length === 1 && images.shape.length === 6 &&
    images.shape[0] === w.shape[0] && images.shape.every((side) => side > 0) &&
    [1, 3].includes(images.shape[5]);
  if (!isSound) {
    throw wrong(
      `guidance.w and guidance.images are [${w.shape}] and [${images.shape}], not [S] and ` +
        "[S, classes, N, H, W, C]",
    );
  }
  const [S, classes, N, H, W, C] = images.shape;
  const size = H * W * C;
  const kept = Math.min(N, Math.floor(GUIDANCE_ROOM / (S * classes * size)));
  if (kept === 0) return undefined;
  const cut = new Float32Array(S * classes * kept * size);
  for (let i = 0; i < S * classes; i++) {
    cut.set(images.data.subarray(i * N * size, (i * N + kept) * size), i * kept * size);
  }
  return { w: Array.from(w.data), images: packedPixels(cut, [S * classes, kept, H, W, C]) };
}
