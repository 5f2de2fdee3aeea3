/**
 * Shows a run's page on this machine and keeps it up to date while the run is training.
 *
 *     deno task explore runs/paper2-quick-0
 *
 * @module
 */
import { untilInterrupted } from "../common/page/local_server.ts";
import { serveRun } from "../common/page/server.ts";
import { parseCommandLine, takeFolder } from "../common/run/command_line.ts";
import { type Command, integer } from "../common/run/flags.ts";
import { helpText } from "../common/run/help.ts";
import { runMain } from "../common/run/main.ts";
import { UserError } from "../common/user_error.ts";
import paper3Chapter from "../docs/paper_3.md" with { type: "text" };
import paper4Chapter from "../docs/paper_4.md" with { type: "text" };
import readme from "../README.md" with { type: "text" };
import unet from "../unet.ts" with { type: "text" };
import { SOURCES } from "./sources.ts";

const flags = {
  port: integer({
    help: "where to listen; 0 for any that is free",
    default: 8000,
    min: 0,
    max: 65535,
  }),
};

const command: Command<typeof flags> = {
  name: "explore",
  summary: "Shows a run in the browser, and how it changes while it trains.",
  takesFolder: true,
  flags,
  presets: {},
};

/** What a run's page leads to, by the paths in the project. */
const READ_ON: Record<string, string> = {
  ...SOURCES,
  "unet.ts": unet,
  "README.md": readme,
  "docs/paper_3.md": paper3Chapter,
  "docs/paper_4.md": paper4Chapter,
};

async function main(args: string[]): Promise<number> {
  if (args.length === 0) {
    throw new UserError(
      "which run? give its folder: deno task explore runs/paper1-quick-0; without a run of your own, " +
        "deno task play draws with the model that ships",
    );
  }
  const { folder, rest } = takeFolder(command.name, args);
  if (folder === undefined) {
    console.log(helpText(command));
    return 0;
  }
  const { settings: { port } } = parseCommandLine(command, rest);
  const server = await serveRun(folder, { port, sources: READ_ON });
  await untilInterrupted(server, `${folder} is shown at`);
  return 0;
}

if (import.meta.main) await runMain(main);
