/**
 * The server behind `deno task explore`: one run's page, for this machine alone.
 *
 * @module
 */
import { readRun } from "./data.ts";
import { type LocalServer, respond, serveLocally } from "./local_server.ts";
import { buildPage } from "./page.ts";
import { FolderWatch } from "./watch.ts";

/**
 * Serves a run's page at `/`, its data at `/data`, and at `/events` a line whenever its folder changes.
 *
 * @param folder The run's folder.
 * @param options.port 0 for any that is free.
 * @throws {UserError} There is no run in the folder, or the port cannot be had.
 */
export async function serveRun(
  folder: string,
  options: { port: number },
): Promise<LocalServer> {
  await readRun(folder); // a wrong folder is said before anything is opened
  const watch = new FolderWatch(folder);
  const server = serveLocally({
    "/": async () =>
      respond(await buildPage(await readRun(folder), { live: true }), "text/html; charset=utf-8"),
    "/data": async () => respond(JSON.stringify(await readRun(folder)), "application/json"),
    "/events": () => respond(watch.events(), "text/event-stream"),
  }, options);
  return {
    ...server,
    close: async () => {
      watch.close();
      await server.close();
    },
  };
}
