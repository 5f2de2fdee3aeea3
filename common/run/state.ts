/**
 * What a run needs in order to be resumed: written while it trains, with a checksum; the two newest
 * are kept.
 *
 * @module
 */
import { writingFailed } from "../files/file_errors.ts";
import { readBytes } from "../files/reading.ts";
import { writeAtomically } from "../files/writing.ts";
import { UserError } from "../user_error.ts";
import {
  type Contents,
  decodeSafetensors,
  encodeSealed,
  type HostTensor,
  isIntact,
} from "../files/safetensors.ts";

/** The newest state, the one before it, and one that is written but not yet the newest. */
const NEWEST = "state.safetensors";
const PREVIOUS = "state.previous.safetensors";
const NEXT = "state.next.safetensors";

/** The state of a training. */
export interface State {
  /** Steps that are done. */
  step: number;
  /** What the training loop needs to be resumed. */
  tensors: Map<string, HostTensor>;
}

/** What distinguishes a run from others: the settings that decide what it learns, as text. */
export type RunIdentity = Record<string, string>;

/**
 * Writes a run's state. Even when writing is cut off and the newest is damaged, one whole state stays.
 *
 * @param folder The run's folder.
 * @param identity Kept with the state, so that it is not taken for one of another run.
 * @throws {UserError} The folder cannot be written to, or the disk is full (exit code 1).
 */
export async function saveState(
  folder: string,
  { step, tensors }: State,
  identity: RunIdentity = {},
): Promise<void> {
  const metadata = { ...identity, step: String(step) };
  const bytes = await encodeSealed(tensors, metadata);
  await writeAtomically(`${folder}/${NEXT}`, bytes);
  try {
    await Deno.rename(`${folder}/${NEWEST}`, `${folder}/${PREVIOUS}`).catch(ignoreMissing);
    await Deno.rename(`${folder}/${NEXT}`, `${folder}/${NEWEST}`);
  } catch (error) {
    throw writingFailed(`${folder}/${NEWEST}`, error);
  }
}

/**
 * Reads the newest state that is whole and the run's own.
 *
 * @param identity That of the run; a state with another one is of another run.
 * @param notice Called with one line when the newest could not be used.
 * @returns Undefined when there is none yet.
 * @throws {UserError} There are state files, and none can be used.
 */
export async function loadState(
  folder: string,
  notice: (line: string) => void,
  identity: RunIdentity = {},
): Promise<State | undefined> {
  const problems: string[] = [];
  for (const name of [NEXT, NEWEST, PREVIOUS]) {
    try {
      const state = await readState(`${folder}/${name}`, identity);
      if (problems.length > 0) {
        notice(`${problems[0]}; going on from ${name}, step ${state.step}`);
      }
      return state;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!(error.cause instanceof Deno.errors.NotFound)) problems.push(error.message);
    }
  }
  if (problems.length === 0) return undefined;
  throw new UserError(`no checkpoint in ${folder} can be used: ${problems.join("; ")}`);
}

async function readState(path: string, identity: RunIdentity): Promise<State> {
  const { tensors, metadata } = decodeSafetensors(await readBytes(path), path);
  await verify(path, { tensors, metadata });
  refuseForeign(path, metadata, identity);
  return { step: Number(metadata.step), tensors };
}

async function verify(path: string, contents: Contents): Promise<void> {
  if (!/^\d+$/.test(contents.metadata.step ?? "")) {
    throw new UserError(`${path} is not a checkpoint of this project: it names no step`);
  }
  if (!await isIntact(contents)) {
    throw new UserError(`${path} is damaged: its checksum does not fit its content`);
  }
}

/** A setting that only one of the two has does not count: versions of the project add and remove settings. */
function refuseForeign(path: string, metadata: RunIdentity, identity: RunIdentity): void {
  for (const [name, expected] of Object.entries(identity)) {
    const found = metadata[name];
    if (found === undefined || found === expected) continue;
    throw new UserError(`${path} is of another run: its ${name} is ${found}, not ${expected}`);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
