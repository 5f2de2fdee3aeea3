// The documents as a lesson that can be trusted: links lead to what they speak of, formulas can be drawn
// after Markdown has had its way with them, numbers are those of the runs and of the code. README,
// CONTRIBUTING and every page of docs/ are held to the same.
import katex from "katex";
import { type Tokens } from "marked";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { lineLinks } from "../common/lesson/line_links.ts";
import { NUMBERS, type Numbers, withNumbers } from "../common/lesson/numbers.ts";
import { sigmoidSchedule } from "../common/schedule.ts";
import { command as paper2 } from "../paper_2.ts";
import { root } from "./commands.ts";
import { allDocuments, anchorsOf, formulasOf, targetsOf, tokensOf } from "./documents.ts";

const mayRead = (await Deno.permissions.query({ name: "read" })).state === "granted";

function documentsTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !mayRead, fn });
}

documentsTest("links to lines lead to the lines they speak of", async () => {
  let count = 0;
  for (const { name, content } of await allDocuments()) {
    for (const { text, path, line, title } of lineLinks(name, content)) {
      assert(title, `${name}: the link ${text} says in no title what stands on that line`);
      const lines = (await Deno.readTextFile(root + path)).split("\n");
      assert(
        lines[line - 1]?.includes(title),
        `${name}: line ${line} of ${path} has no "${title}"; deno task links repairs it`,
      );
      count++;
    }
  }
  assert(count > 20, `${count} links to lines`);
});

documentsTest("links and images inside the project are there, anchors too", async () => {
  for (const { name, content } of await allDocuments()) {
    for (const { href } of targetsOf(content)) {
      if (/^https:/.test(href) || href.startsWith("../../actions/")) continue; // GitHub's own pages
      const [path, anchor] = href.split("#");
      const there = new URL(path || name.split("/").at(-1)!, `file://${root}${name}`);
      await Deno.stat(there).catch(() => assert(false, `${name}: ${href}`));
      if (anchor === undefined || !there.pathname.endsWith(".md")) continue;
      const [title, ...others] = anchorsOf(await Deno.readTextFile(there));
      assert(anchor !== title, `${name}: ${href} leads to the page's own title`);
      assert(others.includes(anchor), `${name}: there is no heading for ${href}`);
    }
  }
});

documentsTest("every image that is shown is one that a command writes", async () => {
  const makers = await Promise.all(
    ["jobs.ts", "images.ts", "draw.ts", "play_picture.ts"].map((name) =>
      Deno.readTextFile(`${root}common/lesson/${name}`)
    ),
  );
  for (const { name, content } of await allDocuments()) {
    for (const { href, image } of targetsOf(content)) {
      const [, file] = /(?:^|\/)images\/([\w.]+)$/.exec(href) ?? [];
      if (!image || !file) continue;
      assert(makers.some((text) => text.includes(file)), `${name}: nothing writes ${file}`);
    }
  }
});

documentsTest(
  "every formula can be drawn as Markdown leaves it, and no $ is left over",
  async () => {
    let count = 0;
    for (const { name, content } of await allDocuments()) {
      const { formulas, left } = formulasOf(content);
      assertEquals(left, [], `${name} has a $ outside of $\`…\`$ and \`\`\`math`);
      for (const { tex, display } of formulas) {
        katex.renderToString(tex, { displayMode: display, strict: "error" });
        assert(!/\\begin|\\label|\\tag|\\newcommand/.test(tex), `${name}: ${tex}`);
        count++;
      }
    }
    assert(count > 60, `${count} formulas`);
  },
);

Deno.test("formulas are found in paragraphs, lists and tables, and dollars outside of them", () => {
  const text = "a $`x_t`$, **b $`y`$**\n\n- $`z`$\n  - in $`\\,w`$ it\n\n" +
    "| a |\n| - |\n| $`v`$ and `code` |\n\n```math\n\\frac12\n```\n\n$5 and $u$\n";
  const { formulas, left } = formulasOf(text);
  const found = formulas.map(({ tex }) => tex).sort();
  assertEquals(found, ["\\,w", "\\frac12", "v", "x_t", "y", "z"]);
  assertEquals(formulas.filter(({ display }) => display).length, 1);
  assertEquals(left, ["$5 and $u$"]);
  assertThrows(() => katex.renderToString("\\frac{1", { strict: "error" }));
});

documentsTest("no paragraph is swallowed by a table or by an invisible mark", async () => {
  for (const { name, content } of await allDocuments()) {
    for (const token of tokensOf(content)) {
      if (token.type === "html") {
        // a mark at the beginning of a line would end the paragraph there
        assert(!(token as Tokens.HTML).block, `${name}: a line begins with ${token.raw}`);
      }
      if (token.type !== "table") continue;
      for (const row of (token as Tokens.Table).rows) {
        const alone = row.length > 1 && row.slice(1).every(({ text }) => text === "");
        assert(!alone, `${name}: a table without a line between it and "${row[0].text}"`);
      }
    }
  }
});

documentsTest("numbers of runs are those of images/numbers.json", async () => {
  const numbers: Numbers = JSON.parse(await Deno.readTextFile(root + NUMBERS));
  let count = 0;
  for (const { name, content } of await allDocuments()) {
    const { content: filled, lost } = withNumbers(name, content, numbers);
    assertEquals(lost, []);
    assertEquals(filled, content, `${name} has other numbers; deno task numbers writes them anew`);
    const twice = /(\d[\d.]*(?: ± [\d.]+)?)(?: %)? \1(?: %)?<!--/.exec(plainSpaces(content));
    assertEquals(twice?.[0], undefined, `${name} says a number twice`);
    count += content.match(/<!--[\w-]+:/g)?.length ?? 0;
  }
  assert(count > 30, `${count} numbers`);
});

function plainSpaces(text: string): string {
  return text.replaceAll("\u00a0", " ");
}

Deno.test("a mark gets its number: of one run with its error, of several with their range", () => {
  const run = (seed: number, p: number) => ({
    seed,
    results: { p, samples: 100, at: [{ s: 2.345 }] },
  });
  const numbers = { one: [run(0, 0.5)], two: [run(0, 0.25), run(1, 0.75)] };
  const write = (text: string) => withNumbers("a.md", text, numbers);
  for (
    const [mark, value] of [
      ["<!--one:p:2-->", "0.50"],
      ["<!--two:p:2-->", "0.50 [0.25, 0.75]"],
      ["<!--one:p:1%-->", "50.0 %"],
      ["<!--one:p:±%-->", "50.0 ± 5.0 %"], // √(½·½/100)
      ["<!--two:p:±%-->", "50.0 [25.0, 75.0] %"],
      ["<!--one:at.0.s:s-->", "2.3 s"],
      ["<!--one:p:of36-->", "18 of 36"],
    ]
  ) {
    const { content, lost } = write(`(it is ?${mark}, \`?${mark}\`)`);
    assertEquals(plainSpaces(content), `(it is ${value}${mark}, \`${value}${mark}\`)`);
    assertEquals([write(content).content, lost], [content, []]);
  }
  assertEquals(write("1<!--none:p:2--> 1<!--one:q:2-->").lost, [
    "a.md: no number for <!--none:p:2-->",
    "a.md: no number for <!--one:q:2-->",
  ]);
});

documentsTest("the presets of the reference are those of paper 2", async () => {
  const reference = await Deno.readTextFile(`${root}docs/reference.md`);
  const defaults = Object.fromEntries(
    Object.entries(paper2.flags).map(([name, flag]) => [name, flag.default]),
  );
  for (const [name, preset] of Object.entries(paper2.presets)) {
    const is: Record<string, unknown> = { ...defaults, ...preset };
    const row = reference.split("\n").find((line) => line.startsWith(`| \`${name}\``))!;
    const cells = row.split("|").map((cell) => cell.trim());
    const mults = `${is.channelMults}`.replaceAll(",", ", ");
    assertEquals(cells.slice(2, 4), [
      `${is.size}×${is.size}`,
      `${is.channels} channels, ×${mults}`,
    ]);
    const steps = Number(is.steps).toLocaleString("en");
    const training = `${steps} steps of ${is.batch} images, ${is.schedule} schedule`;
    assert(cells[4].startsWith(training), `${name}: ${cells[4]}; it is ${training}`);
  }
});

documentsTest("the README's example in numbers is right", async () => {
  const readme = await Deno.readTextFile(`${root}README.md`);
  const { alphaBar, beta, alpha, posterior } = sigmoidSchedule(40);
  const [t, x0, eps] = [25, 0.8, 0.5];
  const [signal, noise] = [Math.sqrt(alphaBar(t)), Math.sqrt(1 - alphaBar(t))];
  const xt = signal * x0 + noise * eps;
  const { coefX0, coefXt, std } = posterior(t);
  const mean = coefX0 * x0 + coefXt * xt;
  const byNoise = (xt - beta(t) / noise * eps) / Math.sqrt(alpha(t)); // Eq. 11 with the noise itself
  assertAlmostEquals(byNoise, mean, 1e-12);
  const n = (x: number) => x.toFixed(3);
  for (
    const shown of [
      `\\beta_{25} = ${n(beta(t))}`,
      `\\bar\\alpha_{24} = ${n(alphaBar(t - 1))}`,
      `\\bar\\alpha_{25} = ${n(alphaBar(t))}`,
      `x_{25} = ${n(signal)} \\cdot 0.8 + ${n(noise)} \\cdot 0.5 = ${n(xt)}`,
      `${n(coefX0)} \\cdot 0.8 + ${n(coefXt)} \\cdot ${n(xt)} = ${n(mean)}`,
      `\\sqrt{${n(std ** 2)}} = ${n(std)}`,
      `(${n(xt)} - ${n(beta(t))}/${n(noise)} \\cdot 0.5)/\\sqrt{${n(alpha(t))}} = ${n(mean)}`,
      `\\bar\\alpha_{40} = ${n(alphaBar(40))}`,
      `(\\sqrt{${n(alpha(40)).slice(0, 3)}} - 1)\\,x_t = ${(Math.sqrt(alpha(40)) - 1).toFixed(2)}`,
    ]
  ) {
    assert(readme.includes(`${shown}`), `README.md has no ${shown}`);
  }
});
