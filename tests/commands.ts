/**
 * Runs the project's own commands as a user does, for the tests of whole processes.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";

/** How a command ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** How a command is started. */
export interface CommandOptions {
  signal?: AbortSignal;
  /** A path besides runs/ that it may read. */
  readable?: string;
}

/** Whether this test run may start processes and write files. */
export const mayRunCommands = (await Promise.all(
  (["run", "write", "read"] as const).map((name) => Deno.permissions.query({ name })),
)).every(({ state }) => state === "granted");

/** The folder with deno.json. */
export const root = new URL("..", import.meta.url).pathname;

/**
 * Runs a script with just the permissions that its task has, in a folder of its own.
 *
 * @param folder The working folder; runs/ in it may be written.
 */
export async function runScript(
  script: string,
  args: string[],
  folder: string,
  options: CommandOptions = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await scriptCommand(script, args, folder, options).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The same as a command that has not been started. */
export function scriptCommand(
  script: string,
  args: string[],
  folder: string,
  { readable, signal }: CommandOptions = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--config=${root}deno.json`,
      `--allow-read=${["runs", readable ?? []].flat().join(",")}`,
      "--allow-write=runs",
      `${root}${script}`,
      ...args,
    ],
    cwd: folder,
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  });
}

/** A temporary folder that is gone after the test. */
export async function inTemporaryFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A test that starts processes in a folder of its own; it is skipped where they may not be started. */
export function processTest(
  name: string,
  test: (folder: string) => Promise<void>,
  ignore = false,
): void {
  Deno.test({ name, ignore: ignore || !mayRunCommands, fn: () => inTemporaryFolder(test) });
}

/** The files of a folder: a hash of what is in each, by name. */
export async function contentsOf(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(`${folder}/${name}`);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    files.set(name, Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  }
  return files;
}

/** That a command ended with one line, which says what is wrong, and without a stack trace. */
export function assertRefused({ code, stderr }: Ended, message: RegExp, expectedCode = 2): void {
  assertEquals(code, expectedCode, stderr);
  const lines = errorLines(stderr);
  assertEquals(lines.length, 1, stderr);
  assertMatch(lines[0], message);
  assert(!stderr.includes("    at "), stderr);
}

/** The lines of stderr that are neither Deno's warnings nor the graphics driver's. */
export function errorLines(stderr: string): string[] {
  return stderr.split("\n").filter((line) => line.startsWith("error:"));
}

/** Asserts that two runs below `folder` have the same bytes in these files. */
export async function assertSameRuns(
  folder: string,
  [one, other]: [string, string],
  files: string[],
): Promise<void> {
  const [a, b] = await Promise.all(
    [one, other].map((run) => contentsOf(`${folder}/runs/${run}`)),
  );
  for (const file of files) assertEquals(a.get(file), b.get(file), file);
}
