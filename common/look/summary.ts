/**
 * A tensor in one line.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Statistics, statistics } from "./statistics.ts";
import { backendOf, isNumbers, type Values, valuesNow } from "./values.ts";

const DTYPES = { float32: "f32", int32: "i32", bool: "bool", complex64: "c64", string: "str" };

/** Words that are shown of a tensor of strings. */
const WORDS = 4;

/** Statistics of tensors on the GPU that somebody has asked for. */
const asked = new WeakMap<tf.Tensor, Statistics>();

/**
 * A tensor's shape, size, numbers and backend:
 * `f32[64,32,32,1] 262 kB  μ −0.003 σ 0.998  min −4.1 max 4.3  (NaN 0)  webgpu`.
 *
 * The numbers of a tensor on the GPU cannot be read without waiting. They appear once
 * {@linkcode noteValues} has seen them; until then the line says how to ask for them.
 *
 * It only reads, which V8 can see: debuggers show the line without being asked.
 */
export function summary(tensor: tf.Tensor): string {
  if (tensor.isDisposed) return `${shapeName(tensor)} disposed`;
  const values = tensor.dtype === "complex64" ? undefined : valuesNow(tensor);
  return line(tensor, values ? content(tensor, values) : unread(tensor), backendOf(tensor));
}

/** The same for values that were read before, when `backend` held them. */
export function summaryOf(tensor: tf.Tensor, values: Values, backend: string): string {
  return line(tensor, content(tensor, values), backend);
}

/** Keeps what is needed to show a tensor of the GPU in one line from now on. */
export function noteValues(tensor: tf.Tensor, values: Values): void {
  // variables change, and what was true of them would be shown as if it still were
  if (!(tensor instanceof tf.Variable) && isNumbers(values)) asked.set(tensor, statistics(values));
}

/** Type and shape: `f32[64,32,32,1]`. */
export function shapeName({ dtype, shape }: tf.Tensor): string {
  return `${DTYPES[dtype]}[${shape}]`;
}

function line(tensor: tf.Tensor, content: string[], backend: string): string {
  const size = tensor.dtype === "string" ? [] : [bytes(tensor)];
  return [[shapeName(tensor), ...size].join(" "), ...content, backend].join("  ");
}

function content(tensor: tf.Tensor, values: Values): string[] {
  if (values.length === 0) return ["empty"];
  if (!isNumbers(values)) return [words(values)];
  if (values.length === 1) return [value(values[0], tensor.dtype)];
  return described(statistics(values), tensor);
}

function unread(tensor: tf.Tensor): string[] {
  if (tensor.dtype === "complex64") return [];
  const known = asked.get(tensor);
  return known ? described(known, tensor) : ["values on the GPU: await show(x)"];
}

function described({ mean, std, min, max, nan, infinite }: Statistics, tensor: tf.Tensor) {
  const { dtype, size } = tensor;
  if (dtype === "bool") return [`${Math.round(mean * size)} of ${size} true`];
  const extent = dtype === "int32" ? minus : shortNumber;
  const numbers = size > nan + infinite
    ? [`μ ${fixed(mean)} σ ${fixed(std)}`, `min ${extent(min)} max ${extent(max)}`]
    : [];
  const odd = `(NaN ${nan}${infinite ? `, ∞ ${infinite}` : ""})`;
  return dtype === "int32" ? numbers : [...numbers, odd];
}

function value(value: number, dtype: tf.DataType): string {
  if (dtype === "bool") return value ? "true" : "false";
  return minus(Number(value.toPrecision(6)));
}

function words(values: string[]): string {
  const first = values.slice(0, WORDS).map((word) => JSON.stringify(word));
  return [...first, ...(values.length > WORDS ? ["…"] : [])].join(", ");
}

function bytes({ size, dtype }: tf.Tensor): string {
  const all = size * ({ bool: 1, complex64: 8 }[dtype as string] ?? 4);
  if (all < 1000) return `${all} B`;
  const [inUnit, unit] = all < 1e6
    ? [all / 1e3, "kB"]
    : all < 1e9
    ? [all / 1e6, "MB"]
    : [all / 1e9, "GB"];
  return `${inUnit < 10 ? inUnit.toFixed(1) : Math.round(inUnit)} ${unit}`;
}

/** Three decimals; two digits where that would be nothing but zeros, or far too many. */
function fixed(number: number): string {
  const size = Math.abs(number);
  return number === 0 || (size >= 0.001 && size < 1000)
    ? minus(number.toFixed(3))
    : shortNumber(number);
}

/** Two digits or a whole number: −4.1, 0.52, 123, 3.1e−7. */
export function shortNumber(number: number): string {
  const size = Math.abs(number);
  if (size >= 10 && size < 1e6) return minus(Math.round(number));
  return minus(number === 0 || size >= 0.001 ? number.toPrecision(2) : number.toExponential(1));
}

/** With the minus sign, not the hyphen. */
function minus(number: number | string): string {
  return String(number).replaceAll("-", "−");
}
