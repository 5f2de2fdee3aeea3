// What goes wrong below the program: a full disk, a folder that may only be read, damaged files. Each
// gets one line, and nothing is destroyed.
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertRefused,
  contentsOf,
  type Ended,
  errorLines,
  inTemporaryFolder,
  mayRunCommands,
  runScript,
} from "./commands.ts";
import { shortRuns } from "./short_runs.ts";

const TINY = ["--hidden", "8", "--timesteps", "8", "--batch", "16"];
const SMALL = [...TINY, "--backend", "wasm"];

function paper1(args: string[], folder: string): Promise<Ended> {
  return runScript("paper_1_partb.ts", args, folder);
}

async function command(name: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(name, { args, stderr: "null" }).output()).success;
  } catch {
    return false; // there is no such command
  }
}

/** Whether this user may mount a small disk: root on Linux, outside of most containers. */
const mayMount = mayRunCommands && await inScratch(async (folder) => {
  const mounted = await command("mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", folder);
  return mounted && await command("umount", folder);
});
if (mayRunCommands && !mayMount) console.error("the tests of a full disk are skipped: no mount");

async function inScratch(test: (folder: string) => Promise<boolean>): Promise<boolean> {
  let result = false;
  await inTemporaryFolder(async (folder) => {
    result = await test(folder);
  });
  return result;
}

/** Runs a test with runs/ on a disk of its own. */
function onSmallDisk(size: string, test: (folder: string) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    await Deno.mkdir(`${folder}/runs`);
    await command("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", `${folder}/runs`);
    try {
      await test(folder);
    } finally {
      await command("umount", "-l", `${folder}/runs`);
    }
  });
}

Deno.test({
  name: "a full disk is said in one line; the checkpoint stays, and there is a way on from it",
  ignore: !mayMount,
  fn: () =>
    onSmallDisk("4M", async (folder) => {
      const run = `${folder}/runs/x`;
      const first = await paper1([...SMALL, "--steps", "20", "--out", "runs/x"], folder);
      assertEquals(first.code, 0, first.stderr);
      const before = await contentsOf(run);

      // nothing fits any more, or the record does but not a checkpoint
      for (const [room, name] of [[0, "run.json"], [16384, "state.next.safetensors"]] as const) {
        await fill(`${folder}/runs/ballast`, room);
        const full = await paper1(["--resume", "runs/x", "--steps", "40"], folder);
        assertRefused(full, /cannot write runs\/x\/\S+: [Nn]o space left on device/, 1);
        assert(errorLines(full.stderr)[0].includes(`/${name}: `), full.stderr);
        const after = await contentsOf(run);
        for (const changing of [before, after]) changing.delete("run.json");
        assertEquals(after, before);
      }
      await fill(`${folder}/runs/ballast`, 0);
      assertRefused(await paper1([...SMALL, "--out", "runs/y"], folder), /runs\/y/, 1);

      await Deno.remove(`${folder}/runs/ballast`);
      const later = await paper1(["--resume", "runs/x", "--steps", "40"], folder);
      assertEquals(later.code, 0, later.stderr);
      assertEquals((await Deno.readTextFile(`${run}/loss.csv`)).trim().split("\n").length, 41);
    }),
});

/** Writes until the disk is full, and makes room for so many bytes. */
async function fill(path: string, room: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (const size of [65536, 512]) {
    try {
      for (;;) await file.write(new Uint8Array(size));
    } catch {
      // no space left for another piece of that size
    }
  }
  await file.truncate((await file.stat()).size - room);
}

Deno.test({
  name: "a folder that may only be read is said in one line",
  ignore: !mayMount,
  fn: () =>
    onSmallDisk("8M", async (folder) => {
      const first = await paper1([...SMALL, "--steps", "5", "--out", "runs/x"], folder);
      assertEquals(first.code, 0, first.stderr);
      const before = await contentsOf(`${folder}/runs/x`);
      assert(await command("mount", "-o", "remount,ro", `${folder}/runs`));
      for (const args of [["--resume", "runs/x", "--steps", "9"], SMALL]) {
        assertRefused(await paper1(args, folder), /runs.*[Rr]ead-only/, 1);
      }
      assertEquals(await contentsOf(`${folder}/runs/x`), before);
    }),
});

/** A file with one bit of its numbers turned over. */
function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.with(bytes.length - 9, bytes[bytes.length - 9] ^ 1);
}

/** The checkpoint of a run of its own. */
async function checkpointOf(args: string[]): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  await inTemporaryFolder(async (folder) => {
    await shortRuns.paper1([...TINY, "--steps", "9", "--out", `${folder}/x`, ...args]);
    bytes = await Deno.readFile(`${folder}/x/state.safetensors`);
  });
  return bytes;
}

const DAMAGE: Record<string, (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>> = {
  "cut off": (bytes) => bytes.subarray(0, bytes.length / 2),
  "with a flipped bit": flipped,
  "empty": () => new Uint8Array(),
  "of another kind": () => new TextEncoder().encode("PK\x03\x04 this is something else"),
  "of another run": () => checkpointOf(["--seed", "4"]), // its settings are else the same
};

Deno.test({
  name: "a bad checkpoint gives way to the older one, with a notice",
  ignore: !mayRunCommands,
  fn: (t) =>
    inTemporaryFolder(async (folder) => {
      const whole = `${folder}/runs/whole`;
      const often = ["--steps", "9", "--checkpoint-every", "0"];
      await shortRuns.paper1([...TINY, ...often, "--out", whole]);
      const model = await Deno.readFile(`${whole}/model.safetensors`);
      const state = await Deno.readFile(`${whole}/state.safetensors`);
      for (const [how, damage] of Object.entries(DAMAGE)) {
        await t.step(how, async () => {
          const run = `${folder}/runs/x`;
          await copyFiles(whole, run);
          await cutOff(run);
          const damaged = await damage(state);
          await Deno.writeFile(`${run}/state.safetensors`, damaged);
          const resumed = await paper1(["--resume", "runs/x"], folder);
          assertEquals(resumed.code, 0, resumed.stderr);
          await cutOff(run);
          const notice = resumed.stderr.split("\n").filter((line) => line.startsWith("note:"));
          assertEquals(notice.length, 1, resumed.stderr);
          assertMatch(notice[0], /runs\/x\/state\.safetensors .*going on from state\.previous/);
          assertEquals(await Deno.readFile(`${run}/model.safetensors`), model);

          await Deno.writeFile(`${run}/state.safetensors`, damaged);
          await Deno.writeFile(`${run}/state.previous.safetensors`, damaged);
          const before = await contentsOf(run);
          const refused = await paper1(["--resume", "runs/x"], folder);
          assertRefused(refused, /no checkpoint in runs\/x can be used/);
          assertEquals(await contentsOf(run), before);
        });
      }
    }),
});

/** Lets a run that has ended say that it has not: a finished one is left as it is. */
async function cutOff(run: string): Promise<void> {
  const record = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
  await Deno.writeTextFile(`${run}/run.json`, JSON.stringify({ ...record, status: "running" }));
}

async function copyFiles(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
