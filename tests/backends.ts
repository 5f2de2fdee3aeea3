/**
 * Backends in tests.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type BackendName, selectBackend } from "../common/backend.ts";

/** Runs f on a backend, and frees what it left there. */
export async function on(backendName: BackendName, f: () => void | Promise<void>): Promise<void> {
  const backend = await selectBackend(backendName);
  tf.engine().startScope();
  try {
    await f();
  } finally {
    tf.engine().endScope();
    backend.dispose();
  }
}
