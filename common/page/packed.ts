/**
 * Arrays of numbers small enough to lie in a page: quantized, and as text.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Numbers of a shape; a stored integer n means offset + scale·n, in little-endian bytes. */
export interface Packed {
  shape: number[];
  type: "u8" | "i16" | "f32";
  scale: number;
  offset: number;
  base64: string;
}

/** Numbers as they are, four bytes each. */
export function packed(values: ArrayLike<number>, shape = [values.length]): Packed {
  return { shape, type: "f32", scale: 1, offset: 0, base64: base64(Float32Array.from(values)) };
}

/** Numbers to 1/32767 of the largest, two bytes each. */
export function packedCoarsely(values: Float32Array, shape: number[]): Packed {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest > 0 ? largest / 32767 : 1;
  const stored = Int16Array.from(values, (value) => Math.round(value / scale));
  return { shape, type: "i16", scale, offset: 0, base64: base64(stored) };
}

/** Pixels in [-1, 1], one byte each; what lies outside is clipped. */
export function packedPixels(values: Float32Array, shape: number[]): Packed {
  const stored = Uint8ClampedArray.from(values, (value) => (value + 1) * 127.5);
  return { shape, type: "u8", scale: 2 / 255, offset: -1, base64: base64(stored) };
}

/** Bytes as base64. */
export function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64");
}
