/**
 * A server for this machine alone: who may ask, and for what.
 *
 * @module
 */
import { UserError } from "../user_error.ts";

/** A server that runs. */
export interface LocalServer {
  /** What to open in a browser. */
  address: string;
  /** Ends it, and all its connections. */
  close(): Promise<void>;
}

/** What is answered to a GET request at each of the paths that there are. */
export type Answers = Record<string, () => Response | Promise<Response>>;

/** The only address it listens on: nothing outside of this machine reaches it. */
const HOSTNAME = "127.0.0.1";

/** Milliseconds that answers under way have to come to their end. */
const PATIENCE = 1000;

/** The page is for the one who looks at it: no other page may embed it, read it or learn of it. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/**
 * Answers requests of this machine at the paths that `answers` has, and nothing else: no file is ever
 * looked up by what a request asks for.
 *
 * @param options.port 0 for any that is free.
 * @throws {UserError} The port cannot be had.
 */
export function serveLocally(answers: Answers, { port }: { port: number }): LocalServer {
  const stop = new AbortController();
  const server = listen(port, stop.signal, (request) => answer(request, answers, allowed));
  const { port: actual } = server.addr;
  const suffix = actual === 80 ? "" : `:${actual}`; // browsers leave the usual port out
  const allowed = [HOSTNAME + suffix, `localhost${suffix}`];
  return {
    address: `http://${HOSTNAME}:${actual}/`,
    close: async () => {
      const patience = setTimeout(() => stop.abort(), PATIENCE);
      await server.shutdown();
      clearTimeout(patience);
    },
  };
}

function listen(
  port: number,
  signal: AbortSignal,
  handler: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: HOSTNAME, port, signal, onListen: () => {}, onError: failed };
  try {
    return Deno.serve(options, handler);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new UserError(`--port ${port} is in use; give another one, or 0 for any that is free`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new UserError(`--port ${port} may not be used; give one from 1024`);
    }
    throw error;
  }
}

async function answer(
  request: Request,
  answers: Answers,
  allowedHosts: string[],
): Promise<Response> {
  // A page from elsewhere can make its own name point here; its requests then carry that name.
  if (!allowedHosts.includes(request.headers.get("host") ?? "")) {
    return line(421, `this server answers to http://${allowedHosts[0]}/ only`);
  }
  const pathname = pathOf(request);
  if (pathname === undefined) return line(400, "the request's address is not one");
  if (!Object.hasOwn(answers, pathname)) return line(404, "there is nothing here");
  if (request.method !== "GET") {
    return line(405, `${request.method} is not answered; GET is`, { allow: "GET" });
  }
  return await answers[pathname]();
}

/** A request may have anything in the place of an address. */
function pathOf(request: Request): string | undefined {
  try {
    return new URL(request.url).pathname;
  } catch {
    return undefined;
  }
}

/** The folder may be gone, or a file in it broken, while the server runs. */
function failed(error: unknown): Response {
  if (error instanceof TypeError && /URL/.test(error.message)) {
    return line(400, "the request's address is not one");
  }
  if (!(error instanceof UserError)) throw error;
  console.error(`note: ${error.message}`);
  return line(503, error.message);
}

/** An answer with the headers that all answers have. */
export function respond(
  body: BodyInit,
  type: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, { headers: { ...HEADERS, ...headers, "content-type": type } });
}

function line(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...HEADERS, ...headers, "content-type": "text/plain; charset=utf-8" },
  });
}

/** Says where the server is, and ends it at Ctrl-C. */
export async function untilInterrupted(server: LocalServer, what: string): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    Deno.addSignalListener("SIGINT", resolve);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", resolve);
  });
  console.log(`${what} ${server.address}\nCtrl-C ends this`);
  await asked;
  await server.close();
}
