/**
 * The data sets by name.
 *
 * @module
 */
import { sha256 } from "../../files/sha256.ts";
import { UserError } from "../../user_error.ts";
import { readCifar10Folder } from "./cifar10.ts";
import { ADDRESSES, download, type RemoteFile } from "./download.ts";
import { fitToSize, type Images } from "./geometry.ts";
import { readIdxFolder } from "./idx.ts";
import type { ImageSet } from "./image_set.ts";
import { embeddedMnist } from "./mnist.ts";
import { type Labelled, readPngFolder, readPngFolders } from "./png_folder.ts";

/**
 * `mnist` comes with the program; `mnist-full`, `fashion-mnist` and `cifar10` are the data sets' own
 * files, from a folder or downloaded; `images` is a folder of PNG files, or of folders of them.
 */
export const DATASETS = ["mnist", "mnist-full", "fashion-mnist", "cifar10", "images"] as const;
/** A data set's name on the command line. */
export type DatasetName = typeof DATASETS[number];

/** Whether its images are the ten digits, with labels. */
export function hasDigits(dataset: DatasetName): boolean {
  return dataset === "mnist" || dataset === "mnist-full";
}

/** The names of the classes of the data sets that say them themselves. */
const CLASSES: Partial<Record<DatasetName, string[]>> = {
  "mnist": Array.from("0123456789"),
  "mnist-full": Array.from("0123456789"),
  "fashion-mnist": [
    ...["t-shirt", "trouser", "pullover", "dress", "coat"],
    ...["sandal", "shirt", "sneaker", "bag", "ankle-boot"],
  ],
  "cifar10": [
    ...["airplane", "automobile", "bird", "cat", "deer"],
    ...["dog", "frog", "horse", "ship", "truck"],
  ],
};

const LARGEST_SIZE = 512;

/** What to load. */
export interface LoadOptions {
  /** One of {@linkcode DATASETS}. */
  dataset: DatasetName;
  /** Height and width that the images are brought to, 1 to 512. */
  size: number;
  /** The half to train on, or the one held out for measuring. `images` has only the first. */
  split: "train" | "test";
  /** The folder with the data set's files. */
  dataDir?: string;
  /**
   * Whether every image must have a label. For `images` the folder then has a folder for each class.
   * Default: false.
   */
  labelled?: boolean;
  /** Fetches the files into the cache if they are not there yet. */
  download?: boolean;
  /** Where downloads are kept, a folder for each data set. Default: `runs/.data`. */
  cacheDir?: string;
  /** Gets a line for each file that is downloaded. Default: stderr. */
  log?: (line: string) => void;
  /** Where downloads come from. Default: the data sets' public addresses. */
  addresses?: Record<string, RemoteFile[]>;
}

/**
 * Loads one half of a data set and brings it to size×size as {@linkcode fitToSize} says: 28×28
 * becomes 32×32 by a frame and 16×16 by area averaging; photographs are always scaled.
 *
 * Without `dataDir`, `mnist-full`, `fashion-mnist` and `cifar10` are taken from the cache.
 *
 * @throws {UserError} The options don't go together, a permission is missing, or a file is missing or
 * damaged: one line that names it, what was found and what was expected. There are no labels where they
 * are needed.
 */
export async function loadImages(options: LoadOptions): Promise<ImageSet> {
  const { dataset, size, labelled = false } = options;
  checkOptions(options);
  const images = await readImages(options);
  if (labelled && !images.labels) {
    throw new UserError(
      `--dataset ${dataset}: the folder has images and no labels; put the file with the labels beside them`,
    );
  }
  // digits and clothes lie on black
  const background = dataset.includes("mnist") ? 0 : undefined;
  const pixels = fitToSize(images, size, background);
  return {
    name: dataset,
    count: images.count,
    height: size,
    width: size,
    channels: images.channels as 1 | 3,
    pixels,
    sha256: await sha256(pixels),
    labels: images.labels,
    classes: images.labels && (images.classes ?? CLASSES[dataset]),
    flips: dataset === "cifar10",
  };
}

async function readImages(
  options: LoadOptions,
): Promise<Images & Partial<Labelled>> {
  const { dataset, size, split, labelled } = options;
  if (dataset === "mnist") return await embeddedMnist(split);
  if (dataset === "images") {
    const read = labelled ? readPngFolders : readPngFolder;
    return await read(options.dataDir!, size);
  }
  const folder = options.dataDir ?? await cached(options);
  return dataset === "cifar10"
    ? await readCifar10Folder(folder, split)
    : await readIdxFolder(folder, split);
}

/** The data set's folder in the cache, filled if a download was asked for. */
async function cached(options: LoadOptions): Promise<string> {
  const { dataset, cacheDir = "runs/.data", addresses = ADDRESSES } = options;
  const folder = `${cacheDir}/${dataset}`;
  if (options.download) {
    await download(addresses[dataset], folder, options.log ?? console.error);
  } else if (!await isReadableFolder(folder)) {
    throw new UserError(
      `--dataset ${dataset}: its files are needed; give their folder with --data-dir, or fetch them with --download`,
    );
  }
  return folder;
}

async function isReadableFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

function checkOptions({ dataset, size, split, dataDir, download }: LoadOptions): void {
  const fault = !DATASETS.includes(dataset)
    ? `expected one of ${DATASETS.join(", ")}`
    : dataset === "mnist" && (dataDir !== undefined || download)
    ? "comes with the program; --data-dir and --download go with mnist-full"
    : dataset === "images" && dataDir === undefined
    ? "the folder with the PNG files is needed: give it with --data-dir"
    : dataset === "images" && download
    ? "there is nothing to download; give a folder with --data-dir"
    : !Number.isInteger(size) || size < 1 || size > LARGEST_SIZE
    ? `a size of ${size} pixels; expected a whole number from 1 to ${LARGEST_SIZE}`
    : undefined;
  if (fault) throw new UserError(`--dataset ${dataset}: ${fault}`);
  if (dataset === "images" && split === "test") {
    throw new Error("loadImages: a folder of images has no test half");
  }
}
