/**
 * A script as a page with numbered lines that one can link to.
 *
 * @module
 */
import { escaped } from "../../plot/svg.ts";
import { hash } from "../page.ts";
import themeStyle from "../theme.css" with { type: "text" };

const STYLE = `${themeStyle}
body { margin: 0; padding: 24px 16px; background: var(--paper); color: var(--ink); }
h1 { font: 600 20px/1.3 system-ui, sans-serif; }
p { font: 15px/1.5 system-ui, sans-serif; }
a { color: var(--blue); }
pre { margin: 0; font: 14px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre span { display: block; scroll-margin-top: 30vh; white-space: pre-wrap; padding-left: 5em; }
pre a { display: inline-block; width: 4em; margin-left: -5em; margin-right: 1em; text-align: right; color: var(--soft); text-decoration: none; }
span:target { background: var(--light); }
`;

/** Where a file's page lies, from the page that leads to it on. */
export function codeAddress(path: string, line?: number): string {
  return `code/${path.replaceAll("/", "-")}.html${line === undefined ? "" : `#L${line}`}`;
}

/**
 * The page of a file of the project.
 *
 * @param back Where the page lies that leads here.
 */
export async function codePage(path: string, source: string, back: string): Promise<string> {
  const lines = source.trimEnd().split("\n").map((line, i) =>
    `<span id="L${i + 1}"><a href="#L${i + 1}" aria-label="line ${i + 1}">${i + 1}</a>${
      escaped(line)
    }</span>`
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${await hash(
    STYLE,
  )}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(path)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(path)}</h1>
<p><a href="${back}">back to the page</a></p>
<pre>${lines.join("")}</pre>
</main>
</body>
</html>
`;
}
