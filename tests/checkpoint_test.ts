// Model files and checkpoints: what is written is read back, and no file, however broken, does harm.
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readSafetensors, writeSafetensors } from "../common/checkpoint.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type HostTensor,
} from "../common/files/safetensors.ts";
import { loadState, saveState } from "../common/run/state.ts";
import { integers } from "../common/random.ts";
import { UserError } from "../common/user_error.ts";
import { inTemporaryFolder, mayRunCommands } from "./commands.ts";

const tensors = new Map<string, HostTensor>([
  ["b.weight", { shape: [2, 3], data: Float32Array.from([1, -2, 0.5, 3e-30, -1e30, 0]) }],
  ["a.bias", { shape: [2], data: Float32Array.from([7, 8]) }],
  ["half", { shape: [3], data: Float16Array.from([1.5, -65504, 6e-8]) }],
  ["steps", { shape: [1], data: Int32Array.from([-5]) }],
  ["bytes", { shape: [3], data: Uint8Array.from([0, 128, 255]) }],
  ["empty", { shape: [0, 4], data: new Float32Array() }],
]);

function refused(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes, "model.safetensors");
  } catch (error) {
    assert(error instanceof UserError, String(error));
    assert(error.message.startsWith("model.safetensors is not a usable model file: "));
    assert(!/\p{Cc}/u.test(error.message) && error.message.length < 500, error.message);
    return error.message;
  }
  throw new Error("the file was accepted");
}

/** A file with this header, whatever it says, and so many bytes behind it. */
function fileWith(header: string | Uint8Array, dataBytes: number, length?: bigint): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

Deno.test("tensors and metadata survive; the same content gives the same bytes", () => {
  const bytes = encodeSafetensors(tensors, { step: "5", note: "ᾱ" });
  const read = decodeSafetensors(bytes, "x");
  assertEquals(read.metadata, { step: "5", note: "ᾱ" });
  assertEquals([...read.tensors.keys()].sort(), [...tensors.keys()].sort());
  for (const [name, { shape, data }] of tensors) {
    assertEquals(read.tensors.get(name)!.shape, shape);
    assertEquals(read.tensors.get(name)!.data, data);
  }
  const turned = new Map([...tensors].reverse());
  assertEquals(encodeSafetensors(turned, { note: "ᾱ", step: "5" }), bytes);
  assertEquals(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8, 0); // aligned
});

Deno.test("every kind of broken file has its message", () => {
  const entry = (dtype: string, shape: unknown, offsets: unknown) =>
    JSON.stringify({ a: { dtype, shape, data_offsets: offsets } });
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(), "it has 0 bytes"],
    [new Uint8Array(7), "it has 7 bytes"],
    [fileWith("{}", 0, 1n << 60n), "its header should have"],
    [fileWith("{}", 0, 3n), "its header should have 3 bytes"],
    [fileWith(Uint8Array.from([0xff, 0xfe, 0xfd]), 0), "not text"],
    [fileWith("{", 0), "not JSON"],
    [fileWith("[]", 0), "not a table"],
    [fileWith("null", 0), "not a table"],
    [fileWith(entry("F64", [1], [0, 8]), 8), "dtype F64; known are F32, F16, I32, U8"],
    [fileWith(entry("F32", [2], [0, 4]), 4), "expected 0 to 8"],
    [fileWith(entry("F32", [1], [0, 4]), 3), "lies at 0 to 4"],
    [fileWith(entry("F32", [1e9, 1e9], [0, 4]), 4), "lies at 0 to 4"],
    [fileWith(entry("F32", [-1], [0, 4]), 4), "a dtype, a shape and two offsets"],
    [fileWith(entry("F32", [1.5], [0, 4]), 4), "a dtype, a shape and two offsets"],
    [fileWith(entry("F32", "1", [0, 4]), 4), "a dtype, a shape and two offsets"],
    [fileWith(entry("F32", [1], [4, 8]), 8), "expected 0 to 4"], // a gap
    [fileWith(entry("F32", [1], [0, 4]), 9), "5 bytes follow"],
    [fileWith('{"__metadata__":{"step":5}}', 0), "__metadata__"],
    [
      fileWith(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
          '"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}',
        6,
      ),
      "b with the shape [1] lies at 2 to 6",
    ], // an overlap
    [
      fileWith(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
          '"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        1,
      ),
      "names a twice",
    ],
    [
      fileWith('{"a":{"dtype":"U8","shape":[1],"dtype" \n:"F32","data_offsets":[0,1]}}', 1),
      "names dtype twice",
    ],
    [fileWith(entry("constructor", [1], [0, 4]), 4), "a has the dtype constructor"],
    [fileWith(entry("\n\x1b[2J", [1], [0, 4]), 4), "a has the dtype ��[2J;"],
    [fileWith(entry("x".repeat(1e6), [1], [0, 4]), 4), "a has the dtype xxx"],
  ];
  for (const [bytes, expected] of cases) assertStringIncludes(refused(bytes), expected);
  for (const bad of [NaN, Infinity]) {
    const weights = new Map([["w", { shape: [2], data: Float32Array.from([0, bad]) }]]);
    assertStringIncludes(refused(encodeSafetensors(weights)), `number 1 of w is ${bad}`);
  }
});

Deno.test("names may be odd or very long", () => {
  const names = ["__proto__", "constructor", "0", 'a"b\\', "{", "a:", "", "x".repeat(10_000_000)];
  const odd = new Map(names.map((name, i) => [name, { shape: [1], data: Int32Array.of(i) }]));
  const { tensors: read } = decodeSafetensors(encodeSafetensors(odd), "x");
  assertEquals(read.size, names.length);
  for (const [name, { data }] of odd) assertEquals(read.get(name)!.data, data);
});

Deno.test("10,000 random mutations of a good file are read or refused, never worse", () => {
  const good = encodeSafetensors(tensors, { step: "5" });
  for (let i = 0; i < 10_000; i++) {
    const [kind, at, value, length] = integers(
      { seed: 1, stream: "mutation", step: i },
      4,
      0,
      1 << 30,
    );
    const bytes = kind % 8 === 0 ? good.slice(0, length % good.length) : good.slice();
    if (bytes.length > 0) {
      // the header is what a mutation can do most harm in
      const place = at % (kind % 2 === 0 ? Math.min(bytes.length, 200) : bytes.length);
      bytes[place] = kind % 3 === 0 ? bytes[place] ^ (1 << (value % 8)) : value % 256;
    }
    try {
      const { tensors: read } = decodeSafetensors(bytes, "x");
      const total = [...read.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
      assert(total <= bytes.length);
    } catch (error) {
      assert(error instanceof UserError, String(error));
    }
  }
});

function folderTest(name: string, test: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore: !mayRunCommands, fn: () => inTemporaryFolder(test) });
}

folderTest("a model file goes through tensors; a missing one is named", async (folder) => {
  await tf.setBackend("cpu");
  const weights = new Map<string, tf.Tensor>([["w", tf.tensor2d([[1, 2], [3, 4]])]]);
  await writeSafetensors(`${folder}/m.safetensors`, weights, { note: "x" });
  const read = await readSafetensors(`${folder}/m.safetensors`);
  assertEquals(read.get("w")!.shape, [2, 2]);
  assertEquals(await read.get("w")!.data(), Float32Array.from([1, 2, 3, 4]));
  assertEquals([...Deno.readDirSync(folder)].length, 1); // no temporary file is left
  const missing = await assertRejects(() => readSafetensors(`${folder}/none`), UserError);
  assertStringIncludes(missing.message, "there is no such file");
});

folderTest(
  "the two newest states are kept, and a damaged one gives way to the older",
  async (folder) => {
    const state = (step: number) => ({
      step,
      tensors: new Map<string, HostTensor>([["w", { shape: [1], data: Float32Array.of(step) }]]),
    });
    const notices: string[] = [];
    const load = () => loadState(folder, (line) => notices.push(line));
    assertEquals(await load(), undefined);
    for (const step of [1, 2, 3]) await saveState(folder, state(step));
    assertEquals((await load())!.step, 3);
    assertEquals(notices, []);

    const path = `${folder}/state.safetensors`;
    const whole = await Deno.readFile(path);
    const damages: [string, Uint8Array][] = [
      ["cut off", whole.subarray(0, whole.length - 1)],
      ["empty", new Uint8Array()],
      [
        "a flipped bit in the numbers",
        whole.map((byte, i) => i === whole.length - 2 ? byte ^ 1 : byte),
      ],
      ["foreign", encodeSafetensors(tensors)],
    ];
    for (const [, bytes] of damages) {
      await Deno.writeFile(path, bytes);
      const taken = await load();
      assertEquals(taken!.step, 2);
      assertEquals([...taken!.tensors.get("w")!.data], [2]);
      assertStringIncludes(notices.pop()!, "going on from state.previous.safetensors, step 2");
    }
    await Deno.writeFile(`${folder}/state.previous.safetensors`, new Uint8Array());
    const error = await assertRejects(load, UserError);
    assertStringIncludes(error.message, "no checkpoint in");
  },
);

class CutOff extends Error {}

/**
 * Saves a state in a process that comes to its end after so many operations on files; whatever is
 * written is written in two halves. Says whether the save was done before that.
 */
async function saveCutOff(folder: string, step: number, operations: number): Promise<boolean> {
  const { open, rename, remove } = Deno;
  let left = operations;
  const operate = <T>(operation: () => Promise<T>): Promise<T> =>
    left-- > 0 ? operation() : Promise.reject(new CutOff());
  Deno.open = (path, options) =>
    operate(async () => {
      const file = await open(path, options);
      const [write, sync] = [file.write.bind(file), file.sync.bind(file)];
      file.write = (bytes) => operate(() => write(bytes.subarray(0, Math.ceil(bytes.length / 2))));
      file.sync = () => operate(sync);
      return file;
    });
  Deno.rename = (from, to) => operate(() => rename(from, to));
  Deno.remove = (path) => operate(() => remove(path)); // a process that is gone tidies nothing
  try {
    await saveState(folder, { step, tensors });
    return true;
  } catch (error) {
    assert(error instanceof UserError && error.cause instanceof CutOff, String(error));
    return false;
  } finally {
    Object.assign(Deno, { open, rename, remove });
  }
}

for (const damaged of [false, true]) {
  const name = damaged ? "over a damaged state" : "once and once more";
  folderTest(`a save that is cut off anywhere, ${name}, loses nothing`, async (folder) => {
    const newest = `${folder}/state.safetensors`;
    const load = async () => (await loadState(folder, () => {}))!.step;
    let places = 0;
    for (let done = false; !done; places++) {
      // a second time at every place that the first leaves behind; 25 operations are more than enough
      for (let second = 0; second < 25; second++) {
        for await (const { name } of Deno.readDir(folder)) await Deno.remove(`${folder}/${name}`);
        await saveState(folder, { step: 1, tensors });
        await saveState(folder, { step: 2, tensors });
        if (damaged) await Deno.writeFile(newest, new Uint8Array(100));
        const before = await load();
        assertEquals(before, damaged ? 1 : 2);
        done = await saveCutOff(folder, 3, places);
        const after = await load();
        assert(done ? after === 3 : [before, 3].includes(after), `${after} after ${places}`);
        const doneTwice = await saveCutOff(folder, 4, second);
        const last = await load();
        assert(
          doneTwice ? last === 4 : [after, 4].includes(last),
          `${last} at ${places}, ${second}`,
        );
        if (doneTwice) break;
      }
    }
    assert(places > 5, `${places} places`);
  });
}
