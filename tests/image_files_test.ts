// The data sets read from files: small good ones that the tests write, and every kind of bad one.
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { PNG } from "pngjs";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type DatasetName, loadImages } from "../common/data/images/load.ts";
import { UserError } from "../common/user_error.ts";
import { cifarBatch, idx, tar } from "./fixtures/image_files.ts";

const FASHION = "/usr/share/datasets/fashion-mnist";

const mayWrite = await granted({ name: "write" }) && await granted({ name: "read" });
const fashionIsHere = await granted({ name: "read", path: FASHION }) &&
  await Deno.stat(FASHION).then(() => true, () => false);

async function granted(permission: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(permission)).state === "granted";
}

type Files = Record<string, Uint8Array>;

/** A test of a data set in a folder of its own, with these files in it. */
function folderTest(name: string, files: Files, test: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !mayWrite,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        for (const [file, bytes] of Object.entries(files)) {
          await Deno.mkdir(`${folder}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
          await Deno.writeFile(`${folder}/${file}`, bytes);
        }
        await test(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** A test that loading says one line with all of these parts in it. */
function badFolderTest(dataset: DatasetName, fault: string, files: Files, parts: string[]): void {
  folderTest(`${dataset}: ${fault}`, files, async (folder) => {
    const loading = () => loadImages({ dataset, size: 16, split: "train", dataDir: folder });
    const error = await assertRejects(loading, UserError);
    assertEquals(error.exitCode, 2);
    for (const part of [folder, ...parts]) {
      assert(error.message.includes(part), `"${error.message}" lacks "${part}"`);
    }
    assert(!error.message.includes("\n"), error.message);
  });
}

// IDX

const pixels = Uint8Array.from({ length: 3 * 784 }, (_, i) => i % 251);
const images = idx([3, 28, 28], pixels);
const labels = idx([3], Uint8Array.of(7, 0, 9));
const IMAGES = "train-images-idx3-ubyte";
const LABELS = "train-labels-idx1-ubyte";

for (
  const [name, files] of [
    ["plain", { [IMAGES]: images, [LABELS]: labels }],
    ["packed", { [`${IMAGES}.gz`]: gzipSync(images), [`${LABELS}.gz`]: gzipSync(labels) }],
    ["with dots", { "train-images.idx3-ubyte": images, "train-labels.idx1-ubyte": labels }],
  ] as [string, Files][]
) {
  folderTest(`mnist-full: reads IDX files, ${name}`, files, async (dataDir) => {
    const set = await loadImages({ dataset: "mnist-full", size: 28, split: "train", dataDir });
    assertEquals([set.count, set.channels, set.flips, set.name], [3, 1, false, "mnist-full"]);
    assertEquals(set.pixels, pixels);
    assertEquals([...set.labels!], [7, 0, 9]);
  });
}

folderTest(
  "fashion-mnist: the test half, without labels, framed by black",
  { "t10k-images-idx3-ubyte": idx([1, 28, 28], pixels.subarray(0, 784).map(() => 9)) },
  async (dataDir) => {
    const set = await loadImages({ dataset: "fashion-mnist", size: 32, split: "test", dataDir });
    assertEquals([set.count, set.height, set.labels], [1, 32, undefined]);
    assertEquals([set.pixels[0], set.pixels[2 * 32 + 2]], [0, 9]);
  },
);

/** An IDX header that promises these sizes, and nothing behind it. */
const promise = (...sizes: number[]) => idx(sizes, new Uint8Array(0));

const badIdx: [string, Files, string[]][] = [
  ["an empty folder", {}, [IMAGES]],
  ["wrong magic number", { [IMAGES]: labels }, [IMAGES, "0x00000801", "0x00000803"]],
  ["text instead of data", { [IMAGES]: Buffer.from("<html>not found") }, ["0x3c68746d"]],
  ["an empty file", { [IMAGES]: new Uint8Array(0) }, ["0 bytes", "16"]],
  ["truncated", { [IMAGES]: images.subarray(0, 1000) }, ["truncated", "984", "2352"]],
  ["truncated inside the gzip data", {
    [IMAGES]: gzipSync(images.subarray(0, 1000)),
  }, ["truncated", "984", "2352"]],
  ["gzip data that break off", { [`${IMAGES}.gz`]: gzipSync(images).subarray(0, 200) }, ["gzip"]],
  ["too long", { [IMAGES]: Buffer.concat([images, Buffer.of(1)]) }, ["longer", "2352"]],
  ["too wide", { [IMAGES]: idx([1, 28, 84], pixels) }, ["28x84", "28x28"]],
  ["too high", { [IMAGES]: idx([1, 84, 28], pixels) }, ["84x28", "28x28"]],
  ["no images", { [IMAGES]: promise(0, 28, 28) }, ["0 images"]],
  ["four billion images", { [IMAGES]: promise(0xffffffff, 28, 28) }, ["4294967295", "1000000"]],
  ["a million images", { [`${IMAGES}.gz`]: gzipSync(promise(1e6, 28, 28)) }, [
    "truncated",
    "at most",
  ]],
  ["fewer labels", {
    [IMAGES]: images,
    [LABELS]: idx([2], Uint8Array.of(1, 2)),
  }, [LABELS, "2 labels", "3"]],
  ["a label of 10", {
    [IMAGES]: images,
    [LABELS]: idx([3], Uint8Array.of(1, 10, 2)),
  }, ["label 10", "image 1", "0 to 9"]],
];
for (const [fault, files, parts] of badIdx) badFolderTest("mnist-full", fault, files, parts);

Deno.test({
  name: "a folder that is missing, and one that is a file",
  ignore: !mayWrite,
  fn: async () => {
    const file = await Deno.makeTempFile();
    for (const dataset of ["mnist-full", "cifar10", "images"] as const) {
      for (const dataDir of [`${file}.none`, file]) {
        const loading = () => loadImages({ dataset, size: 16, split: "train", dataDir });
        await assertRejects(loading, UserError, dataDir);
      }
    }
    await Deno.remove(file);
  },
});

Deno.test({
  name: "no read permission: the line names the flag",
  permissions: { read: false },
  fn: async () => {
    for (const dataset of ["mnist-full", "cifar10", "images"] as const) {
      const loading = () => loadImages({ dataset, size: 16, split: "train", dataDir: "digits" });
      await assertRejects(loading, UserError, "--allow-read=digits");
    }
  },
});

Deno.test({
  name: "Fashion-MNIST as it is published: 70,000 images in a few seconds",
  ignore: !fashionIsHere,
  fn: async () => {
    const start = performance.now();
    for (const [split, count] of [["train", 60_000], ["test", 10_000]] as const) {
      const set = await loadImages({
        dataset: "fashion-mnist",
        size: 16,
        split,
        dataDir: FASHION,
      });
      assertEquals([set.count, set.pixels.length], [count, count * 256]);
      const perClass = new Array(10).fill(0);
      for (const label of set.labels!) perClass[label]++;
      assertEquals(perClass, new Array(10).fill(count / 10));
    }
    assert(performance.now() - start < 10_000);
  },
});

// CIFAR-10

/** The value of image n, colour c, in row y and column x. */
const colour = (n: number, c: number, y: number, x: number) => (n * 7 + c * 80 + y * 2 + x) % 256;

folderTest("cifar10: any of the batches, in order", {
  "data_batch_3.bin": cifarBatch([5], (_, ...at) => colour(2, ...at)),
  "data_batch_1.bin": cifarBatch([3, 8], colour),
}, async (dataDir) => {
  const set = await loadImages({ dataset: "cifar10", size: 32, split: "train", dataDir });
  assertEquals([set.count, set.channels, set.flips], [3, 3, true]);
  assertEquals([...set.labels!], [3, 8, 5]);
  for (const [n, y, x, c] of [[0, 0, 0, 0], [1, 3, 30, 2], [2, 31, 1, 1]]) {
    assertEquals(set.pixels[((n * 32 + y) * 32 + x) * 3 + c], colour(n, c, y, x));
  }
});

folderTest("cifar10: the archive as it is published", {
  "cifar-10-binary.tar.gz": gzipSync(tar({
    "cifar-10-batches-bin/readme.html": Buffer.from("<html>"),
    "cifar-10-batches-bin/data_batch_1.bin": cifarBatch([1, 2], colour),
    "cifar-10-batches-bin/test_batch.bin": cifarBatch([4], colour),
  })),
}, async (dataDir) => {
  const load = (split: "train" | "test") =>
    loadImages({ dataset: "cifar10", size: 32, split, dataDir });
  assertEquals([...(await load("train")).labels!], [1, 2]);
  assertEquals([...(await load("test")).labels!], [4]);
});

folderTest("cifar10: the archive's folder, scaled up as photographs are", {
  "cifar-10-batches-bin/data_batch_1.bin": cifarBatch([1], () => 200),
}, async (dataDir) => {
  const set = await loadImages({ dataset: "cifar10", size: 48, split: "train", dataDir });
  assert(set.pixels.every((v) => v === 200));
});

const oneBatch = cifarBatch([1, 2], colour);
const wholeTar = tar({ "data_batch_1.bin": oneBatch });
const badCifar: [string, Files, string[]][] = [
  ["an empty folder", {}, ["data_batch_1.bin"]],
  ["truncated", { "data_batch_1.bin": oneBatch.subarray(0, 6000) }, ["6000 bytes", "3073"]],
  ["empty", { "data_batch_2.bin": new Uint8Array(0) }, ["data_batch_2.bin", "0 bytes"]],
  ["a label of 77", {
    "data_batch_1.bin": cifarBatch([1, 77], colour),
  }, ["label 77", "record 1", "0 to 9"]],
  ["an archive that breaks off", {
    "cifar-10-binary.tar.gz": gzipSync(wholeTar.subarray(0, 3000)),
  }, ["breaks off"]],
  ["an archive with a damaged header", {
    "cifar-10-binary.tar.gz": gzipSync(wholeTar.map((byte, i) => i === 520 ? byte ^ 1 : byte)),
  }, ["damaged"]],
  ["an archive that is none", {
    "cifar-10-binary.tar.gz": gzipSync(Buffer.alloc(2000, "x")),
  }, ["tar"]],
];
for (const [fault, files, parts] of badCifar) badFolderTest("cifar10", fault, files, parts);

// PNG files

/** A PNG of RGBA values. */
function png(width: number, height: number, rgba: (x: number, y: number) => number[]): Uint8Array {
  const image = new PNG({ width, height });
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) image.data.set(rgba(x, y), 4 * (y * width + x));
  }
  return PNG.sync.write(image);
}

const grey = (value: number, alpha = 255) => () => [value, value, value, alpha];

folderTest("images: cropped to the middle square, on white, by name", {
  // 20 wide, 8 high: red in the middle square, blue left and right of it
  "b.png": png(20, 8, (x) => x >= 6 && x < 14 ? [255, 0, 0, 255] : [0, 0, 255, 255]),
  "a.PNG": png(3, 5, grey(0, 51)),
  "notes.txt": Buffer.from("not an image"),
  "more/c.png": png(2, 2, grey(0)),
  "folder.png/d.png": png(2, 2, grey(0)),
}, async (dataDir) => {
  const set = await loadImages({ dataset: "images", size: 4, split: "train", dataDir });
  assertEquals([set.count, set.channels, set.flips, set.labels], [2, 3, false, undefined]);
  assertEquals(set.pixels.subarray(0, 48), new Uint8Array(48).fill(204)); // black at 20 % on white
  assertEquals(set.pixels.subarray(48), Uint8Array.from({ length: 48 }, (_, i) => i % 3 ? 0 : 255));
});

folderTest("images: all grey gives one channel", {
  "1.png": png(2, 2, grey(10)),
  "2.png": png(9, 4, grey(20)),
}, async (dataDir) => {
  const set = await loadImages({ dataset: "images", size: 2, split: "train", dataDir });
  assertEquals([set.channels, [...set.pixels]], [1, [10, 10, 10, 10, 20, 20, 20, 20]]);
});

folderTest("images: a folder of folders is labelled by their names, sorted", {
  "dog/1.png": png(2, 2, grey(10)),
  "cat/b.png": png(2, 2, grey(30)),
  "cat/a.png": png(2, 2, grey(20)),
  "alone.png": png(2, 2, grey(99)),
  ".hidden/x.png": png(2, 2, grey(77)),
}, async (dataDir) => {
  const from = { dataset: "images", size: 1, split: "train", dataDir } as const;
  const set = await loadImages({ ...from, labelled: true });
  assertEquals([set.classes, [...set.labels!]], [["cat", "dog"], [0, 0, 1]]);
  assertEquals([set.channels, [...set.pixels]], [1, [20, 30, 10]]);
  const { count, labels } = await loadImages(from);
  assertEquals([count, labels], [1, undefined]);
});

folderTest("names of the classes come with the labels, and labels are asked for", {
  "data_batch_1.bin": cifarBatch([7], colour),
  "train-images-idx3-ubyte": idx([1, 28, 28], new Uint8Array(784)),
}, async (dataDir) => {
  const load = (dataset: "cifar10" | "fashion-mnist") =>
    loadImages({ dataset, size: 16, split: "train", dataDir, labelled: true });
  const { classes, labels } = await load("cifar10");
  assertEquals(classes![labels![0]], "horse");
  await assertRejects(
    () => load("fashion-mnist"),
    UserError,
    "--dataset fashion-mnist: the folder has images and no labels",
  );
});

badFolderTest("images", "an empty folder", { "readme.txt": Buffer.from("") }, ["PNG"]);
badFolderTest("images", "text instead of PNG", { "a.png": Buffer.from("hello") }, ["a.png"]);
badFolderTest("images", "a PNG that breaks off", {
  "good.png": png(4, 4, grey(1)),
  "bad.png": png(40, 40, (x, y) => [x * y % 256, x, y, 255]).subarray(0, 90),
}, ["bad.png"]);
