/**
 * Numbers in order, several times as fast as `sort()`: distances sort thousands of lines.
 *
 * @module
 */

/** Bits of a digit, digits of a number, and the values that a digit may have. */
const [BITS, DIGITS, VALUES] = [11, 3, 2048];
const LOWEST_BIT = -0x80000000;

const counts = new Uint32Array(DIGITS * VALUES);

/**
 * Sorts by the bits: a float32 is in order as an integer is, once the sign's bit is turned over, and with a
 * minus all others, too. Those integers are dealt out by their lowest digit, then by the next: what is
 * equal in one stays in the order of the digits before (a radix sort).
 *
 * @param values Are put in order where they are. A NaN comes first or last, by its sign.
 */
export function sortFloats(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const N = values.length;
  const own = new Int32Array(values.buffer, values.byteOffset, N);
  let [from, to] = [own, new Int32Array(N)];
  counts.fill(0);
  for (let i = 0; i < N; i++) {
    const key = own[i] ^ ((own[i] >> 31) | LOWEST_BIT);
    own[i] = key;
    for (let digit = 0; digit < DIGITS; digit++) counts[place(key, digit)]++;
  }
  for (let digit = 0; digit < DIGITS; digit++) {
    let before = 0; // how many numbers have a smaller digit
    for (let k = digit * VALUES; k < (digit + 1) * VALUES; k++) {
      const count = counts[k];
      counts[k] = before;
      before += count;
    }
    for (let i = 0; i < N; i++) to[counts[place(from[i], digit)]++] = from[i];
    [from, to] = [to, from];
  }
  for (let i = 0; i < N; i++) own[i] = from[i] ^ (~(from[i] >> 31) | LOWEST_BIT);
  return values;
}

/** Where the counts have a number's digit; the last one is the highest. */
function place(key: number, digit: number): number {
  return digit * VALUES + ((key >>> (digit * BITS)) & (VALUES - 1));
}
