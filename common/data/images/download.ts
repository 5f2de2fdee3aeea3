/**
 * Fetching a data set's files from its public address into a cache folder. A file is in the cache
 * only when it is whole: it is written under another name, checked, then renamed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { UserError } from "../../user_error.ts";

/** A file that can be fetched. */
export interface RemoteFile {
  /** Its name in the cache. */
  name: string;
  /** Its address, https. */
  url: string;
  /** Its length. */
  bytes: number;
  /** MD5 as published with the data set, in hex. */
  md5: string;
}

/** Where the data sets that `--download` knows have their files. */
export const ADDRESSES: Record<string, RemoteFile[]> = {
  "mnist-full": gzipFiles("https://ossci-datasets.s3.amazonaws.com/mnist/", [
    ["train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"],
    ["train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"],
    ["t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"],
    ["t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"],
  ]),
  "fashion-mnist": gzipFiles("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", [
    ["train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"],
    ["train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"],
    ["t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"],
    ["t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"],
  ]),
  "cifar10": gzipFiles("https://www.cs.toronto.edu/~kriz/", [
    ["cifar-10-binary.tar.gz", 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530"],
  ]),
};

function gzipFiles(folder: string, files: [string, number, string][]): RemoteFile[] {
  return files.map(([name, bytes, md5]) => ({ name, url: folder + name, bytes, md5 }));
}

/**
 * Fetches the files that the folder does not have yet.
 *
 * @param folder Made when it is not there.
 * @param log Gets a line for each file fetched.
 * @throws {UserError} A permission is missing (the line names it), the address does not answer, or
 * what came is not the published file; nothing is left behind then.
 */
export async function download(
  files: RemoteFile[],
  folder: string,
  log: (line: string) => void,
): Promise<void> {
  for (const file of files) {
    const path = `${folder}/${file.name}`;
    await requirePermission({ name: "read", path: folder }, `--allow-read=${folder}`, file.url);
    if (await exists(path)) continue;
    const { host } = new URL(file.url);
    await requirePermission({ name: "net", host }, `--allow-net=${host}`, file.url);
    await requirePermission({ name: "write", path: folder }, `--allow-write=${folder}`, file.url);
    log(`downloading ${file.url} (${(file.bytes / 1e6).toPrecision(3)} MB) into ${folder}`);
    await fetchFile(file, path, folder);
  }
}

async function requirePermission(
  permission: Deno.PermissionDescriptor,
  flag: string,
  url: string,
): Promise<void> {
  const { state } = await Deno.permissions.query(permission);
  if (state === "granted") return;
  throw new UserError(`--download: fetching ${url} needs the permission ${flag}`);
}

async function fetchFile(file: RemoteFile, path: string, folder: string): Promise<void> {
  const partial = `${path}.part-${Deno.pid}`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    const md5 = await save(await request(file.url), partial, file);
    if (md5 !== file.md5) {
      throw new UserError(
        `${file.url}: checksum (MD5) ${md5}; expected ${file.md5}; the file was removed, try again`,
        { exitCode: 1 },
      );
    }
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error instanceof UserError ? error : new UserError(
      `--download: ${file.url} could not be saved in ${folder}: ${(error as Error).message}`,
      { exitCode: 1 },
    );
  }
}

async function request(url: string): Promise<ReadableStream<Uint8Array>> {
  let fault: string;
  try {
    const response = await fetch(url);
    if (response.ok && response.body) return response.body;
    await response.body?.cancel();
    fault = `answered ${response.status} ${response.statusText}`.trim();
  } catch (error) {
    fault = `cannot be reached: ${(error as Error).message}`;
  }
  throw new UserError(
    `--download: ${url} ${fault}; try again, or give a folder that has the file with --data-dir`,
    { exitCode: 1 },
  );
}

/** Writes the stream to a file, no further than the expected length, and returns its MD5. */
async function save(
  stream: ReadableStream<Uint8Array>,
  path: string,
  { url, bytes }: RemoteFile,
): Promise<string> {
  const wrongLength = (found: string) =>
    new UserError(
      `${url}: ${found} bytes came; expected ${bytes}; the file was removed, try again`,
      { exitCode: 1 },
    );
  const hash = createHash("md5");
  let length = 0;
  const checked = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      length += chunk.length;
      if (length > bytes) throw wrongLength(`more than ${bytes}`);
      hash.update(chunk);
      controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
    },
  });
  const file = await Deno.open(path, { write: true, createNew: true });
  await stream.pipeThrough(checked).pipeTo(file.writable);
  if (length < bytes) throw wrongLength(`only ${length}`);
  return hash.digest("hex");
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
