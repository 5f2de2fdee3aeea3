/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { byId } from "./elements.ts";

/** Shows the run's data again whenever the server says that its folder has changed. */
export function followRun(show: (data: RunData) => void): void {
  const note = byId("live");
  const events = new EventSource("/events");
  events.addEventListener("open", () => note.textContent = "live");
  events.addEventListener("error", () => {
    note.textContent = "not connected: is `deno task explore` still running?";
  });
  let latest = 0;
  events.addEventListener("change", async () => {
    const asked = ++latest;
    const response = await fetch("/data");
    if (!response.ok) return; // the server's own line stands in its terminal
    const data = await response.json() as RunData;
    if (asked === latest) show(data);
  });
}
