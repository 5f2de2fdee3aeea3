/**
 * Tensors that say what they hold: in `console.log`, in text, in the debugger's views, and through
 * `show` and `peek`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { drawing, peek as peekAt, show as showIt } from "./show.ts";
import * as line from "./summary.ts"; // by namespace: see there
import { valuesNow } from "./values.ts";

declare global {
  /** Prints a tensor as an image or a histogram; see common/inspect/show.ts. */
  var show: typeof showIt;
  /** Writes a tensor of images as a PNG file; see common/inspect/show.ts. */
  var peek: typeof peekAt;
  /** Chrome DevTools asks these how to show an object, if its setting "Custom formatters" is on. */
  var devtoolsFormatters: Formatter[] | undefined;
}

/** What DevTools shows: an element with its style and children, or text. */
type Element = [tag: string, style: { style?: string }, ...children: string[]];

/** Each method is given the object; `header` gives null for one that it does not know. */
interface Formatter {
  header(object: unknown): Element | null;
  hasBody(object: unknown): boolean;
  body(object: unknown): Element;
}

/** Who asks under these names: Deno's `console.log`, Node.js's, and VS Code's debugger. */
const DESCRIPTIONS = ["Deno.customInspect", "nodejs.util.inspect.custom", "debug.description"];

/**
 * Makes every tensor show as one line (see common/inspect/summary.ts) wherever it is looked at, and puts
 * `show` and `peek` where a paused frame finds them without an import: always, as a debugger may be
 * attached at any time.
 *
 * `tensor.toString()` and `tensor.print()` still print the numbers. A second call does nothing.
 */
export function makeTensorsReadable(): void {
  if (globalThis.show === showIt) return;
  const readable = function (this: tf.Tensor) {
    return line.summary(this);
  };
  for (const name of DESCRIPTIONS) describe(Symbol.for(name), readable);
  describe(Symbol.toPrimitive, readable); // String(tensor), `${tensor}`
  globalThis.show = showIt;
  globalThis.peek = peekAt;
  globalThis.devtoolsFormatters = [...globalThis.devtoolsFormatters ?? [], forDevTools];
}

function describe(symbol: symbol, value: () => string): void {
  // not enumerable: tfjs and others copy and list a tensor's properties
  Object.defineProperty(tf.Tensor.prototype, symbol, { value, configurable: true, writable: true });
}

const forDevTools: Formatter = {
  header: (object) => object instanceof tf.Tensor ? ["span", {}, line.summary(object)] : null,
  hasBody: (object) => object instanceof tf.Tensor && !object.isDisposed,
  body: (object) => {
    const tensor = object as tf.Tensor;
    const values = valuesNow(tensor);
    const lines = values ? drawing(tensor, values, { columns: 80, colour: false }) : [];
    return ["div", { style: "font-family: monospace; white-space: pre" }, lines.join("\n")];
  },
};
