// Dropout by Threefry-2x32-20 (see common/random.ts): two numbers for each counter.

import { at, float, int } from "./lanes";

// y = 0 where the upper 24 random bits are below the threshold, else x·scale. Unit: 4,096 numbers.
// args: x, y, n, threshold, scale, key0, key1, step
export function dropout(args: usize, scratch: usize, begin: i32, end: i32): void {
  const x: usize = int(args, 0), y: usize = int(args, 1), n = int(args, 2);
  const threshold: u32 = int(args, 3), scale = float(args, 4);
  const key0: u32 = int(args, 5), key1: u32 = int(args, 6), step: u32 = int(args, 7);
  for (let i = begin * 4096; i < min(end * 4096, n); i += 2) {
    const words = threefry(key0, key1, i >> 1, step);
    keepOrDrop(at(x, i), at(y, i), <u32> words, threshold, scale);
    if (i + 1 < n) keepOrDrop(at(x, i + 1), at(y, i + 1), <u32> (words >> 32), threshold, scale);
  }
}

// @ts-ignore: decorator
@inline
function keepOrDrop(x: usize, y: usize, bits: u32, threshold: u32, scale: f32): void {
  store<f32>(y, (bits >> 8) < threshold ? 0 : load<f32>(x) * scale);
}

// The counter's two words encrypted: the first in the lower half.
function threefry(key0: u32, key1: u32, counter0: u32, counter1: u32): u64 {
  const key2: u32 = key0 ^ key1 ^ 0x1bd11bda;
  let x: u32 = counter0 + key0, y: u32 = counter1 + key1;
  // four rounds, then the next two key words; the key words take turns
  x += y; y = rotl<u32>(y, 13) ^ x; x += y; y = rotl<u32>(y, 15) ^ x;
  x += y; y = rotl<u32>(y, 26) ^ x; x += y; y = rotl<u32>(y, 6) ^ x;
  x += key1; y += key2 + 1;
  x += y; y = rotl<u32>(y, 17) ^ x; x += y; y = rotl<u32>(y, 29) ^ x;
  x += y; y = rotl<u32>(y, 16) ^ x; x += y; y = rotl<u32>(y, 24) ^ x;
  x += key2; y += key0 + 2;
  x += y; y = rotl<u32>(y, 13) ^ x; x += y; y = rotl<u32>(y, 15) ^ x;
  x += y; y = rotl<u32>(y, 26) ^ x; x += y; y = rotl<u32>(y, 6) ^ x;
  x += key0; y += key1 + 3;
  x += y; y = rotl<u32>(y, 17) ^ x; x += y; y = rotl<u32>(y, 29) ^ x;
  x += y; y = rotl<u32>(y, 16) ^ x; x += y; y = rotl<u32>(y, 24) ^ x;
  x += key1; y += key2 + 4;
  x += y; y = rotl<u32>(y, 13) ^ x; x += y; y = rotl<u32>(y, 15) ^ x;
  x += y; y = rotl<u32>(y, 26) ^ x; x += y; y = rotl<u32>(y, 6) ^ x;
  x += key2; y += key0 + 5;
  return (<u64> y << 32) | x;
}
