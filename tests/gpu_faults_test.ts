// A GPU that fails: in a line, with the checkpoint kept, and the command to go on.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertRefused, type Ended, inTemporaryFolder, mayRunCommands, root } from "./commands.ts";
import type { Fault } from "./stand_in_gpu.ts";

const ignore = !mayRunCommands || !(await navigator.gpu?.requestAdapter());
const SMALL = ["--hidden", "8", "--timesteps", "8", "--batch", "16", "--checkpoint-every", "0"];

/** paper1 with the permissions of its task, on a machine with such a GPU. */
async function paper1(fault: Fault, args: string[], folder: string): Promise<Ended> {
  const script = `import { useStandInGpu } from "${root}tests/stand_in_gpu.ts";
import { runMain } from "${root}common/run/main.ts";
import { main } from "${root}paper_1_partb.ts";
useStandInGpu("${fault}");
await runMain(main);
`;
  await Deno.writeTextFile(`${folder}/script.ts`, script);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", `--config=${root}deno.json`],
      ...["--allow-read=runs", "--allow-write=runs", "script.ts", ...args],
    ],
    cwd: folder,
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function faultTest(name: string, fn: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => inTemporaryFolder(fn) });
}

const FAULTS: [Fault, RegExp][] = [
  ["lost", /^error: the GPU was lost \(destroyed: /],
  ["refused command", /^error: the GPU refused a command \(/],
  ["no memory", /^error: the GPU has no memory left \(Not enough memory left\)/],
];

for (const [fault, message] of FAULTS) {
  faultTest(`${fault} in the middle: a line, and the run goes on elsewhere`, async (folder) => {
    const args = [...SMALL, "--steps", "60", "--backend", "webgpu", "--out", "runs/run"];
    const ended = await paper1(fault, args, folder);
    assertRefused(ended, message, 1);
    const commands = [...ended.stderr.matchAll(/deno task paper1 ([^,\n]+)/g)].map(([, args]) =>
      args.split(" ")
    );
    assertEquals(commands.map((args) => args.join(" ")), [
      "--resume runs/run --backend webgpu",
      "--resume runs/run --backend wasm",
    ]);
    const record = JSON.parse(await Deno.readTextFile(`${folder}/runs/run/run.json`));
    assertEquals(record.status, "interrupted");
    const done = (await Deno.readTextFile(`${folder}/runs/run/loss.csv`)).trim().split("\n").length;
    assert(done > 1 && done < 60, `${done} lines of loss.csv`);
    const on = await paper1("none", commands[1], folder);
    assertEquals(on.code, 0, on.stderr);
    assertMatch(on.stderr, new RegExp(` ${60}/60 `));
  });
}

faultTest("no device: auto goes on with WASM and says why, webgpu is refused", async (folder) => {
  const auto = await paper1("no device", [...SMALL, "--steps", "2"], folder);
  assertEquals(auto.code, 0, auto.stderr);
  assertMatch(auto.stderr, /^WASM with .*: Stand-in GPU: the GPU gives no device \(the driver /m);
  const asked = await paper1("no device", [...SMALL, "--backend", "webgpu"], folder);
  assertRefused(asked, /webgpu, Stand-in GPU: the GPU gives no device .* --backend wasm/, 1);
});

faultTest("wrong numbers are not trained with, and the operation is named", async (folder) => {
  const wrong = /Stand-in GPU computes wrong numbers: .*; the operation Linear differs from its/;
  const auto = await paper1("wrong numbers", [...SMALL, "--steps", "2"], folder);
  assertEquals(auto.code, 0, auto.stderr);
  assertMatch(auto.stderr, new RegExp(`^WASM with .*${wrong.source}`, "m"));
  assertRefused(
    await paper1("wrong numbers", [...SMALL, "--backend", "webgpu"], folder),
    wrong,
    1,
  );
});

faultTest("a GPU that is right is measured, and the choice stands in run.json", async (folder) => {
  const args = [...SMALL, "--steps", "2", "--out", "runs/run"];
  const { code, stderr } = await paper1("none", args, folder);
  assertEquals(code, 0, stderr);
  const { backend } = JSON.parse(await Deno.readTextFile(`${folder}/runs/run/run.json`));
  const { webgpu, wasm } = backend.measured;
  assertEquals(backend.name, webgpu < wasm ? "webgpu" : "wasm");
  assertMatch(
    stderr,
    /a training step takes [\d.]+ m?s, .*Stand-in GPU|Stand-in GPU: .* with WASM/,
  );
});
