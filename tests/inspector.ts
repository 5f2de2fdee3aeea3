/**
 * Drives a script through Deno's inspector, as Chrome DevTools and VS Code do: V8's inspector protocol
 * over a WebSocket.
 *
 * @module
 */
import { type Position, Script } from "./source_map.ts";

// deno-lint-ignore no-explicit-any -- the protocol has hundreds of messages, and tests read a few fields
type Message = any;

/** Where a script stands still. */
export interface Paused {
  reason: string;
  hitBreakpoints: string[];
  callFrames: {
    callFrameId: string;
    functionName: string;
    url: string;
    location: Position & { scriptId: string };
    scopeChain: { type: string; object: { objectId: string } }[];
  }[];
}

/** A process that runs under the inspector. */
export class Inspected {
  readonly scripts = new Map<string, Script>();
  /** What the script printed with `console.log`, as the inspector reports it. */
  readonly printed: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #stdout: Promise<string>;
  readonly #stderr: Promise<string>;
  readonly #atEnd = Promise.withResolvers<void>();
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #pauses: Paused[] = [];
  #onPause: (() => void) | undefined;
  #messages = 0;

  private constructor(child: Deno.ChildProcess, socket: WebSocket, stderr: Promise<string>) {
    this.#child = child;
    this.#socket = socket;
    this.#stdout = new Response(child.stdout).text();
    this.#stderr = stderr;
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
  }

  /**
   * Starts a command that was given `--inspect-brk` and connects to it; its output must be piped.
   *
   * The script stands before its first line then.
   */
  static async start(command: Deno.Command): Promise<Inspected> {
    const child = command.spawn();
    try {
      const { url, rest } = await within(60, "the inspector's address", addressIn(child.stderr));
      const socket = new WebSocket(url);
      await within(10, "the inspector's WebSocket to open", opened(socket));
      const inspected = new Inspected(child, socket, rest);
      for (const method of ["Runtime.enable", "Debugger.enable"]) await inspected.send(method);
      await inspected.#begin();
      return inspected;
    } catch (error) {
      try {
        child.kill();
      } catch {
        // it has ended
      }
      await child.status;
      throw error;
    }
  }

  /** Lets the script come to its first stop. Deno 2.9 forgets that it was told to if it was too early. */
  async #begin(): Promise<void> {
    const begin = () => this.send("Runtime.runIfWaitingForDebugger");
    const again = setInterval(() => begin().catch(() => {}), 500);
    try {
      await begin();
      await this.paused("the stop before the first line");
    } finally {
      clearInterval(again);
    }
  }

  /** Sends a command of the protocol and waits for its answer. */
  async send(method: string, params: Message = {}): Promise<Message> {
    const id = ++this.#messages;
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await within(30, `the answer to ${method}`, answer);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Waits until the script stands still. */
  async paused(what: string): Promise<Paused> {
    if (this.#pauses.length === 0) {
      const stop = new Promise<void>((resolve) => this.#onPause = resolve);
      await within(60, what, Promise.race([stop, this.#atEnd.promise]));
    }
    const paused = this.#pauses.shift();
    if (paused) return paused;
    this.#socket.close();
    throw new Error(`the script ended before ${what}: ${await this.#stderr}`);
  }

  /** Steps on and waits for the next stop. */
  async step(how: "stepInto" | "stepOver" | "stepOut"): Promise<Paused> {
    await this.send(`Debugger.${how}`);
    return await this.paused(`the stop after ${how}`);
  }

  /** The value of an expression in the topmost frame; what is no plain value is described. */
  async evaluate(paused: Paused, expression: string, options: Message = {}): Promise<unknown> {
    const { result, exceptionDetails } = await this.send("Debugger.evaluateOnCallFrame", {
      callFrameId: paused.callFrames[0].callFrameId,
      expression,
      ...options,
    });
    if (exceptionDetails) throw new Error(`${expression}: ${result.description}`);
    return result.value ?? result.description;
  }

  /** Stops the script from now on before the one source line with this text. */
  async setBreakpoint(script: Script, text: string): Promise<string> {
    const place = { url: script.url, ...script.positionOf(text) };
    return (await this.send("Debugger.setBreakpointByUrl", place)).breakpointId;
  }

  /** How Chrome DevTools shows an expression's value with its setting "Custom formatters": as JSON. */
  async formatted(paused: Paused, expression: string): Promise<string> {
    await this.send("Runtime.setCustomObjectFormatterEnabled", { enabled: true });
    const { result } = await this.send("Debugger.evaluateOnCallFrame", {
      callFrameId: paused.callFrames[0].callFrameId,
      expression,
      generatePreview: true,
    });
    await this.send("Runtime.setCustomObjectFormatterEnabled", { enabled: false });
    return result.customPreview?.header ?? "";
  }

  /** The script with this ending of its address. */
  script(ending: string): Script {
    const found = [...this.scripts.values()].find(({ url }) => url.endsWith(ending));
    if (!found) throw new Error(`no script ${ending} among ${this.scripts.size}`);
    return found;
  }

  /** Lets the script run to its end and go. */
  async finish(): Promise<{ code: number; stdout: string; stderr: string }> {
    await this.send("Debugger.resume");
    await within(60, "the end of the script", this.#atEnd.promise);
    this.#socket.close(); // the process waits for it
    const { code } = await within(10, "the end of the process", this.#child.status);
    return { code, stdout: await this.#stdout, stderr: await this.#stderr };
  }

  /** Ends the process if a test failed before it could. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await Promise.all([this.#child.status, this.#stdout, this.#stderr]);
  }

  #receive(message: Message): void {
    const { id, method, params } = message;
    if (id !== undefined) {
      this.#answers.get(id)?.(message);
      this.#answers.delete(id);
    } else if (method === "Debugger.scriptParsed" && params.sourceMapURL?.startsWith("data:")) {
      const { scriptId, url, sourceMapURL } = params;
      this.scripts.set(scriptId, new Script(scriptId, url, sourceMapURL));
    } else if (method === "Debugger.paused") {
      this.#pauses.push(params);
      this.#onPause?.();
    } else if (method === "Runtime.consoleAPICalled") {
      this.printed.push(params.args.map((arg: Message) => arg.value ?? arg.description).join(" "));
    } else if (method === "Runtime.executionContextDestroyed") {
      this.#atEnd.resolve();
    }
  }
}

/** Waits, but not for ever. */
async function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${seconds} s for ${what}`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** The address that Deno prints when it waits for a debugger, and all that comes behind it. */
async function addressIn(
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<{ url: string; rest: Promise<string> }> {
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`no debugger was waited for: ${text}`);
    text += value;
    const url = text.match(/ws:\/\/\S+(?=\s)/)?.[0];
    if (!url) continue;
    return { url, rest: restOf(reader, text) };
  }
}

async function restOf(
  reader: ReadableStreamDefaultReader<string>,
  text: string,
): Promise<string> {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += value;
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("the inspector's WebSocket failed")));
  });
}
