// The benchmark: its command line, and the form of its table, on networks of a moment.
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { selectBackend } from "../common/backend.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { UserError } from "../common/user_error.ts";
import { chooseTasks, command, contestantsOf, threadCounts } from "./bench/command.ts";
import { type Contestant, measure, type Result } from "./bench/in_turn.ts";
import { lines } from "./bench/table.ts";
import { tasks, training } from "./bench/tasks.ts";
import { mayRunCommands, root } from "./commands.ts";
import { findPython } from "./python.ts";
import * as tf from "@tensorflow/tfjs";

const python = await findPython();

const choose = (...args: string[]) => chooseTasks(parseCommandLine(command, args));

Deno.test("bench: a mistake on the command line is one line", () => {
  const cases: [string[], string][] = [
    [["--only", "b,x"], "--only does not take 'b,x'; allowed: letters from a to l"],
    [["--rounds", "0"], "--rounds does not take '0'; allowed: a whole number from 1"],
    [["--scale", "--only", "a"], "--scale and --only both choose the rows"],
    [["--busy", "--torch"], "--busy does not go with --torch"],
    [["--busy", "--json"], "--busy does not go with --json"],
    [["--ony", "a"], "--ony is not a known flag"],
  ];
  for (const [args, message] of cases) assertThrows(() => choose(...args), UserError, message);
});

Deno.test({
  name: "bench: --torch in a command that may start nothing names the one that may",
  ignore: !mayRunCommands,
  fn: async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", `--config=${root}deno.json`, "tests/bench/bench.ts", "--torch"],
      cwd: root,
    }).output();
    assertEquals(code, 2);
    assertMatch(new TextDecoder().decode(stderr), /^error: --torch .*`deno task bench-torch`\n$/);
  },
});

Deno.test("bench: each row once; --scale has 64 and 128 channels, batch 1 to 128", () => {
  const letters = tasks.map(({ letter }) => letter);
  assertEquals(letters, [..."abcdefghijkl"]);
  assertEquals(choose().map(({ letter }) => letter), [..."abcdfj"]);
  assertEquals(choose("--only", "d,b").map(({ letter }) => letter), ["b", "d"]);
  const scale = choose("--scale").map(({ torch }) => [torch!.network.ch, torch!.batch]);
  for (const channels of [64, 128]) {
    const batches = scale.filter(([ch]) => ch === channels).map(([, batch]) => batch);
    assertEquals([batches[0], batches.at(-1)], [1, 128], `${channels} channels`);
  }
});

Deno.test("bench: a large row has 1 to all threads, and nobody whom it would take hours", () => {
  assertEquals([1, 2, 6, 8].map(threadCounts), [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]);
  const software = { gpu: {} as GPUAdapter, name: "llvmpipe", software: true };
  const inRow = (letter: string, torch: boolean, adapter = software) => {
    const task = tasks.find((task) => task.letter === letter)!;
    return contestantsOf(task, { torch, cores: 4, adapter })
      .map(({ who, backend, threads }) => `${who} ${backend} ${threads}`);
  };
  assertEquals(inRow("f", false), ["here wasm 1", "here wasm 2", "here wasm 4"]);
  assertEquals(inRow("a", true), ["here wasm 1", "PyTorch cpu 1", "here wasm 4", "PyTorch cpu 4"]);
  assertEquals(inRow("c", true), ["here wasm 1", "here wasm 4"]);
  assertEquals(inRow("a", false), [
    ...["tfjs wasm 1", "here wasm 1", "here wasm 4", "tfjs webgpu 4", "here webgpu 4"],
  ]);
  const hardware = { ...software, software: false };
  assertEquals(inRow("l", false, hardware).at(-1), "here webgpu 4");
});

/** A row of a moment. */
const tiny = training("z", {
  network: { channels: 8, inChannels: 3, channelMults: [1, 2], attentionLevels: [1], groups: 4 },
  batch: 2,
  size: 8,
});

const here = (threads: number): Contestant => ({ who: "here", backend: "wasm", threads });

Deno.test("bench: a row has a line for each contestant, in columns", async () => {
  const stock: Contestant = { who: "tfjs", backend: "wasm", threads: 1 };
  const results = await measure(tiny, [stock, here(1), here(2)], { rounds: 2 });
  assertEquals(results.map(({ rounds }) => rounds.length), [0, 2, 2]);
  assert(results[1].peakMiB > 0.1 && results[1].peakMiB < 10, `${results[1].peakMiB} MiB`);
  const [first, second, third] = lines(tiny.unit, results);
  assertMatch(first, /^tfjs, WASM +cannot: .*Conv2DBackpropFilter/);
  const form =
    /^here, WASM, . threads? +[\d.]+ ms \([\d.]+-[\d.]+\) +[\d.]+ x the fastest +[\d.]+ images\/s +\d+ MiB$/;
  assertMatch(second, form);
  assertMatch(third, form);
  const columns = (line: string) => [line.indexOf(" x the fastest"), line.indexOf("images/s")];
  assertEquals(columns(second)[0], columns(third)[0]);
});

Deno.test("bench: who takes longer than all rounds may is timed by the first, and leaves no tensor", async () => {
  (await selectBackend("wasm", { workers: 1 })).dispose();
  const before = tf.memory().numTensors;
  const [slow] = await measure(tiny, [here(1)], { rounds: 3, longest: 1e-3 });
  assertEquals(slow.rounds.length, 1);
  assertEquals(tf.memory().numTensors, before);
  assertMatch(lines(tiny.unit, [slow])[0], /ms \(once\)/);
});

Deno.test("bench: PyTorch is the measure of whoever has as many threads", () => {
  const result = (who: Result["who"], threads: number, ms: number): Result => {
    return {
      ...{ task: "z", contestant: `${who} ${threads}`, who, threads, rounds: [ms] },
      ...{ itemsPerSecond: 1, peakMiB: 1 },
    };
  };
  const rows = lines("images", [
    ...[result("here", 1, 30), result("PyTorch", 1, 60)],
    ...[result("here", 2, 20), result("PyTorch", 2, 25)],
  ]);
  assertMatch(rows[0], / 0\.50 x PyTorch /);
  assertMatch(rows[2], / 0\.80 x PyTorch /);
  for (const row of [rows[1], rows[3]]) assert(!row.includes(" x "), row);
});

Deno.test({
  name: "bench: PyTorch does the same work in a process of its own, and one that fails says why",
  ignore: !python,
  fn: async () => {
    const torch = { python: python!, version: "" };
    const rival: Contestant = { who: "PyTorch", backend: "cpu", threads: 1 };
    const sampling = { ...tiny, torch: { ...tiny.torch!, work: 2 } };
    const odd = { ...tiny, torch: { ...tiny.torch!, batch: -1 } };
    for (const task of [tiny, sampling]) {
      const [result] = await measure(task, [rival], { rounds: 1, torch });
      assertEquals([result.failure, result.rounds.length], [undefined, 1]);
      assert(result.rounds[0] > 0 && result.peakMiB >= 0);
    }
    const [failed] = await measure(odd, [rival], { rounds: 1, torch });
    assertMatch(failed.failure!, /RuntimeError: .*negative dimension/);
  },
});
