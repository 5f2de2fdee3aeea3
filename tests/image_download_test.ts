// Downloads, from a server on this machine in the place of the data sets' own.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ADDRESSES, type RemoteFile } from "../common/data/images/download.ts";
import { loadImages } from "../common/data/images/load.ts";
import { UserError } from "../common/user_error.ts";
import { idx } from "./fixtures/image_files.ts";

const needed = [
  { name: "net", host: "127.0.0.1" },
  { name: "read" },
  { name: "write" },
] as const;
const states = await Promise.all(needed.map((permission) => Deno.permissions.query(permission)));
const permitted = states.every(({ state }) => state === "granted");

const images = gzipSync(idx([2, 28, 28], new Uint8Array(2 * 784).fill(5)));

/** Serves `bytes`, and gives a loader whose address table knows them as `described`. */
async function withServer(
  bytes: Uint8Array<ArrayBuffer>,
  described: Partial<RemoteFile>,
  use: (
    load: () => ReturnType<typeof loadImages>,
    cache: string,
    hits: () => number,
  ) => Promise<void>,
): Promise<void> {
  const cacheDir = await Deno.makeTempDir();
  let hits = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    hits++;
    return request.url.endsWith("ubyte.gz")
      ? new Response(bytes)
      : new Response("", { status: 404 });
  });
  const name = described.name ?? "train-images-idx3-ubyte.gz";
  const file: RemoteFile = {
    name,
    url: `http://127.0.0.1:${server.addr.port}/${name}`,
    bytes: images.length,
    md5: createHash("md5").update(images).digest("hex"),
    ...described,
  };
  const addresses = { "fashion-mnist": [file] };
  const load = () =>
    loadImages({
      dataset: "fashion-mnist",
      size: 28,
      split: "train",
      download: true,
      cacheDir,
      addresses,
      log: () => {},
    });
  try {
    await use(load, `${cacheDir}/fashion-mnist`, () => hits);
  } finally {
    await server.shutdown();
    await Deno.remove(cacheDir, { recursive: true });
  }
}

function filesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), (entry) => entry.name);
}

Deno.test({
  name: "a download is kept: the second time nothing is fetched",
  ignore: !permitted,
  fn: () =>
    withServer(images as Uint8Array<ArrayBuffer>, {}, async (load, folder, hits) => {
      for (let time = 0; time < 2; time++) assertEquals((await load()).count, 2);
      assertEquals(hits(), 1);
      assertEquals(filesIn(folder), ["train-images-idx3-ubyte.gz"]);
    }),
});

for (
  const [fault, bytes, described, part] of [
    ["a wrong checksum", images, { md5: "0".repeat(32) }, "checksum"],
    ["too few bytes", images.subarray(0, 20), {}, "only 20 bytes"],
    ["too many bytes", new Uint8Array(5000), {}, `more than ${images.length}`],
  ] as const
) {
  Deno.test({
    name: `${fault}: one line, and the file is removed`,
    ignore: !permitted,
    fn: () =>
      withServer(bytes as Uint8Array<ArrayBuffer>, described, async (load, folder) => {
        const error = await assertRejects(load, UserError, part);
        assertEquals(error.exitCode, 1);
        assert(!error.message.includes("\n"), error.message);
        assertEquals(filesIn(folder), []);
      }),
  });
}

Deno.test({
  name: "an address that answers 404, and one where nobody answers",
  ignore: !permitted,
  fn: async () => {
    const bytes = images as Uint8Array<ArrayBuffer>;
    const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const url = `http://127.0.0.1:${closed.addr.port}`;
    closed.close();
    await withServer(bytes, { url }, async (load) => {
      await assertRejects(load, UserError, "cannot be reached");
    });
    await withServer(bytes, { name: "elsewhere" }, async (load) => {
      await assertRejects(load, UserError, "404");
    });
  },
});

Deno.test({
  name: "without net permission the line names the flag",
  permissions: { read: true, write: true, net: false },
  ignore: !permitted,
  fn: async () => {
    const cacheDir = await Deno.makeTempDir();
    for (
      const [dataset, host] of [
        ["mnist-full", "ossci-datasets.s3.amazonaws.com"],
        ["fashion-mnist", "fashion-mnist.s3-website.eu-central-1.amazonaws.com"],
        ["cifar10", "www.cs.toronto.edu"],
      ] as const
    ) {
      const loading = () =>
        loadImages({ dataset, size: 32, split: "train", download: true, cacheDir });
      await assertRejects(loading, UserError, `--allow-net=${host}`);
    }
    await Deno.remove(cacheDir, { recursive: true });
  },
});

Deno.test("every address has a length and an MD5 sum", () => {
  for (const { name, url, bytes, md5 } of Object.values(ADDRESSES).flat()) {
    assert(url.endsWith(name) && bytes > 0 && /^[0-9a-f]{32}$/.test(md5), name);
  }
});
