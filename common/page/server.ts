/**
 * The server behind `deno task explore`: one run's page, for this machine alone.
 *
 * @module
 */
import { UserError } from "../user_error.ts";
import { readRun } from "./data.ts";
import { buildPage } from "./page.ts";
import { FolderWatch } from "./watch.ts";

/** A server that runs. */
export interface RunServer {
  /** What to open in a browser. */
  address: string;
  /** Ends it, and all its connections. */
  close(): Promise<void>;
}

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
 * Serves a run's page at `/`, its data at `/data`, and at `/events` a line whenever its folder changes.
 * Nothing else: no file is ever looked up by what a request asks for.
 *
 * @param folder The run's folder.
 * @param options.port 0 for any that is free.
 * @throws {UserError} There is no run in the folder, or the port cannot be had.
 */
export async function serveRun(
  folder: string,
  { port }: { port: number },
): Promise<RunServer> {
  await readRun(folder); // a wrong folder is said before anything is opened
  const watch = new FolderWatch(folder);
  const stop = new AbortController();
  const server = listen(port, stop.signal, (request) => answer(request, folder, watch, allowed));
  const { port: actual } = server.addr;
  const suffix = actual === 80 ? "" : `:${actual}`; // browsers leave the usual port out
  const allowed = [HOSTNAME + suffix, `localhost${suffix}`];
  return {
    address: `http://${HOSTNAME}:${actual}/`,
    close: async () => {
      watch.close();
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
  folder: string,
  watch: FolderWatch,
  allowedHosts: string[],
): Promise<Response> {
  // A page from elsewhere can make its own name point here; its requests then carry that name.
  if (!allowedHosts.includes(request.headers.get("host") ?? "")) {
    return line(421, `this server answers to http://${allowedHosts[0]}/ only`);
  }
  const pathname = pathOf(request);
  if (pathname === undefined) return line(400, "the request's address is not one");
  if (!["/", "/data", "/events"].includes(pathname)) return line(404, "there is nothing here");
  if (request.method !== "GET") {
    return line(405, `${request.method} is not answered; GET is`, { allow: "GET" });
  }
  if (pathname === "/events") return respond(watch.events(), "text/event-stream");
  const data = await readRun(folder);
  return pathname === "/data"
    ? respond(JSON.stringify(data), "application/json")
    : respond(await buildPage(data, { live: true }), "text/html; charset=utf-8");
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

function respond(body: BodyInit, type: string): Response {
  return new Response(body, { headers: { ...HEADERS, "content-type": type } });
}

function line(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...HEADERS, ...headers, "content-type": "text/plain; charset=utf-8" },
  });
}
