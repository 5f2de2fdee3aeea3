// Files from anywhere: what is wrong with them is said in one line, and nothing is believed unchecked.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { deflateSync } from "node:zlib";
import { readPng, writePng } from "../common/data/images/png.ts";
import { parsePoints } from "../common/data/points/csv.ts";
import { readSafetensors, writeSafetensors } from "../common/checkpoint.ts";
import { writeAtomically } from "../common/files/writing.ts";
import { unusedPaths } from "../common/files/numbered.ts";
import { encodeSafetensors } from "../common/files/safetensors.ts";
import { isLetGo, takeLock } from "../common/run/lock.ts";
import { readRecord } from "../common/run/record.ts";
import { readSettings } from "../common/run/settings.ts";
import { UserError } from "../common/user_error.ts";
import { command as paper1 } from "../paper_1_partb.ts";
import { on } from "./backends.ts";
import { inTemporaryFolder, mayRunCommands } from "./commands.ts";

function folderTest(name: string, fn: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore: !mayRunCommands, fn: () => inTemporaryFolder(fn) });
}

folderTest("one flipped bit anywhere in a model's numbers is found", async (folder) => {
  await on("cpu", async () => {
    const path = `${folder}/model.safetensors`;
    const weights = new Map([["w", tf.tensor([1, 2, 3, 4, 5, 6, 7, 8])]]);
    await writeSafetensors(path, weights, { how: "by hand" });
    const whole = await Deno.readFile(path);
    const notices: string[] = [];
    const read = () => readSafetensors(path, { notice: (line) => notices.push(line) });
    assertEquals(Array.from((await read()).get("w")!.dataSync()), [1, 2, 3, 4, 5, 6, 7, 8]);
    for (let bit = 0; bit < 8 * 32; bit++) {
      const flipped = whole.slice();
      flipped[whole.length - 32 + (bit >> 3)] ^= 1 << (bit & 7);
      await Deno.writeFile(path, flipped);
      await assertRejects(read, UserError, "model.safetensors is");
    }
    assertEquals(notices, []);
    const foreign = new Map([["w", { shape: [1], data: Float32Array.of(7) }]]);
    await Deno.writeFile(path, encodeSafetensors(foreign));
    assertEquals(Array.from((await read()).get("w")!.dataSync()), [7]);
    assertEquals(notices.length, 1);
    assert(notices[0].includes("has no checksum"), notices[0]);
  });
});

folderTest("a link planted under a temporary name is not written through", async (folder) => {
  const victim = `${folder}/victim`;
  await Deno.writeTextFile(victim, "mine");
  await Deno.symlink(victim, `${folder}/a.part`);
  await writeAtomically(`${folder}/a`, "new");
  assertEquals(await Deno.readTextFile(victim), "mine");
  assertEquals(await Deno.readTextFile(`${folder}/a`), "new");
  await Deno.symlink(victim, `${folder}/run.lock`);
  await assertRejects(() => takeLock(folder), UserError, "run.lock is not a file");
});

folderTest("a lock is let go of when its process ends, and only then", async (folder) => {
  assertEquals(await isLetGo(folder), false); // there is none
  const lock = await takeLock(folder);
  assertEquals(await isLetGo(folder), false);
  lock.close();
  assertEquals(await isLetGo(folder), true);
});

folderTest("files of earlier calls stay, and those of a call have one number", async (folder) => {
  const names = ["a.png", "b.csv"];
  const inFolder = (...names: string[]) => names.map((name) => `${folder}/${name}`);
  assertEquals(await unusedPaths(folder, names), inFolder("a.png", "b.csv"));
  assertEquals(await unusedPaths(folder, names), inFolder("a-2.png", "b-2.csv"));
  await Deno.writeTextFile(`${folder}/b-3.csv`, "mine");
  assertEquals(await unusedPaths(folder, names), inFolder("a-4.png", "b-4.csv"));
  const both = await Promise.all([unusedPaths(folder, names), unusedPaths(folder, names)]);
  assertEquals(new Set(both.flat()).size, 4);
});

folderTest("a run.json with anything in it is refused in one line", async (folder) => {
  const path = `${folder}/run.json`;
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  const texts = [
    ...["constructor", "toString", "__proto__", "hasOwnProperty"].map((name) =>
      `{"script":"paper1","settings":{"${name}":1}}`
    ),
    `{"script":"paper1","settings":{"data":${deep}}}`,
    `{"script":"paper1","settings":{"data":{"toString":1}}}`,
    `{"script":{"toString":1},"settings":{}}`,
    `{"script":"paper1","settings":{"steps":[7]}}`,
    `{"script":"paper1\\nerror: more","settings":{}}`,
    `{"script":"${"x".repeat(1e6)}","settings":{}}`,
  ];
  for (const text of texts) {
    await Deno.writeTextFile(path, text);
    const error = await assertRejects(() => readSettings(paper1, ["--from", path]), UserError);
    assert(!/\p{Cc}/u.test(error.message) && error.message.length < 1100, error.message);
  }
  await Deno.writeTextFile(path, `{"settings":{"text":"${"[".repeat(100)}"}}`);
  await readRecord(path); // brackets in a text nest nothing
});

Deno.test("a PNG whose rows are missing, or too many, is refused and not black", () => {
  const image = { width: 4, height: 4, data: new Uint8Array(64).fill(200) };
  const file = writePng(image);
  assertEquals(readPng(file, "a.png"), image);
  const rows = (count: number) => withPixels(file, deflateSync(new Uint8Array(count * 17)));
  for (const bytes of [rows(3), rows(5), rows(0), withPixels(file, undefined)]) {
    const { message } = assertThrows(() => readPng(bytes, "a.png"), UserError);
    assert(/a\.png: a broken or incomplete PNG file/.test(message), message);
  }
});

/** The PNG file with other pixel data, or without the chunk for them. */
function withPixels(file: Uint8Array, packed: Uint8Array | undefined): Uint8Array {
  const parts: Uint8Array[] = [file.subarray(0, 33)];
  if (packed) parts.push(chunk("IDAT", packed));
  parts.push(chunk("IEND", new Uint8Array()));
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

function crc(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let k = 0; k < 8; k++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

Deno.test("a constant column is refused, whatever its mean is rounded to", () => {
  for (const constant of ["0.1", "1e10", "-3.3333", "7"]) {
    const csv = Array.from({ length: 1001 }, (_, i) => `${i},${constant}`).join("\n");
    assertThrows(() => parsePoints(csv, "a.csv"), UserError, "column 2 has variance 0");
  }
});
