// What others call is documented, as far as `deno doc --lint` sees it.
import { assert, assertEquals } from "@std/assert";
import { inTemporaryFolder, mayRunCommands } from "./commands.ts";
import { complaints, documentedModules } from "./doc_lint.ts";

Deno.test({
  name: "everything that a module exports is documented",
  ignore: !mayRunCommands,
  fn: async () => {
    const modules = await documentedModules();
    assert(modules.includes("common/schedule.ts") && modules.includes("unet.ts"));
    assertEquals(await complaints(modules), []);
  },
});

Deno.test({
  name: "an export without a docstring is named with its line",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const path = `${folder}/bare.ts`;
      await Deno.writeTextFile(
        path,
        "/** Known. */\nexport const known = 1;\nexport const bare = 1;\n",
      );
      const [complaint, ...others] = await complaints([path]);
      assert(complaint.includes("bare.ts:3"), complaint);
      assertEquals(others, []);
    }),
});
