/**
 * Which backend a run computes with: the faster one, by the run's own training step, and none that
 * computes wrong numbers.
 *
 * @module
 */
import { type Backend, type BackendName, selectBackend } from "../backend.ts";
import { firstWrongOperation } from "../engine/operation_check.ts";
import { whileDeviceLives } from "../engine/webgpu/faults.ts";
import { UserError } from "../user_error.ts";
import { readRecord } from "./record.ts";
import { differenceOf, type Trial } from "./trial.ts";

/** The settings that have a say. */
export interface BackendSettings {
  /** What was asked for. */
  backend: BackendName;
  /** Threads for WASM. */
  workers: number;
  /** The folder of a run to go on with; `auto` then computes as that run did. */
  resume?: string;
  /** The run.json of a run to repeat; likewise. */
  from?: string;
}

/** The run's own training step, on whichever backend is active. */
export interface Rehearsal {
  /** A step on given weights: the same numbers wherever it is computed, but for rounding. */
  numbers(): Promise<Trial>;
  /** Seconds that a step takes. */
  stepSeconds(): Promise<number>;
}

/**
 * Starts the backend that the settings ask for.
 *
 * With `auto` a hardware WebGPU adapter and WASM on all cores are the candidates; without such an
 * adapter nothing is measured. A GPU must agree with WASM, also when it is asked for.
 *
 * @param rehearsal The step to compare by. Without one a GPU's operations are checked, and it is taken.
 * @throws {UserError} What {@linkcode selectBackend} throws; or `webgpu` was asked for, and computes
 * wrong numbers (exit code 1).
 */
export async function chooseBackend(
  settings: BackendSettings,
  rehearsal?: Rehearsal,
): Promise<Backend> {
  const earlier = settings.backend === "auto" ? await earlierBackend(settings) : undefined;
  if (earlier === "wasm") {
    const backend = await selectBackend("wasm", settings);
    return { ...backend, reason: backend.reason.replace("as asked", "like the run before") };
  }
  const gpu = await selectBackend(settings.backend, settings);
  if (gpu.name !== "webgpu") return gpu;
  const wrong = rehearsal
    ? await disagreement(settings, rehearsal)
    : gpu.hardware
    ? await wrongOperation()
    : undefined;
  if (wrong) return await withoutGpu(settings, gpu, wrong);
  if (settings.backend === "webgpu" || earlier === "webgpu" || !rehearsal) return gpu;
  return await faster(settings, gpu, rehearsal);
}

/** What the run computed with that the settings go on with or repeat. */
async function earlierBackend({ resume, from }: BackendSettings): Promise<string | undefined> {
  const path = from ?? (resume && `${resume}/run.json`);
  return path ? (await readRecord(path)).backend?.name : undefined;
}

/** Goes on with WASM, or ends where the GPU was asked for. */
async function withoutGpu(
  settings: BackendSettings,
  { adapter }: Backend,
  wrong: string,
): Promise<Backend> {
  if (settings.backend === "webgpu") {
    throw new UserError(
      `--backend webgpu: ${adapter} ${wrong}; renew its driver, or use --backend wasm`,
      { exitCode: 1 },
    );
  }
  const wasm = await selectBackend("wasm", settings);
  return { ...wasm, reason: wasm.reason.replace("as asked", `${adapter} ${wrong}`) };
}

/** Why the GPU's step cannot be trusted, or undefined. WebGPU is the active backend again afterwards. */
async function disagreement(
  settings: BackendSettings,
  { numbers }: Rehearsal,
): Promise<string | undefined> {
  const wasm = await selectBackend("wasm", settings);
  const expected = await numbers();
  wasm.dispose();
  await selectBackend("webgpu");
  return await orFailure(async () => {
    const found = await numbers();
    const difference = differenceOf(found, expected);
    if (!difference) return undefined;
    return `computes wrong numbers: ${difference}; ${await wrongOperation() ?? TFJS_ONLY}`;
  });
}

const TFJS_ONLY = "every operation of this project's own is right, so it is one of TensorFlow.js";

/** Which operation of the active backend is wrong, in words. */
async function wrongOperation(): Promise<string | undefined> {
  return await orFailure(async () => {
    const wrong = await firstWrongOperation();
    return wrong &&
      `the operation ${wrong.operation} differs from its definition by ${short(wrong.error)}`;
  });
}

/** What a check says, or, when the GPU fails over it, that it does. */
async function orFailure(check: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await whileDeviceLives(check());
  } catch (error) {
    if (error instanceof UserError) throw error;
    return `fails: ${(error as Error).message.split("\n")[0]}`;
  }
}

/** Measures a step on both, and keeps the faster one. */
async function faster(
  settings: BackendSettings,
  gpu: Backend,
  { stepSeconds }: Rehearsal,
): Promise<Backend> {
  const webgpu = await stepSeconds();
  const wasm = await selectBackend("wasm", settings);
  const measured = { webgpu, wasm: await stepSeconds() };
  const times = [duration(measured.webgpu), duration(measured.wasm)];
  if (measured.wasm < measured.webgpu) {
    const why = `a training step takes ${times[1]}, on ${gpu.adapter} ${times[0]}`;
    return { ...wasm, measured, reason: wasm.reason.replace("as asked", why) };
  }
  wasm.dispose();
  const backend = await selectBackend("webgpu");
  const reason = `WebGPU on ${gpu.adapter}: a training step takes ${times[0]}, with WASM on ` +
    `${wasm.workers} threads ${times[1]}`;
  return { ...backend, measured, reason };
}

function duration(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`;
}

function short(value: number): string {
  return value.toPrecision(3);
}
