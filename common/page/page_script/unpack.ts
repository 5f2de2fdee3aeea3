/// <reference lib="dom" />
import type { Packed } from "../packed.ts";

/** The stored integers, or numbers where they are stored as they are. */
export function stored({ type, base64 }: Packed): Uint8Array | Int16Array | Float32Array {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  if (type === "u8") return bytes;
  return type === "i16" ? new Int16Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

/** The numbers. */
export function unpack(packed: Packed): Float32Array {
  const { scale, offset } = packed;
  return Float32Array.from(stored(packed), (value) => offset + scale * value);
}
