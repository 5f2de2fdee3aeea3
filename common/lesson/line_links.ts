/**
 * Repairs the links to lines of code in the project's documents after an edit:
 *
 *     deno task links
 *
 * Such a link says in its title what stands on its line: [code](paper_2.ts#L195 "L_simple"). Its number
 * becomes that of the line which has the title now.
 *
 * @module
 */

/** A link to a line, as it stands in a document. */
export interface LineLink {
  /** All of it from the bracket on: `](paper_2.ts#L195 "L_simple")`. */
  text: string;
  /** The file, from the project's folder on. */
  path: string;
  line: number;
  /** What stands on that line. */
  title?: string;
}

/** What became of a document. */
export interface Repaired {
  content: string;
  /** A sentence for each number that was changed. */
  changes: string[];
  /** A sentence for each link that leads nowhere. */
  lost: string[];
}

/** The links to lines in a document, which may lie in a folder of the project. */
export function lineLinks(document: string, content: string): LineLink[] {
  const pattern = /\]\(([\w./]+)#L(\d+)(?: "(.*?)")?\)/g;
  return [...content.matchAll(pattern)].map(([text, target, line, title]) => ({
    text,
    path: new URL(target, `file:///${document}`).pathname.slice(1),
    line: Number(line),
    title,
  }));
}

/**
 * Gives every link to a line the number of the line that has its title; where several lines have it,
 * the nearest to the one before.
 *
 * @param readLines The lines of a file of the project; undefined if there is none.
 */
export async function repairLineLinks(
  document: string,
  content: string,
  readLines: (path: string) => Promise<string[] | undefined>,
): Promise<Repaired> {
  const repaired: Repaired = { content, changes: [], lost: [] };
  for (const { text, path, line, title } of lineLinks(document, content)) {
    const lines = await readLines(path);
    if (!lines || title === undefined) {
      const what = lines ? "has no title that says what stands there" : "leads to no file";
      repaired.lost.push(`${document}: the link to ${path}#L${line} ${what}`);
      continue;
    }
    const now = lines.flatMap((code, i) => code.includes(title) ? [i + 1] : [])
      .reduce((best, n) => Math.abs(n - line) < Math.abs(best - line) ? n : best, Infinity);
    if (now === Infinity) {
      repaired.lost.push(`${document}: no line of ${path} has "${title}"`);
    } else if (now !== line) {
      const changed = text.replace(`#L${line}`, `#L${now}`);
      repaired.content = repaired.content.replaceAll(text, () => changed);
      repaired.changes.push(`${document}: ${path}#L${line} is now #L${now} "${title}"`);
    }
  }
  return repaired;
}

/** The documents that may have such links, from the project's folder on. */
export async function documents(project = "."): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(`${project}/docs`)).catch(() => []);
  const pages = entries.map(({ name }) => `docs/${name}`).filter((name) => name.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", ...pages.sort()];
}

async function main(): Promise<number> {
  const readLines = async (path: string) =>
    (await Deno.readTextFile(path).catch(() => undefined))?.split("\n");
  let exitCode = 0;
  for (const document of await documents()) {
    const before = await Deno.readTextFile(document);
    const { content, changes, lost } = await repairLineLinks(document, before, readLines);
    if (changes.length > 0) await Deno.writeTextFile(document, content);
    for (const change of changes) console.log(change);
    for (const link of lost) console.error(`error: ${link}`);
    if (lost.length > 0) exitCode = 1;
  }
  return exitCode;
}

if (import.meta.main) Deno.exit(await main());
