/**
 * Random numbers that are a function of where they are used, not of what was drawn before.
 *
 * Number i of a draw depends on (seed, stream, step, i) alone: a resumed run, a run with another
 * number of threads and a single step in the debugger all draw the same numbers. The generator is
 * Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3").
 *
 * @module
 */

/** Names a sequence of random numbers. */
export interface Draw {
  /** The run's seed: an integer from 0 to 2⁵³ − 1. */
  seed: number;
  /** What the numbers are for: "batch", "eps", "initial conv1.weight", ... */
  stream: string;
  /** Which step of the run, from 0 to 2³² − 1. Default: 0. */
  step?: number;
}

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];
const PARITY = 0x1bd11bda;

/**
 * Threefry-2x32-20: encrypts a counter of two words with a key of two words.
 *
 * @param out Receives the two words at `at`.
 */
export function threefry(
  [key0, key1]: readonly [number, number],
  counter0: number,
  counter1: number,
  out: Uint32Array,
  at: number,
): void {
  const key2 = key0 ^ key1 ^ PARITY;
  let x = (counter0 + key0) | 0;
  let y = (counter1 + key1) | 0;
  for (let group = 1; group <= 5; group++) {
    const first = group % 2 === 1 ? 0 : 4;
    for (let i = first; i < first + 4; i++) {
      x = (x + y) | 0;
      y = ((y << ROTATIONS[i]) | (y >>> (32 - ROTATIONS[i]))) ^ x;
    }
    // the three key words take turns
    x = (x + (group % 3 === 0 ? key0 : group % 3 === 1 ? key1 : key2)) | 0;
    y = (y + (group % 3 === 0 ? key1 : group % 3 === 1 ? key2 : key0) + group) | 0;
  }
  out[at] = x;
  out[at + 1] = y;
}

/** `count` words of 32 random bits. */
export function randomBits({ seed, stream, step = 0 }: Draw, count: number): Uint32Array {
  // the key is the seed and the stream's name; the counter is the step and the position
  const key = streamKey(seed, stream);
  const bits = new Uint32Array(count + (count & 1));
  for (let i = 0; i < count; i += 2) threefry(key, i >>> 1, step, bits, i);
  return bits.subarray(0, count);
}

/** `count` numbers uniform in [0, 1), multiples of 2⁻²⁴. */
export function uniform(draw: Draw, count: number): Float32Array {
  return Float32Array.from(randomBits(draw, count), (word) => (word >>> 8) / 0x1000000);
}

/**
 * `count` numbers of the standard normal distribution, by pairs (Box & Muller 1958).
 *
 * @example The same draw gives the same numbers, whatever was drawn before
 * ```ts
 * import { normal } from "./random.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const first = normal({ seed: 0, stream: "eps", step: 3 }, 4);
 * normal({ seed: 0, stream: "something else" }, 100);
 * assertEquals(normal({ seed: 0, stream: "eps", step: 3 }, 4), first);
 * ```
 */
export function normal(draw: Draw, count: number): Float32Array {
  const even = count + (count & 1);
  const bits = randomBits(draw, even);
  const numbers = new Float32Array(even);
  for (let i = 0; i < even; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((bits[i] + 0.5) / 0x100000000)); // of a number in (0, 1)
    const angle = 2 * Math.PI * (bits[i + 1] / 0x100000000);
    numbers[i] = radius * Math.cos(angle);
    numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers.subarray(0, count);
}

/** `count` integers uniform in low..high − 1. The bias is below (high − low)/2³². */
export function integers(draw: Draw, count: number, low: number, high: number): Int32Array {
  const range = high - low;
  return Int32Array.from(
    randomBits(draw, count),
    (word) => low + Math.floor(word * range / 0x100000000),
  );
}

/** The numbers 0..n − 1 in random order (Fisher & Yates). */
export function permutation(draw: Draw, n: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const bits = randomBits(draw, n);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(bits[i] * (i + 1) / 0x100000000);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Two key words from a seed and a stream's name: the seed's halves encrypt the name's hash. */
export function streamKey(seed: number, stream: string): [number, number] {
  const words = new Uint32Array(2);
  threefry([seed >>> 0, Math.floor(seed / 0x100000000)], hash(stream), stream.length, words, 0);
  return [words[0], words[1]];
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
