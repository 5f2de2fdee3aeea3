/// <reference lib="dom" />
import { byId } from "./elements.ts";

const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners: (() => void)[] = [];

/** Light or dark as the system has it, until the button says otherwise. */
export function startTheme(): void {
  const root = document.documentElement;
  const button = byId<HTMLButtonElement>("theme");
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  function changed() {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Change to ${isDark() ? "light" : "dark"} colours`);
    for (const listener of listeners) listener();
  }
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    changed();
  });
  dark.addEventListener("change", changed);
  matchMedia("print").addEventListener("change", changed); // paper is light
  changed();
}

/** Calls back after the colours have changed: what is drawn on a canvas has to be drawn again. */
export function onThemeChange(listener: () => void): void {
  listeners.push(listener);
}
