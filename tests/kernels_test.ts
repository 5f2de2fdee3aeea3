// The compiled WASM kernels: built from the sources that lie beside them, and safe on memory that is
// somebody else's.
import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import kernels from "../common/engine/wasm/kernels.wasm" with { type: "bytes" };
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";

Deno.test("the kernels bring no data and import nothing but the memory", () => {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(kernels));
  assertEquals(imports, [{ module: "env", name: "memory", kind: "memory" }]);
  // a data section would be copied over tensors at every start
  const DATA = 11;
  const sections: number[] = [];
  for (let at = 8; at < kernels.length;) {
    sections.push(kernels[at++]);
    let [length, shift] = [0, 0];
    for (;;) { // LEB128
      const byte = kernels[at++];
      length += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) break;
    }
    at += length;
  }
  assert(!sections.includes(DATA), `sections ${sections}`);
});

Deno.test({
  name: "kernels.wasm is what `deno task kernels` builds",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const built = `${folder}/kernels.wasm`;
      const [command, ...args] = config.tasks.kernels.split(" ");
      assertEquals(command, "deno");
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: args.map((argument) =>
          argument
            .replace("--allow-write=common/engine/wasm", `--allow-write=${folder}`)
            .replace(/^common\/engine\/wasm\/kernels\.wasm$/, built)
        ),
        cwd: root,
        stdout: "null",
        stderr: "piped",
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assertEquals(await Deno.readFile(built), kernels);
    }),
});
