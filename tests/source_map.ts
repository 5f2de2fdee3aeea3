/**
 * The way between a TypeScript file and the script that V8 runs in its place.
 *
 * @module
 */

/** A place in a script as V8 counts, from 0. */
export interface Position {
  lineNumber: number;
  columnNumber: number;
}

/** A script as V8 runs it, with its way back to the TypeScript source. */
export class Script {
  readonly #source: string[];
  readonly #mappings: Mapping[];

  constructor(readonly scriptId: string, readonly url: string, sourceMapURL: string) {
    const { sourcesContent, mappings } = JSON.parse(decodeDataUrl(sourceMapURL));
    this.#source = sourcesContent[0].split("\n");
    this.#mappings = decodeMappings(mappings);
  }

  /** Where the code of the one source line with this text begins in the script that V8 runs. */
  positionOf(text: string): Position {
    const lines = this.#source.flatMap((line, i) => line.includes(text) ? [i] : []);
    if (lines.length !== 1) {
      throw new Error(`"${text}" is in ${lines.length} lines of ${this.url}, not in one`);
    }
    const mapping = this.#mappings.find(({ sourceLine }) => sourceLine === lines[0]);
    if (!mapping) throw new Error(`no code belongs to "${text}" in ${this.url}`);
    return { lineNumber: mapping.line, columnNumber: mapping.column };
  }

  /** The source line that a place in the script comes from, without its indentation. */
  sourceLine({ lineNumber, columnNumber }: Position): string {
    const mapping = this.#mappings.findLast(({ line, column }) =>
      line === lineNumber && column <= columnNumber
    );
    return mapping ? this.#source[mapping.sourceLine].trim() : "";
  }
}

/** A position in the script, and the source line that it comes from; all from 0. */
interface Mapping {
  line: number;
  column: number;
  sourceLine: number;
}

function decodeDataUrl(url: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(url.slice(url.indexOf(",") + 1)));
}

/**
 * The mappings of a source map (ECMA-426): lines parted by ";", segments by ",", each of up to five
 * differences to the segment before it, the first being the column and the third the source line.
 */
function decodeMappings(mappings: string): Mapping[] {
  let sourceLine = 0;
  return mappings.split(";").flatMap((segments, line) => {
    let column = 0;
    return segments.split(",").filter((segment) => segment !== "").map((segment) => {
      const differences = decodeVlq(segment);
      column += differences[0];
      sourceLine += differences[2] ?? 0;
      return { line, column, sourceLine };
    });
  });
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Numbers in base 64: five bits a character, the lowest first; the last bit is the sign. */
function decodeVlq(text: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const character of text) {
    const digit = BASE64.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue; // more follows
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}
