/**
 * A tensor in one line.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
// VS Code shows the line in its list of variables only if V8 finds that writing it changes nothing, and
// V8 takes every use of a binding that a module imports or exports by name for a change. So here, and
// in what is called here, imports have a namespace, and no exported function calls another by its name.
import * as numbers from "./numbers.ts";
import * as measured from "./statistics.ts";
import * as reading from "./values.ts";

/** How many words of a tensor of strings are shown. */
const WORDS = 4;

/** Statistics of tensors on the GPU that somebody has asked for. */
const asked = new WeakMap<tf.Tensor, measured.Statistics>();

/**
 * A tensor's shape, size, numbers and backend:
 * `f32[64,32,32,1] 262 kB  μ −0.003 σ 0.998  min −4.1 max 4.3  (NaN 0)  webgpu`.
 *
 * The numbers of a tensor on the GPU cannot be read without waiting. They appear once
 * {@linkcode noteValues} has seen them; until then the line says how to ask for them.
 */
export function summary(tensor: tf.Tensor): string {
  if (tensor.isDisposed) return `${reading.shapeName(tensor)} disposed`;
  const values = tensor.dtype === "complex64" ? undefined : reading.valuesNow(tensor);
  return line(tensor, values ? content(tensor, values) : unread(tensor), reading.backendOf(tensor));
}

/** The same for values that were read earlier; `backend` held them then. */
export function summaryOf(tensor: tf.Tensor, values: reading.Values, backend: string): string {
  return line(tensor, content(tensor, values), backend);
}

/** Keeps what is needed to show a tensor of the GPU in one line from now on. */
export function noteValues(tensor: tf.Tensor, values: reading.Values): void {
  // variables change, and what was true of them would be shown as if it still were
  if (tensor instanceof tf.Variable || !reading.isNumbers(values)) return;
  asked.set(tensor, measured.statistics(values));
}

function line(tensor: tf.Tensor, content: string[], backend: string): string {
  const size = tensor.dtype === "string" ? [] : [bytes(tensor)];
  return [[reading.shapeName(tensor), ...size].join(" "), ...content, backend].join("  ");
}

function content(tensor: tf.Tensor, values: reading.Values): string[] {
  if (values.length === 0) return ["empty"];
  if (!reading.isNumbers(values)) return [words(values)];
  if (values.length > 1) return described(measured.statistics(values), tensor);
  return [tensor.dtype === "bool" ? String(values[0] !== 0) : numbers.exact(values[0])];
}

function unread(tensor: tf.Tensor): string[] {
  if (tensor.dtype === "complex64") return [];
  const known = asked.get(tensor);
  return known ? described(known, tensor) : ["values on the GPU: await show(x)"];
}

function described(
  { mean, std, min, max, nan, infinite }: measured.Statistics,
  { dtype, size }: tf.Tensor,
): string[] {
  if (dtype === "bool") return [`${Math.round(mean * size)} of ${size} true`];
  const extent = dtype === "int32" ? numbers.exact : numbers.short;
  const finite = size > nan + infinite
    ? [
      `μ ${numbers.precise(mean)} σ ${numbers.precise(std)}`,
      `min ${extent(min)} max ${extent(max)}`,
    ]
    : [];
  const odd = `(NaN ${nan}${infinite ? `, ∞ ${infinite}` : ""})`;
  return dtype === "int32" ? finite : [...finite, odd];
}

function words(values: string[]): string {
  const first = values.slice(0, WORDS).map((word) => JSON.stringify(word));
  return [...first, ...(values.length > WORDS ? ["…"] : [])].join(", ");
}

function bytes({ size, dtype }: tf.Tensor): string {
  const all = size * ({ bool: 1, complex64: 8 }[dtype as string] ?? 4);
  if (all < 1000) return `${all} B`;
  if (all < 1e6) return `${inUnits(all / 1e3)} kB`;
  return all < 1e9 ? `${inUnits(all / 1e6)} MB` : `${inUnits(all / 1e9)} GB`;
}

function inUnits(number: number): string {
  return number < 10 ? number.toFixed(1) : String(Math.round(number));
}
