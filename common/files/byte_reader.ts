/**
 * Reading data files front to back, gzip-compressed or not, without trusting what their headers say
 * about sizes.
 *
 * @module
 */
import { UserError } from "../user_error.ts";
import { readingFailed } from "./file_errors.ts";

/** Deflate cannot make data smaller than this, so a header that promises more is lying. */
const LARGEST_DEFLATE_RATIO = 1032;

/** The bytes of a file in order, unpacked. */
export class ByteReader implements AsyncDisposable {
  /** The file's name for messages. */
  readonly name: string;
  #left: number;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  private constructor(name: string, left: number, stream: ReadableStream<Uint8Array>) {
    this.name = name;
    this.#left = left;
    this.#reader = stream.getReader();
  }

  /**
   * Opens a file; whether it is compressed is seen from its first two bytes.
   *
   * @throws {UserError} It is missing, not a file, or may not be read.
   */
  static async open(path: string): Promise<ByteReader> {
    const file = await Deno.open(path).catch((error) => {
      throw readingFailed(path, error);
    });
    const { size, isFile } = await file.stat();
    if (!isFile) {
      file.close();
      throw new UserError(`${path}: not a file; expected a data file`);
    }
    const magic = new Uint8Array(2);
    await file.read(magic);
    await file.seek(0, Deno.SeekMode.Start);
    const packed = magic[0] === 0x1f && magic[1] === 0x8b;
    return packed
      ? new ByteReader(
        path,
        size * LARGEST_DEFLATE_RATIO,
        file.readable.pipeThrough(new DecompressionStream("gzip")),
      )
      : new ByteReader(path, size, file.readable);
  }

  /** The most bytes that can still come; exact if the file is not compressed. */
  get left(): number {
    return this.#left;
  }

  /**
   * Fills the target with the next bytes.
   *
   * @returns How many there were: fewer than asked for only at the end of the file.
   * @throws {UserError} The compressed data are damaged or break off.
   */
  async fill(target: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#next();
        if (done) break;
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      this.#left -= part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return filled;
  }

  /** Whether all bytes have been read. */
  async atEnd(): Promise<boolean> {
    return await this.fill(new Uint8Array(1)) === 0;
  }

  /** Closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #next(): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      return await this.#reader.read();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new UserError(
        `${this.name}: the gzip data are damaged or break off; expected a whole .gz file`,
      );
    }
  }
}
