// Links from the documents to lines of code: repaired after an edit, and named where that cannot be.
import { assertEquals } from "@std/assert";
import { repairLineLinks } from "../common/lesson/line_links.ts";
import { inTemporaryFolder, mayRunCommands, root } from "./commands.ts";

const FILES: Record<string, string[]> = {
  "paper.ts": ["// a", "// 1: x₀ ~ q(x₀)", "", "x = 1;", "// 2: for t", "x = 1;"],
  "docs/page.ts": ["one", "two"],
};

async function repair(content: string, document = "README.md") {
  return await repairLineLinks(document, content, (path) => Promise.resolve(FILES[path]));
}

Deno.test("a link gets the number of the line that has its title, and is else left as it is", async () => {
  const { content, changes, lost } = await repair(
    'A [loop](paper.ts#L3 "for t") of [it](paper.ts#L2 "1: x₀"), [file](paper.ts), [loop](paper.ts#L3 "for t")',
  );
  assertEquals(
    content,
    'A [loop](paper.ts#L5 "for t") of [it](paper.ts#L2 "1: x₀"), [file](paper.ts), [loop](paper.ts#L5 "for t")',
  );
  assertEquals(changes.length, 2);
  assertEquals(changes[0], 'README.md: paper.ts#L3 is now #L5 "for t"');
  assertEquals(lost, []);
  assertEquals((await repair(content)).changes, []);
});

Deno.test("of several lines with the title the nearest is taken", async () => {
  for (const [line, nearest] of [[1, 4], [4, 4], [6, 6], [99, 6]]) {
    const { content } = await repair(`[x](paper.ts#L${line} "x = 1;")`);
    assertEquals(content, `[x](paper.ts#L${nearest} "x = 1;")`);
  }
});

Deno.test("paths begin at the document", async () => {
  const text = '[a](../paper.ts#L1 "2: for") [b](page.ts#L1 "two")';
  const { content, changes } = await repair(text, "docs/page.md");
  assertEquals(content, '[a](../paper.ts#L5 "2: for") [b](page.ts#L2 "two")');
  assertEquals(changes[0], 'docs/page.md: paper.ts#L1 is now #L5 "2: for"');
});

Deno.test("a lost title, a lost file and a link without a title are named and left", async () => {
  const text = '[a](paper.ts#L1 "gone") [b](gone.ts#L2 "x") [c](paper.ts#L3)';
  const { content, lost } = await repair(text);
  assertEquals(content, text);
  assertEquals(lost, [
    'README.md: no line of paper.ts has "gone"',
    "README.md: the link to gone.ts#L2 leads to no file",
    "README.md: the link to paper.ts#L3 has no title that says what stands there",
  ]);
});

Deno.test({
  name: "deno task links writes what it repaired, says it, and ends with 1 for what it could not",
  ignore: !mayRunCommands,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const links = async () => {
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "--no-prompt", "--quiet", `--config=${root}deno.json`, "--allow-read=."],
            ...[
              "--allow-write=README.md,CONTRIBUTING.md,docs",
              `${root}common/lesson/line_links.ts`,
            ],
          ],
          cwd: folder,
        }).output();
        const decoder = new TextDecoder();
        return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
      };
      await Deno.writeTextFile(`${folder}/paper.ts`, "\n\n// for t\n");
      await Deno.writeTextFile(`${folder}/README.md`, '[a](paper.ts#L1 "for t")\n');
      await Deno.writeTextFile(`${folder}/CONTRIBUTING.md`, "nothing\n");
      await Deno.mkdir(`${folder}/docs`);
      await Deno.writeTextFile(`${folder}/docs/a.md`, '[a](../paper.ts#L2 "for t")\n');
      assertEquals(await links(), {
        code: 0,
        stdout: 'README.md: paper.ts#L1 is now #L3 "for t"\n' +
          'docs/a.md: paper.ts#L2 is now #L3 "for t"\n',
        stderr: "",
      });
      assertEquals(
        await Deno.readTextFile(`${folder}/README.md`),
        '[a](paper.ts#L3 "for t")\n',
      );
      await Deno.writeTextFile(`${folder}/CONTRIBUTING.md`, '[a](paper.ts#L1 "gone")\n');
      assertEquals(await links(), {
        code: 1,
        stdout: "",
        stderr: 'error: CONTRIBUTING.md: no line of paper.ts has "gone"\n',
      });
    }),
});
