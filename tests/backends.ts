/**
 * Backends in tests.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type BackendName, selectBackend } from "../common/backend.ts";
import { makeTensorsReadable } from "../common/inspect/readable_tensors.ts";

/** Runs f on a backend, with readable tensors, and frees what it left there. */
export async function on(backendName: BackendName, f: () => void | Promise<void>): Promise<void> {
  makeTensorsReadable();
  const backend = await selectBackend(backendName);
  tf.engine().startScope();
  try {
    await f();
  } finally {
    tf.engine().endScope();
    backend.dispose();
  }
}
