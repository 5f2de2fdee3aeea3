/**
 * Notices when a run's folder changes, and tells everybody who listens.
 *
 * @module
 */

/** How often to look, in milliseconds. */
const EVERY = 1000;
/** The files that the page is made of; checkpoints and locks do not matter to it. */
const SHOWN = /^(run\.json|loss\.csv|figures\.safetensors|(sheet-\d+|paper\d\w*(-\d+)?)\.png)$/;

/** Looks at a folder as long as somebody listens. */
export class FolderWatch {
  readonly #folder: string;
  readonly #listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #timer?: ReturnType<typeof setTimeout>;
  #seen = "";

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Server-sent events: a `change` at once, since there may have been some before, and at every change. */
  events(): ReadableStream<Uint8Array> {
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream({
      start: (controller) => {
        own = controller;
        this.#listeners.add(own);
        own.enqueue(CHANGE);
        this.#timer ??= setTimeout(() => this.#look(), 0);
      },
      cancel: () => {
        this.#listeners.delete(own);
      },
    });
  }

  /** Ends all listening. */
  close(): void {
    clearTimeout(this.#timer);
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
  }

  async #look(): Promise<void> {
    const state = await stateOf(this.#folder);
    if (this.#listeners.size === 0) {
      this.#timer = undefined;
      return;
    }
    if (this.#seen !== "" && state !== this.#seen) {
      for (const listener of this.#listeners) listener.enqueue(CHANGE);
    }
    this.#seen = state;
    this.#timer = setTimeout(() => this.#look(), EVERY);
  }
}

const CHANGE = new TextEncoder().encode("event: change\ndata: the folder\n\n");

/** Names, sizes and times of the folder's files, as one text. */
async function stateOf(folder: string): Promise<string> {
  const files: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!SHOWN.test(name)) continue;
      const { size, mtime } = await Deno.stat(`${folder}/${name}`);
      files.push(`${name} ${size} ${mtime?.getTime()}`);
    }
  } catch (error) { // a file was being replaced, or the folder is gone: whoever asks for the data gets the error
    files.push(String(error));
  }
  return files.sort().join("\n");
}
