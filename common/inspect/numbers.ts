/**
 * Numbers as a reader wants them: few digits, and a true minus sign.
 *
 * @module
 */

/** A whole number, or the digits that a float32 is sure to have: 1234567, −0.123457. */
export function exact(number: number): string {
  return withMinus(String(Number.isInteger(number) ? number : Number(number.toPrecision(6))));
}

/** Two digits, or a whole number: −4.1, 0.52, 123, 3.1e−7. */
export function short(number: number): string {
  return withMinus(twoDigits(number));
}

/** Three decimals; two digits where three decimals would be only zeros, or far too many digits: −0.003, 3.1e−7. */
export function precise(number: number): string {
  const size = Math.abs(number);
  const decimals = number === 0 || (size >= 0.001 && size < 1000);
  return withMinus(decimals ? number.toFixed(3) : twoDigits(number));
}

/** As many decimals as tell numbers apart that lie `step` from each other. */
export function inSteps(number: number, step: number): string {
  if (step < 1e-4 || step >= 1e6) return withMinus(twoDigits(number));
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(step)));
  const rounded = Number(number.toFixed(decimals));
  return withMinus((rounded === 0 ? 0 : rounded).toFixed(decimals)); // not −0
}

function twoDigits(number: number): string {
  const size = Math.abs(number);
  if (size >= 10 && size < 1e6) return String(Math.round(number));
  return number === 0 || size >= 0.001 ? number.toPrecision(2) : number.toExponential(1);
}

function withMinus(digits: string): string {
  return digits.replaceAll("-", "−");
}
