// Starts `deno task explore` as a user does, for the tests of the server and of the page in a browser.
import config from "../deno.json" with { type: "json" };
import { root } from "./commands.ts";

/** A server that runs in a process of its own. */
export interface Explorer {
  /** As printed: http://127.0.0.1:PORT/ */
  address: string;
  port: number;
  /** Sends Ctrl-C. */
  stop(): Promise<{ code: number; stderr: string }>;
}

/** The command with the permissions of its task. */
export function exploreCommand(folder: string, args: string[]): Deno.Command {
  const [, ...task] = config.tasks.explore.split(" ");
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--config=${root}deno.json`,
      ...task.filter((argument) => argument.startsWith("--")),
      root + task.at(-1),
      ...args,
    ],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Starts it on any free port and waits until it says where it is. */
export async function startExplorer(folder: string, run: string): Promise<Explorer> {
  const process = exploreCommand(folder, [run, "--port", "0"]).spawn();
  const stderr = new Response(process.stderr).text();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("Ctrl-C")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the server did not start: ${await stderr}`);
    said += value;
  }
  const address = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(said)!;
  return {
    address: address[0],
    port: Number(address[1]),
    async stop() {
      process.kill("SIGINT");
      const { code } = await process.status;
      await reader.cancel();
      return { code, stderr: await stderr };
    },
  };
}
