/**
 * Shows the page to play with on this machine, as `deno task page` has written it:
 *
 *     deno task play
 *
 * Its headers isolate the page from all others, so that the threads of its WASM may share memory.
 *
 * @module
 */
import { readBytes } from "../common/files/reading.ts";
import {
  type Answers,
  respond,
  serveLocally,
  untilInterrupted,
} from "../common/page/local_server.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { type Command, integer } from "../common/run/flags.ts";
import { helpText } from "../common/run/help.ts";
import { runMain } from "../common/run/main.ts";
import { UserError } from "../common/user_error.ts";

const flags = {
  port: integer({
    help: "where to listen; 0 for any that is free",
    default: 8001,
    min: 0,
    max: 65535,
  }),
};

const command: Command<typeof flags> = {
  name: "play",
  summary: "Shows the page to play with in the browser.",
  flags,
  presets: {},
};

/** Where the task writes the page before. */
const FOLDER = "runs/page";

const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

/** An answer for each file of the page; `/` is index.html. */
async function answersOf(folder: string): Promise<Answers> {
  const answers: Answers = {};
  for (const below of ["", "code/"]) {
    for await (const { name, isFile } of Deno.readDir(`${folder}/${below}`)) {
      const type = TYPES[name.split(".").at(-1)!];
      if (!isFile || !type) continue;
      const bytes = await readBytes(`${folder}/${below}${name}`);
      answers[`/${below}${name}`] = () => respond(bytes, type, ISOLATED);
    }
  }
  answers["/"] = answers["/index.html"];
  return answers;
}

/** The script as a command: its flags in, its exit code out. */
export async function main(args: string[]): Promise<number> {
  const { settings: { port }, help } = parseCommandLine(command, args);
  if (help) {
    console.log(helpText(command));
    return 0;
  }
  const answers = await answersOf(FOLDER).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`${FOLDER} is not there; write it first: deno task page`);
  });
  await untilInterrupted(serveLocally(answers, { port }), "the page is at");
  return 0;
}

if (import.meta.main) await runMain(main);
