/**
 * Taking files out of a .tar or .tar.gz archive, front to back.
 *
 * @module
 */
import { UserError } from "../../user_error.ts";
import { ByteReader } from "../../files/byte_reader.ts";

const BLOCK = 512;

/**
 * The regular files of an archive that are wanted, in its order.
 *
 * @param path The archive; compression is seen from its first bytes.
 * @param wanted Whether the file of this full name is read; the others are skipped.
 * @throws {UserError} The archive is damaged or breaks off.
 */
export async function* readTar(
  path: string,
  wanted: (name: string) => boolean,
): AsyncGenerator<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  await using reader = await ByteReader.open(path);
  const block = new Uint8Array(BLOCK);
  while (await reader.fill(block) === BLOCK) {
    if (block.every((byte) => byte === 0)) return; // the end of the archive
    const { name, size, regular } = parseHeader(block, path);
    if (regular && wanted(name)) {
      if (size > reader.left) throw brokenOff(path, name);
      const bytes = new Uint8Array(size);
      if (await reader.fill(bytes) < size) throw brokenOff(path, name);
      await skip(reader, (BLOCK - size % BLOCK) % BLOCK, name);
      yield { name, bytes };
    } else {
      await skip(reader, Math.ceil(size / BLOCK) * BLOCK, name);
    }
  }
}

/** A header block of the ustar format: text fields at fixed offsets, numbers in octal. */
function parseHeader(
  block: Uint8Array,
  path: string,
): { name: string; size: number; regular: boolean } {
  const text = (from: number, length: number) =>
    new TextDecoder().decode(block.subarray(from, from + length)).replace(/\0.*$/s, "");
  const octal = (from: number, length: number) => parseInt(text(from, length).trim(), 8);
  // the checksum is the sum of all bytes with its own eight counted as spaces
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  const size = octal(124, 12);
  if (octal(148, 8) !== sum || !(size >= 0)) {
    throw new UserError(`${path}: not a tar archive, or a damaged one; expected a .tar.gz`);
  }
  const prefix = text(257, 5) === "ustar" ? text(345, 155) : "";
  const name = prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
  return { name, size, regular: block[156] === 0 || block[156] === 48 };
}

async function skip(reader: ByteReader, count: number, name: string): Promise<void> {
  const scratch = new Uint8Array(Math.min(count, 65536));
  for (let left = count; left > 0; left -= scratch.length) {
    const part = scratch.subarray(0, Math.min(left, scratch.length));
    if (await reader.fill(part) < part.length) throw brokenOff(reader.name, name);
  }
}

function brokenOff(path: string, name: string): UserError {
  return new UserError(`${path}: truncated: the archive breaks off inside ${name}`);
}
