/**
 * The server behind `deno task explore`: one run's page, for this machine alone.
 *
 * @module
 */
import { readRun } from "./data.ts";
import { type LocalServer, respond, serveLocally } from "./local_server.ts";
import { buildPage } from "./page.ts";
import { codeAddress, codePage } from "./play/code_page.ts";
import type { Place } from "./read_on.ts";
import { FolderWatch } from "./watch.ts";

/**
 * Serves a run's page at `/`, its data at `/data`, at `/events` a line whenever its folder changes, and
 * below `/code/` the files that the page leads to.
 *
 * @param folder The run's folder.
 * @param options.port 0 for any that is free.
 * @param options.sources Texts by their paths in the project; the page leads to their lines.
 * @throws {UserError} There is no run in the folder, or the port cannot be had.
 */
export async function serveRun(
  folder: string,
  { port, sources }: { port: number; sources: Record<string, string> },
): Promise<LocalServer> {
  await readRun(folder); // a wrong folder is said before anything is opened
  const watch = new FolderWatch(folder);
  const linkTo = ({ file, line }: Place) =>
    codeAddress(file, 1 + sources[file].split("\n").findIndex((text) => text.startsWith(line)));
  const page = (html: string) => respond(html, "text/html; charset=utf-8");
  const server = serveLocally({
    "/": async () => page(await buildPage(await readRun(folder), { live: true, linkTo })),
    "/data": async () => respond(JSON.stringify(await readRun(folder)), "application/json"),
    "/events": () => respond(watch.events(), "text/event-stream"),
    ...Object.fromEntries(
      Object.entries(sources).map(([path, source]) => [
        `/${codeAddress(path)}`,
        async () => page(await codePage(path, source, "../")),
      ]),
    ),
  }, { port });
  return {
    ...server,
    close: async () => {
      watch.close();
      await server.close();
    },
  };
}
