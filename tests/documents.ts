/**
 * The project's documents, read as GitHub reads them.
 *
 * @module
 */
import { marked, type Token, type Tokens } from "marked";
import { documents } from "../common/lesson/line_links.ts";
import { root } from "./commands.ts";

/** A document of the project. */
export interface Document {
  /** Its path from the project's folder on. */
  name: string;
  /** As it stands in the file. */
  content: string;
}

/** README.md, CONTRIBUTING.md and the pages of docs/. */
export async function allDocuments(): Promise<Document[]> {
  return await Promise.all(
    (await documents(root)).map(async (name) => ({
      name,
      content: await Deno.readTextFile(root + name),
    })),
  );
}

/** All tokens of a Markdown text, those within others, too. */
export function tokensOf(content: string): Token[] {
  const tokens: Token[] = [];
  marked.walkTokens(marked.lexer(content), (token) => void tokens.push(token));
  return tokens;
}

/** A formula as Markdown leaves it. */
export interface Formula {
  tex: string;
  display: boolean;
}

/**
 * The formulas of a Markdown text, as GitHub takes them: a block of code in the language `math`, or a
 * code span between dollars. Whatever else has a dollar is named in `left`: GitHub might take it for the
 * beginning of a formula, after Markdown has eaten its backslashes and underscores.
 */
export function formulasOf(content: string): { formulas: Formula[]; left: string[] } {
  const formulas: Formula[] = [];
  const left: string[] = [];
  const inline = (siblings: Token[]) => {
    const texts = siblings.map((token) => token.type === "text" ? (token as Tokens.Text).raw : "");
    siblings.forEach((token, i) => {
      if (token.type !== "codespan") return;
      if (!texts[i - 1]?.endsWith("$") || !texts[i + 1]?.startsWith("$")) return;
      formulas.push({ tex: (token as Tokens.Codespan).raw.slice(1, -1), display: false });
      texts[i - 1] = texts[i - 1].slice(0, -1);
      texts[i + 1] = texts[i + 1].slice(1);
    });
    left.push(...texts.filter((text) => text.includes("$")));
  };
  const walk = (siblings: Token[]) => {
    if (siblings.some(({ type }) => type === "codespan" || type === "text")) inline(siblings);
    for (const token of siblings) {
      if (token.type === "code" && (token as Tokens.Code).lang === "math") {
        formulas.push({ tex: (token as Tokens.Code).text, display: true });
      }
      if (token.type === "table") {
        const { header, rows } = token as Tokens.Table;
        for (const cell of [header, ...rows].flat()) walk(cell.tokens);
      }
      if (token.type === "list") walk((token as Tokens.List).items);
      else if ("tokens" in token && token.tokens) walk(token.tokens);
    }
  };
  // a list's item or a paragraph has its text twice: as one token, and as the tokens in it
  walk(withoutWrappers(marked.lexer(content)));
  return { formulas, left };
}

/** The tokens with texts that are made of others replaced by those. */
function withoutWrappers(tokens: Token[]): Token[] {
  return tokens.flatMap((token) => {
    if (token.type === "text" && "tokens" in token && token.tokens) {
      return [{ ...token, type: "paragraph", tokens: token.tokens } as Token];
    }
    if (token.type === "list") {
      const { items } = token as Tokens.List;
      return [{
        ...token,
        items: items.map((item) => ({ ...item, tokens: withoutWrappers(item.tokens) })),
      } as Token];
    }
    return [token];
  });
}

/** A link or an image, and what it is written as. */
export interface Target {
  href: string;
  image: boolean;
  raw: string;
}

/** Where the links and images of a Markdown text lead to. */
export function targetsOf(content: string): Target[] {
  return tokensOf(content).flatMap((token) =>
    token.type === "link" || token.type === "image"
      ? [{ href: (token as Tokens.Link).href, image: token.type === "image", raw: token.raw }]
      : []
  );
}

/** The anchors of a Markdown text's headings on GitHub; that of the page's own title is the first. */
export function anchorsOf(content: string): string[] {
  return tokensOf(content).flatMap((token) =>
    token.type === "heading"
      ? [
        (token as Tokens.Heading).text.toLowerCase().replace(/[^\p{L}\p{N}_\- ]/gu, "")
          .replaceAll(" ", "-"),
      ]
      : []
  );
}
