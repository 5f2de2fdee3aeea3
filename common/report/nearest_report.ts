/**
 * Whether a model copies: its samples beside the training images nearest to them, and how near these are
 * next to how near real images are that it has not seen.
 *
 * @module
 */
import { allImages, type ImageSet } from "../data/images/image_set.ts";
import { labelledRows } from "../plot/labelled_rows.ts";
import type { RunFolder } from "../run/folder.ts";
import { median } from "./metrics/r_squared.ts";
import { type Nearest, nearestImages } from "./nearest_images.ts";

/** What is kept in run.json. */
export interface NearestReport {
  /** Median distance of a sample from the training image nearest to it, over all its numbers. */
  nearestDistance: number;
  /** The same of real images that the model has not seen, where there are any. */
  nearestDistanceReal?: number;
  /** Share of the samples that lie closer to a training image than half of those do. */
  closerThanReal?: number;
  /** Its standard error. */
  closerThanRealError?: number;
}

/** Samples in a row of the figure. */
const SHOWN = 16;

/**
 * Measures, and writes nearest.png: the first samples and those nearest to a training image, each above it.
 *
 * @param samples [N, H, W, C] in [-1, 1].
 * @param train What the model was trained on.
 * @param unseen Images of the same kind that it was not trained on.
 */
export async function reportNearest(
  samples: Float32Array,
  { train, unseen, folder }: { train: ImageSet; unseen?: ImageSet; folder: RunFolder },
): Promise<{ results: NearestReport; lines: string[] }> {
  const ofSamples = await nearestImages(samples, train);
  await folder.write("nearest.png", await figure(samples, ofSamples, train));
  const distance = median(ofSamples.distance);
  if (!unseen) {
    const lines = [`nearest training image: ${distance.toFixed(2)} away (median)`];
    return { results: { nearestDistance: distance }, lines };
  }
  const ofReal = (await nearestImages(allImages(unseen), train)).distance;
  const { share, error } = closerShare(ofSamples.distance, ofReal);
  const real = median(ofReal);
  return {
    results: {
      nearestDistance: distance,
      nearestDistanceReal: real,
      closerThanReal: share,
      closerThanRealError: error,
    },
    lines: [
      `nearest training image: ${distance.toFixed(2)} away, of real unseen ones ${
        real.toFixed(2)
      } ` +
      `(medians); ${(100 * share).toFixed(1)} ± ${(100 * error).toFixed(1)} % of the samples lie ` +
      "closer to one than half of the real ones do",
    ],
  };
}

/** The share of distances that are below the median of others, and its standard error. */
export function closerShare(
  distances: Float32Array,
  ofOthers: Float32Array,
): { share: number; error: number } {
  const limit = median(ofOthers);
  const share = distances.filter((distance) => distance < limit).length / distances.length;
  // the median of the others is uncertain, too: by as much as the share of them that lies below a place
  const variance = share * (1 - share) / distances.length + 0.25 / ofOthers.length;
  return { share, error: Math.sqrt(variance) };
}

async function figure(
  samples: Float32Array,
  { distance, images }: Nearest,
  { height, width, channels }: ImageSet,
): Promise<Uint8Array> {
  const size = height * width * channels;
  const columns = Math.min(SHOWN, distance.length);
  const picked = (all: Float32Array, which: number[]) => {
    const row = new Float32Array(columns * size);
    which.forEach((k, i) => row.set(all.subarray(k * size, (k + 1) * size), i * size));
    return row;
  };
  const order = Array.from(distance.keys());
  const first = order.slice(0, columns);
  const closest = order.toSorted((a, b) => distance[a] - distance[b]).slice(0, columns);
  const rows = [
    { label: ["samples"], images: picked(samples, first) },
    { label: ["training images", "nearest to them"], images: picked(images, first) },
    { label: ["the samples that are", "nearest to any"], images: picked(samples, closest) },
    { label: ["training images", "nearest to them"], images: picked(images, closest) },
  ];
  return await labelledRows({ height, width, channels, columns, rows });
}
