/**
 * The safetensors format: an 8-byte length, a JSON header with name, dtype, shape and position of every
 * tensor, then their numbers. Files may come from anywhere, so nothing in them is trusted unchecked.
 *
 * @module
 */
import { oneLine, UserError } from "../user_error.ts";
import { sha256 } from "./sha256.ts";

/** The numbers of one tensor outside of any backend. */
export interface HostTensor {
  /** The length of each axis. */
  shape: number[];
  /** The numbers, the last axis running fastest. */
  data: Float32Array | Float16Array | Int32Array | Uint8Array;
}

/** A file's content. */
export interface Contents {
  /** The tensors by name. */
  tensors: Map<string, HostTensor>;
  /** Texts that the writer added. */
  metadata: Record<string, string>;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const ARRAYS = {
  F32: Float32Array,
  F16: Float16Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const;
type Dtype = keyof typeof ARRAYS;

/** The longest header the format allows. */
const LONGEST_HEADER = 100_000_000;
/** No axis of a tensor is longer, not even of one that is empty. */
const LONGEST_SIDE = 2 ** 31 - 1;
/** Characters of a message at most: a file may give a tensor a name of megabytes. */
const LONGEST_MESSAGE = 300;

/**
 * The bytes of a file with these tensors; the same tensors and metadata give the same bytes.
 *
 * @throws {RangeError} A shape does not fit its numbers.
 */
export function encodeSafetensors(
  tensors: Map<string, HostTensor>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) {
    header.push(["__metadata__", Object.fromEntries(Object.entries(metadata).sort(byName))]);
  }
  let end = 0;
  const entries = [...tensors].sort(byName);
  for (const [name, { shape, data }] of entries) {
    if (product(shape) !== data.length) {
      throw new RangeError(`${name}: ${data.length} numbers for the shape [${shape}]`);
    }
    const begin = end;
    end += data.byteLength;
    header.push([name, { dtype: dtypeOf(data), shape, data_offsets: [begin, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength); // spaces behind the JSON, so that the numbers are aligned
  bytes.set(json, 8);
  let at = 8 + headerLength;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** The metadata's entry with the checksum. */
const SEAL = "sha256";

/**
 * The bytes of a file with its own checksum in the metadata: the SHA-256 of the bytes that it would have
 * without it. Other readers ignore it.
 */
export async function encodeSealed(
  tensors: Map<string, HostTensor>,
  metadata: Record<string, string> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const seal = await sha256(encodeSafetensors(tensors, metadata));
  return encodeSafetensors(tensors, { ...metadata, [SEAL]: seal });
}

/**
 * Whether a file's content fits its checksum; undefined where it has none, as in a file from another
 * program.
 */
export async function isIntact({ tensors, metadata }: Contents): Promise<boolean | undefined> {
  const { [SEAL]: seal, ...rest } = metadata;
  return seal === undefined ? undefined : seal === await sha256(encodeSafetensors(tensors, rest));
}

/**
 * Reads a file's bytes.
 *
 * @param source The file's name, for messages.
 * @throws {UserError} The bytes are not a whole and sound safetensors file: one line that says what is
 * wrong, and where.
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): Contents {
  const fail = (why: string) =>
    new UserError(`${source} is not a usable model file: ${oneLine(why, LONGEST_MESSAGE)}`);
  if (bytes.length < 8) throw fail(`it has ${bytes.length} bytes; the header alone needs more`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getBigUint64(0, true);
  if (headerLength > BigInt(Math.min(LONGEST_HEADER, bytes.length - 8))) {
    throw fail(`its header should have ${headerLength} bytes, the whole file has ${bytes.length}`);
  }
  const start = 8 + Number(headerLength);
  const header = parseHeader(bytes.subarray(8, start), fail);
  const { __metadata__: metadata = {}, ...entries } = header;
  const isText = (value: unknown) => typeof value === "string";
  if (!isRecord(metadata) || !Object.values(metadata).every(isText)) {
    throw fail("its __metadata__ is not a table of texts");
  }
  const tensors = new Map<string, HostTensor>();
  let expected = 0; // tensors lie one behind the other, without gaps or overlaps
  for (const [name, entry] of sortedEntries(entries, fail)) {
    if (!Object.hasOwn(ARRAYS, entry.dtype)) {
      throw fail(
        `${name} has the dtype ${entry.dtype}; known are ${Object.keys(ARRAYS).join(", ")}`,
      );
    }
    const ArrayType = ARRAYS[entry.dtype as Dtype];
    const [begin, end] = entry.data_offsets;
    const size = product(entry.shape) * ArrayType.BYTES_PER_ELEMENT;
    if (begin !== expected || end - begin !== size || start + end > bytes.length) {
      throw fail(
        `${name} with the shape [${entry.shape}] lies at ${begin} to ${end}; expected ${expected} to ` +
          `${expected + size} of ${bytes.length - start} bytes`,
      );
    }
    expected = end;
    const data = new ArrayType(bytes.slice(start + begin, start + end).buffer);
    if (isReal(data)) checkFinite(name, data, fail);
    tensors.set(name, { shape: entry.shape, data });
  }
  if (start + expected !== bytes.length) {
    throw fail(`${bytes.length - start - expected} bytes follow behind the last tensor`);
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

type Fail = (why: string) => UserError;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw fail("its header is not text");
  }
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw fail("its header is not JSON");
  }
  if (!isRecord(header)) throw fail("its header is not a table of tensors");
  const twice = repeatedKey(text);
  if (twice !== undefined) throw fail(`its header names ${twice} twice`);
  return header;
}

/** The first key that one object of a valid JSON text has twice; JSON.parse would keep the last. */
function repeatedKey(json: string): string | undefined {
  const objects: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") objects.push(new Set());
    else if (json[i] === "}") objects.pop();
    else if (json[i] === '"') {
      const end = endOfString(json, i);
      let next = end;
      while (" \t\n\r".includes(json[next])) next++;
      if (json[next] === ":") {
        const key = JSON.parse(json.slice(i, end));
        const seen = objects[objects.length - 1];
        if (seen.has(key)) return key;
        seen.add(key);
      }
      i = next - 1;
    }
  }
  return undefined;
}

/** The position behind the text that begins at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i + 1;
}

/** The header's entries, checked for their form, in the order in which they lie in the file. */
function sortedEntries(entries: Record<string, unknown>, fail: Fail): [string, Entry][] {
  const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isSide = (value: unknown) => whole(value) && (value as number) <= LONGEST_SIDE;
  const checked = Object.entries(entries).map(([name, entry]): [string, Entry] => {
    const isSound = isRecord(entry) && typeof entry.dtype === "string" &&
      Array.isArray(entry.shape) && entry.shape.every(isSide) && entry.shape.length <= 8 &&
      Array.isArray(entry.data_offsets) && entry.data_offsets.length === 2 &&
      entry.data_offsets.every(whole);
    if (!isSound) throw fail(`its entry for ${name} is not a dtype, a shape and two offsets`);
    return [name, entry as unknown as Entry];
  });
  return checked.sort(([, a], [, b]) =>
    a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]
  );
}

function checkFinite(name: string, data: Float32Array | Float16Array, fail: Fail): void {
  const bad = Array.prototype.findIndex.call(data, (value) => !Number.isFinite(value));
  if (bad >= 0) throw fail(`number ${bad} of ${name} is ${data[bad]}`);
}

function dtypeOf(data: HostTensor["data"]): Dtype {
  if (data instanceof Float16Array) return "F16";
  return data instanceof Float32Array ? "F32" : data instanceof Int32Array ? "I32" : "U8";
}

/** Whether these are numbers with a fraction. */
export function isReal(data: HostTensor["data"]): data is Float32Array | Float16Array {
  return data instanceof Float32Array || data instanceof Float16Array;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function product(shape: number[]): number {
  return shape.reduce((total, side) => total * side, 1);
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Numbers as a tensor of rank 1. */
export function vector(values: number[]): HostTensor {
  return { shape: [values.length], data: Float32Array.from(values) };
}

/** Rows of one length behind each other. */
export function concatenated(rows: Float32Array[]): Float32Array {
  const all = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, i) => all.set(row, i * row.length));
  return all;
}
