/// <reference lib="dom" />
import type { ModelFiles } from "../protocol.ts";
import { loadScript } from "./page_worker.ts";

declare global {
  /** Set by paper2_model.js and paper3_model.js: the file in base64, and its run.json. */
  var playModels: Record<string, { model: string; record: { settings: object } }> | undefined;
}

/** Loads the model of a script, which lies beside the page. */
export async function loadModel(script: "paper2" | "paper3"): Promise<ModelFiles> {
  await loadScript(`${script}_model.js`);
  const { model, record } = globalThis.playModels![script];
  delete globalThis.playModels![script];
  return { model: Uint8Array.from(atob(model), (c) => c.charCodeAt(0)), record };
}
