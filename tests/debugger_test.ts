import { assert, assertEquals, assertMatch } from "@std/assert";
import { inTemporaryFolder, mayRunCommands, root, runScript } from "./commands.ts";
import { Inspected, type Paused } from "./inspector.ts";

const hasAdapter = await navigator.gpu?.requestAdapter() != null;
const mayConnect = (await Deno.permissions.query({ name: "net" })).state === "granted";

/** Two steps of training and one short chain of Algorithm 2. */
const tiny = [
  ...["--channels", "8", "--channel-mults", "1,2", "--batch", "4", "--steps", "2"],
  ...["--timesteps", "25", "--sampler", "ddpm", "--samples", "1", "--workers", "2"],
];

/** paper_2.ts as `deno task debug` starts it, but on any free port. */
function debugged(folder: string, args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--inspect-brk=127.0.0.1:0", `--config=${root}deno.json`],
      ...["--allow-read=runs", "--allow-write=runs", `${root}paper_2.ts`, ...args],
    ],
    cwd: folder,
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** The source line that the topmost frame stands at. */
function lineOf(run: Inspected, { callFrames: [{ location }] }: Paused): string {
  return run.scripts.get(location.scriptId)!.sourceLine(location);
}

/** The names of the topmost frame's local variables that have a value. */
async function valuesIn(run: Inspected, { callFrames: [{ scopeChain }] }: Paused) {
  const { objectId } = scopeChain[0].object;
  const { result } = await run.send("Runtime.getProperties", { objectId, ownProperties: true });
  return result.filter((entry: { value?: { type: string } }) =>
    (entry.value?.type ?? "undefined") !== "undefined"
  )
    .map((entry: { name: string }) => entry.name);
}

const TENSOR = /^f32\[1,8,8,1\] 256 B {2}μ \S+ σ \S+ {2}min \S+ max \S+ {2}\(NaN 0\) {2}wasm$/;

Deno.test({
  name:
    "the debugger stops in the sampling loop, reads tensors, steps through Algorithm 2 and continues",
  ignore: !mayRunCommands || !mayConnect,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const args = [...tiny, "--size", "8", "--backend", "wasm"];
      const plain = await runScript("paper_2.ts", [...args, "--out", "runs/plain"], folder);
      assertEquals(plain.code, 0, plain.stderr);
      await using run = await Inspected.start(debugged(folder, [...args, "--out", "runs/seen"]));
      const paper2 = run.script("/paper_2.ts");

      // in the middle of the training, threads and clocks are left alone for a while
      const inTraining = await run.setBreakpoint(paper2, "adam.step(gradients, learningRateAt(");
      await run.send("Debugger.resume");
      const training = await run.paused("the breakpoint in Algorithm 1");
      assertEquals(await run.evaluate(training, "step"), 1);
      await new Promise((resume) => setTimeout(resume, 2000));
      await run.send("Debugger.removeBreakpoint", { breakpointId: inTraining });

      const inSampling = await run.setBreakpoint(paper2, "const z = t > 1");
      await run.send("Debugger.resume");
      let at = await run.paused("the breakpoint in Algorithm 2");
      assertEquals(at.hitBreakpoints, [inSampling]);
      assertEquals(lineOf(run, at), "const z = t > 1");
      assertEquals(await run.evaluate(at, "t"), 25);

      // a tensor is one line, and V8 agrees that showing it changes nothing: VS Code asks for that
      const memory = await run.evaluate(at, "JSON.stringify(tf.memory())");
      const line = await run.evaluate(at, "String(xt)", { throwOnSideEffect: true });
      assertMatch(String(line), TENSOR);
      assertEquals(await run.evaluate(at, "Deno.inspect(xt)"), line);
      assertEquals(await run.evaluate(at, 'xt[Symbol.for("debug.description")]()'), line);
      assertMatch(await run.formatted(at, "xt"), /"f32\[1,8,8,1\] 256 B/);

      // show and peek are there without an import
      await run.evaluate(at, "show(xt)");
      const [, title, ...image] = run.printed.at(-1)!.split("\n");
      assertEquals(title, line);
      assertEquals(image.map((row) => row.length), [8, 8, 8, 8]);
      await run.evaluate(at, 'peek(xt, "runs/xt.png")');
      assert((await Deno.stat(`${folder}/runs/xt.png`)).size > 100);
      assertEquals(await run.evaluate(at, "JSON.stringify(tf.memory())"), memory);

      // one statement of line 4 after the other names what it has computed
      const names = ["epsTheta", "x0Hat", "mean", "xNext"];
      const appeared: string[] = [];
      while (appeared.length < names.length) {
        const found = await valuesIn(run, at);
        for (const name of names) {
          if (!found.includes(name) || appeared.includes(name)) continue;
          appeared.push(name);
          assertMatch(String(await run.evaluate(at, `String(${name})`)), TENSOR);
        }
        at = await run.step("stepOver");
      }
      assertEquals(appeared, names);

      await run.send("Debugger.removeBreakpoint", { breakpointId: inSampling });
      const { code, stderr } = await run.finish();
      assertEquals(code, 0, stderr);
      for (const file of ["samples.safetensors", "loss.csv"]) {
        const [seen, expected] = await Promise.all(
          ["seen", "plain"].map((name) => Deno.readFile(`${folder}/runs/${name}/${file}`)),
        );
        assertEquals(seen, expected, `${file} of a run that was looked into`);
      }
    }),
});

Deno.test({
  name: "on WebGPU a paused frame shows what is known, and show prints when the run goes on",
  ignore: !mayRunCommands || !mayConnect || !hasAdapter,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const training = [...tiny, "--size", "16", "--backend", "wasm", "--out", "runs/test"];
      const trained = await runScript("paper_2.ts", training, folder);
      assertEquals(trained.code, 0, trained.stderr);
      const sampling = ["--sample-only", "--resume", "runs/test", "--backend", "webgpu"];
      const ddim = ["--sampler", "ddim", "--sample-steps", "2", "--samples", "4"];
      await using run = await Inspected.start(debugged(folder, [...sampling, ...ddim]));
      const breakpointId = await run.setBreakpoint(
        run.script("/paper_2.ts"),
        "return ddimStep(denoiser, {",
      );
      await run.send("Debugger.resume");
      await run.paused("the breakpoint in the first step");
      await run.send("Debugger.resume");
      const at = await run.paused("the breakpoint in the second step"); // xt is computed, not uploaded
      await run.send("Debugger.removeBreakpoint", { breakpointId });
      const line = await run.evaluate(at, "String(xt)", { throwOnSideEffect: true });
      assertEquals(line, "f32[4,16,16,1] 4.1 kB  values on the GPU: await show(x)  webgpu");
      await run.evaluate(at, "show(xt)");
      const { code, stderr } = await run.finish();
      assertEquals(code, 0, stderr);
      const shown = run.printed.find((text) => text.includes("f32[4,16,16,1]"));
      assertMatch(
        shown ?? "",
        /^\nf32\[4,16,16,1\] 4.1 kB {2}μ \S+ σ .*webgpu\n(.{67}\n){7}.{67}$/,
      );
    }),
});
