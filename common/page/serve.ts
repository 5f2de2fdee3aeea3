/**
 * Shows a run's page on this machine and keeps it up to date while the run is training.
 *
 *     deno task explore runs/paper2-quick-0
 *
 * @module
 */
import { parseCommandLine, takeFolder } from "../run/command_line.ts";
import { type Command, integer } from "../run/flags.ts";
import { helpText } from "../run/help.ts";
import { runMain } from "../run/main.ts";
import { UserError } from "../user_error.ts";
import { untilInterrupted } from "./local_server.ts";
import { serveRun } from "./server.ts";

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
  const server = await serveRun(folder, { port });
  await untilInterrupted(server, `${folder} is shown at`);
  return 0;
}

if (import.meta.main) await runMain(main);
