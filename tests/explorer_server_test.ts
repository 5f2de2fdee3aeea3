// `deno task explore` as a process: what it answers, what it refuses, and how it ends.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PLACES } from "../common/page/read_on.ts";
import { inTemporaryFolder, mayRunCommands } from "./commands.ts";
import { exploreCommand, type Explorer, startExplorer } from "./explorer_server.ts";
import { losses, record, writePointRun } from "./fixtures/run_folders.ts";

const mayConnect = (await Deno.permissions.query({ name: "net" })).state === "granted";

function serverTest(
  name: string,
  test: (explorer: Explorer, run: string) => Promise<void>,
  said = "",
): void {
  Deno.test({
    name,
    ignore: !mayRunCommands || !mayConnect,
    fn: () =>
      inTemporaryFolder(async (folder) => {
        await writePointRun(`${folder}/runs/a`);
        await Deno.writeTextFile(`${folder}/runs/secret.txt`, "root:secret");
        const explorer = await startExplorer(folder, "runs/a");
        try {
          await test(explorer, `${folder}/runs/a`);
        } finally {
          const { code, stderr } = await explorer.stop();
          assertEquals(code, 0);
          assert(said ? stderr.includes(said) : stderr === "", stderr);
        }
      }),
  });
}

/** Sends bytes as they are: fetch would tidy the path. Gives everything that comes back. */
async function raw(port: number, ...lines: string[]): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = [...lines, "Connection: close", "", ""].join("\r\n");
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

/** Reads server-sent events until there are so many. */
async function eventsFrom(address: string, count: number, onFirst?: () => Promise<void>) {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]);
  const response = await fetch(`${address}events`, { signal });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  let text = "";
  let isFirst = true;
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (isFirst) await onFirst?.();
    isFirst = false;
    if (text.split("event: change").length > count) break;
  }
  stop.abort();
}

serverTest("the page and its data are served, to nobody else's page", async ({ address }, run) => {
  const page = await fetch(address);
  assertEquals(page.status, 200);
  assertEquals(page.headers.get("cross-origin-resource-policy"), "same-origin");
  assertEquals(page.headers.get("access-control-allow-origin"), null);
  assertStringIncludes(await page.text(), "connect-src 'self'");
  const data = await (await fetch(`${address}data`)).json();
  assertEquals([data.name, data.record.script], ["a", "paper1"]);
  await Deno.remove(`${run}/run.json`);
  const gone = await fetch(`${address}data`);
  assertEquals(gone.status, 503);
  assertStringIncludes(await gone.text(), "it has no run.json");
  await writePointRun(run);
  assertEquals((await (await fetch(`${address}data`)).json()).problems, []);
}, "it has no run.json");

serverTest("the page leads to the lines of the code that it is about", async ({ address }, run) => {
  for (const [script, places] of Object.entries(PLACES)) {
    await Deno.writeTextFile(`${run}/run.json`, record(script));
    const page = await (await fetch(address)).text();
    const links = [...page.matchAll(/<a href="(code\/[^"#]+)#(L\d+)">/g)];
    assertEquals(links.length, places.length, script);
    for (const [i, [, path, id]] of links.entries()) {
      const code = await fetch(address + path);
      assertEquals(code.status, 200, path);
      const [, text] = new RegExp(`<span id="${id}"><a [^>]*>\\d+</a>(.*?)</span>`)
        .exec(await code.text())!;
      assert(text.startsWith(places[i].line.replace("<", "&lt;")), `${path}#${id}: ${text}`);
    }
  }
});

serverTest("no path leads to a file", async ({ port }) => {
  const host = `Host: 127.0.0.1:${port}`;
  const paths = [
    "/../../etc/passwd",
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "//etc/passwd",
    "/run.json",
    "/report.html",
    "/data/../secret.txt",
    "/a/",
    "/code/paper_1_partb.ts",
    "/code/../run.json",
    `http://127.0.0.1:${port}/../secret.txt`,
  ];
  for (const path of paths) {
    const answer = await raw(port, `GET ${path} HTTP/1.1`, host);
    assertMatch(answer, /^HTTP\/1\.1 (400|404) /, path);
    assert(!/root:|secret|run\.json|loss\.csv/.test(answer), `${path}: ${answer}`);
  }
});

serverTest("other hosts' names and other methods are refused", async ({ address, port }) => {
  for (
    const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", `127.0.0.1.nip:${port}`, ""]
  ) {
    const answer = await raw(port, "GET /data HTTP/1.1", `Host: ${host}`);
    assertMatch(answer, /^HTTP\/1\.1 (400|421) /, host);
    assert(!answer.includes("paper1"), answer);
  }
  assertMatch(await raw(port, "GET /data HTTP/1.1"), /^HTTP\/1\.1 (400|421) /);
  const absolute = await raw(port, "GET http://evil.example/data HTTP/1.1", "Host: evil.example");
  assertMatch(absolute, /^HTTP\/1\.1 (400|421) /);
  assertMatch(await raw(port, "GET / HTTP/1.1", `Host: localhost:${port}`), /^HTTP\/1\.1 200 /);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
    const response = await fetch(address, { method });
    assertEquals([response.status, response.headers.get("allow")], [405, "GET"], method);
    await response.body?.cancel();
  }
});

serverTest("everybody who listens hears of a change", async ({ address }, run) => {
  async function change() {
    await new Promise((resolve) => setTimeout(resolve, 1500)); // it looks every second
    await Deno.writeTextFile(`${run}/loss.csv`, losses(60));
  }
  await Promise.all([eventsFrom(address, 2), eventsFrom(address, 2, change)]);
  assertEquals((await (await fetch(`${address}data`)).json()).loss.steps, 60);
});

Deno.test({
  name: "explore answers mistakes with one line",
  ignore: !mayRunCommands || !mayConnect,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await writePointRun(`${folder}/runs/a`);
      await Deno.mkdir(`${folder}/runs/empty`);
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const mistakes: [string[], RegExp][] = [
        [[], /^error: which run\?/],
        [["runs/none"], /^error: runs\/none is not the folder of a run/],
        [["runs/empty"], /^error: runs\/empty is not the folder of a run/],
        [["runs/a", "--port", "x"], /^error: --port does not take 'x'/],
        [["runs/a", "--prot", "1"], /^error: --prot is not a known flag; did you mean --port/],
        [["runs/a", "--port", `${listener.addr.port}`], /^error: --port \d+ is in use/],
        [["/etc"], /^error: cannot read \/etc\/run\.json: this needs the permission/],
      ];
      for (const [args, expected] of mistakes) {
        const { code, stderr } = await exploreCommand(folder, args).output();
        const text = new TextDecoder().decode(stderr);
        assertMatch(text, expected);
        assertEquals([code, text.trimEnd().split("\n").length], [2, 1], text);
      }
    }),
});
