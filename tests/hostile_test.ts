// A hostile user, by chance: command lines, run.json's, model files, PNGs and CSVs out of a seeded
// generator. Whatever comes, a command ends with 0, 1, 2 or 130 and at most one line of error, touches
// nothing outside of its own folder, changes nothing of another run, and stays within memory.
//
// 40 s by default; HOSTILE_MINUTES=30 and HOSTILE_SEED=7 by hand.
import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { readPng, writePng } from "../common/data/images/png.ts";
import { parsePoints } from "../common/data/points/csv.ts";
import { decodeSafetensors, encodeSealed } from "../common/files/safetensors.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { type Command, type Flags, kebab } from "../common/run/flags.ts";
import { readSettings } from "../common/run/settings.ts";
import { UserError } from "../common/user_error.ts";
import { command as paper1 } from "../paper_1_partb.ts";
import { command as paper2 } from "../paper_2.ts";
import { contentsOf, inTemporaryFolder, mayRunCommands, scriptCommand } from "./commands.ts";

const env = (await Deno.permissions.query({ name: "env" })).state === "granted";
const MINUTES = Number(env && Deno.env.get("HOSTILE_MINUTES") || 0.65);
const SEED = Number(env && Deno.env.get("HOSTILE_SEED") || 12);
/** Each kind's share of the time. */
const SHARE = { readers: 0.09, commands: 0.55 };
/** After so many seconds a command is sent Ctrl-C: some are asked for more steps than there is time for. */
const MOST_SECONDS = 6;
/** Bytes that a command on small settings may take at most. */
const MOST_BYTES = 2.5e9;

/** Tries cases until the kind's time is over, and says how many there were. */
async function tryAll<T>(
  kind: string,
  share: number,
  cases: fc.Arbitrary<T>,
  holds: (value: T) => Promise<void> | void,
): Promise<void> {
  let count = 0;
  const property = fc.asyncProperty(cases, async (value) => {
    count++;
    await holds(value);
  });
  const interruptAfterTimeLimit = share * MINUTES * 60_000;
  await fc.assert(property, { seed: SEED, numRuns: 1e9, interruptAfterTimeLimit });
  console.log(`${kind}: ${count} cases with the seed ${SEED}`);
}

/** Runs `use`; an error must be one for the user, in one line of readable length. */
async function refusesAtMost(use: () => unknown): Promise<void> {
  try {
    await use();
  } catch (error) {
    assert(error instanceof UserError, error instanceof Error ? error.stack : `${error}`);
    assert(!/\p{Cc}/u.test(error.message), JSON.stringify(error.message));
    assert(error.message.length < 1100, `${error.message.length} characters`);
  }
}

const oddTexts = fc.oneof(
  fc.constantFrom("", "-1", "0", "1e999", "NaN", "constructor", "__proto__", "toString", "../x"),
  fc.constantFrom("1,99999999999999999999", "none", "true", "false", "\n", "99999999999999999999"),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.integer().map(String),
  fc.double().map(String),
);

/** Arguments: flags of the command with values of all kinds, and other words. */
function argumentsOf(flags: Flags): fc.Arbitrary<string[]> {
  const names = fc.constantFrom(...Object.keys(flags).map((name) => `--${kebab(name)}`));
  const choices = Object.values(flags).flatMap(({ placeholder }) => placeholder.split("|"));
  const values = fc.oneof(oddTexts, fc.constantFrom(...choices.filter((word) => word !== "")));
  const pair = fc.tuple(names, values);
  const part = fc.oneof(
    { weight: 5, arbitrary: pair.map(([name, value]) => [name, value]) },
    { weight: 2, arbitrary: pair.map(([name, value]) => [`${name}=${value}`]) },
    { weight: 1, arbitrary: names.map((name) => [name]) },
    { weight: 1, arbitrary: oddTexts.map((text) => [text]) },
  );
  return fc.array(part, { maxLength: 6 }).map((parts) => parts.flat());
}

Deno.test("hostile command lines are read or refused", async () => {
  for (const command of [paper1, paper2] as unknown as Command<Flags>[]) {
    await tryAll(
      `command lines of ${command.name}`,
      SHARE.readers / 2,
      argumentsOf(command.flags),
      (args) => refusesAtMost(() => parseCommandLine(command, args)),
    );
  }
});

const odd = fc.oneof(oddTexts, fc.jsonValue({ maxDepth: 3 }), fc.constant("x".repeat(100_000)));

/** A run.json with some settings right, and others or the whole record odd. */
function recordsOf({ name, flags }: Command<Flags>): fc.Arbitrary<string> {
  const keys = fc.oneof(
    fc.constantFrom(...Object.keys(flags)),
    fc.constantFrom("constructor", "__proto__", "toString", "valueOf"),
  );
  const right = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [name, flag.default]),
  );
  const record = fc.record({
    script: fc.oneof({ weight: 6, arbitrary: fc.constant<unknown>(name) }, odd),
    settings: fc.array(fc.tuple(keys, odd), { maxLength: 3 }).map((changes) => ({
      ...right,
      ...Object.fromEntries(changes),
    })),
    stretches: odd,
    drawnFrom: odd,
    status: odd,
  }, { requiredKeys: ["script", "settings"] });
  return fc.oneof(
    { weight: 8, arbitrary: record.map((record) => JSON.stringify(record)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.nat(60_000).map((n) => "[".repeat(n)) },
  );
}

Deno.test({
  name: "hostile run.json's are read or refused",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const path = `${folder}/run.json`;
      for (const command of [paper1, paper2] as unknown as Command<Flags>[]) {
        await tryAll(
          `run.json's of ${command.name}`,
          SHARE.readers / 2,
          recordsOf(command),
          async (text) => {
            await Deno.writeTextFile(path, text);
            await refusesAtMost(() => readSettings(command, ["--from", path]));
          },
        );
      }
    }),
});

/** A file with some bytes changed, cut off, or doubled. */
function mutantsOf(file: Uint8Array): fc.Arbitrary<Uint8Array> {
  const position = fc.nat(file.length - 1);
  const changes = fc.array(fc.tuple(position, fc.nat(255)), { minLength: 1, maxLength: 4 });
  const changed = changes.map((changes) => {
    const bytes = file.slice();
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });
  const cut = position.map((length) => file.slice(0, length));
  const spliced = fc.tuple(position, position).map(([from, to]) =>
    Uint8Array.from([...file.subarray(0, from), ...file.subarray(to)])
  );
  return fc.oneof(changed, cut, spliced, fc.uint8Array({ maxLength: 200 }));
}

Deno.test("hostile model files, PNGs and CSVs are read or refused", async () => {
  const tensors = new Map([
    ["w", { shape: [2, 3], data: Float32Array.from({ length: 6 }, (_, i) => i) }],
    ["steps", { shape: [1], data: Int32Array.of(7) }],
  ]);
  const model = await encodeSealed(tensors, { step: "7" });
  await tryAll(
    "model files",
    SHARE.readers,
    mutantsOf(model),
    (bytes) => refusesAtMost(() => decodeSafetensors(bytes, "model.safetensors")),
  );
  const data = Uint8Array.from({ length: 4 * 63 }, (_, i) => 37 * i);
  const png = writePng({ width: 9, height: 7, data });
  await tryAll("PNG files", SHARE.readers, mutantsOf(png), (bytes) =>
    refusesAtMost(() => {
      const { width, height, data } = readPng(bytes, "a.png");
      assertEquals(data.length, 4 * width * height);
    }));
  const cell = fc.oneof(fc.double().map(String), fc.integer().map(String), oddTexts);
  const row = fc.array(cell, { minLength: 1, maxLength: 3 });
  const csv = fc.tuple(fc.array(row, { maxLength: 8 }), fc.constantFrom(",", ";", "\t", " "))
    .map(([rows, separator]) => rows.map((cells) => cells.join(separator)).join("\n"));
  await tryAll("CSV files", SHARE.readers, csv, (text) =>
    refusesAtMost(() => {
      const points = parsePoints(text, "a.csv");
      assert(points.every(Number.isFinite), text);
    }));
});

/** Settings with which a run of paper 1 takes a second; what is given later is refused as given twice. */
const SMALL = {
  hidden: "8",
  timesteps: "4",
  batch: "8",
  steps: "3",
  backend: "wasm",
  workers: "1",
};

/** A command line that is mostly sensible, on the runs that are there. */
const commandLines = fc.record({
  changed: fc.array(
    fc.tuple(fc.constantFrom(...Object.keys(paper1.flags)), oddTexts),
    { maxLength: 2 },
  ),
  where: fc.constantFrom<string[][]>(
    [],
    ["--out", "runs/new"],
    ["--out", "runs/old"],
    ["--out", "runs"],
    ["--resume", "runs/old"],
    ["--resume", "runs/none"],
    ["--from", "runs/old/run.json"],
    ["--from", "runs/other/run.json", "--out", "runs/new"],
  ),
}).map(({ changed, where }) => {
  const settings: Record<string, string> = where.includes("--resume") ? {} : { ...SMALL };
  for (const [name, value] of changed) if (!where.includes(`--${name}`)) settings[name] = value;
  const flags = Object.entries(settings).map(([name, value]) => `--${kebab(name)}=${value}`);
  return [...flags, ...where].filter((argument) => !argument.includes("\0"));
});

Deno.test({
  name: "hostile commands end well, and touch nothing but their own run",
  ignore: !mayRunCommands || Deno.build.os !== "linux",
  fn: () =>
    inTemporaryFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/mine.txt`, "mine");
      const small = Object.entries(SMALL).map(([name, value]) => `--${kebab(name)}=${value}`);
      for (const name of ["old", "other"]) {
        assertEquals((await runWatched([...small, "--out", `runs/${name}`], folder)).code, 0);
      }
      await tryAll("commands", SHARE.commands, commandLines, async (args) => {
        const other = await contentsOf(`${folder}/runs/other`);
        const { code, stderr, bytes } = await runWatched(args, folder, MOST_SECONDS);
        const said = `${JSON.stringify(args)}: ${code} ${stderr}`;
        assert([0, 1, 2, 130].includes(code), said);
        assertEquals(
          stderr.split("\n").filter((line) => line.startsWith("error:")).length,
          code === 1 || code === 2 ? 1 : 0, // none after Ctrl-C
          said,
        );
        assert(!stderr.includes("    at "), said);
        assert(bytes < MOST_BYTES, `${bytes / 1e9} GB: ${said}`);
        assertEquals(await contentsOf(`${folder}/runs/other`), other, said);
        const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
        assertEquals(names, ["mine.txt", "runs"], said);
        await Deno.remove(`${folder}/runs/new`, { recursive: true }).catch(() => {});
      });
    }),
});

/** Runs paper 1 and looks at the memory that it takes; after so many seconds it is asked to stop. */
async function runWatched(
  args: string[],
  folder: string,
  seconds = 300,
): Promise<{ code: number; stderr: string; bytes: number }> {
  const child = scriptCommand("paper_1_partb.ts", args, folder).spawn();
  let bytes = 0;
  const look = setInterval(() => {
    try {
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      bytes = Math.max(bytes, 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    } catch {
      // it has ended
    }
  }, 100);
  const stop = setTimeout(() => child.kill("SIGINT"), seconds * 1000);
  const { code, stderr } = await child.output();
  clearInterval(look);
  clearTimeout(stop);
  return { code, stderr: new TextDecoder().decode(stderr), bytes };
}
