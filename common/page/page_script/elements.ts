/// <reference lib="dom" />

/** The element with an id that the page's HTML has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as E;
}

/** A new element with text in it; nothing in the text is taken for HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { text, className, children = [] }: { text?: string; className?: string; children?: Node[] } = {},
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Shows a part of the page, or in its place the line that says when it will come. */
export function showPart(id: string, isThere: boolean): void {
  byId(id).classList.toggle("empty", !isThere);
}

/** A colour of the page's style, as it is in the present theme. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls back whenever an element's width changes, the first time at once. */
export function onWidth(target: HTMLElement, draw: (width: number) => void): void {
  let last = 0;
  new ResizeObserver(() => {
    const width = Math.floor(target.clientWidth);
    if (width === last || width === 0) return;
    last = width;
    draw(width);
  }).observe(target);
}
