/**
 * Which commit of the project is running, for the record of a run.
 *
 * @module
 */

/**
 * The commit that is checked out where the project lies. Changes since that commit do not count.
 *
 * It is in the last line of Git's own log of HEAD. As an import with a fixed path, that file needs no
 * permission to read.
 *
 * @returns Git's hexadecimal name of the commit; undefined where the project is no clone.
 */
export async function checkedOutCommit(): Promise<string | undefined> {
  try {
    const { default: log } = await import("../../.git/logs/HEAD", { with: { type: "text" } });
    return lastCommit(log);
  } catch {
    return undefined; // there is no such file
  }
}

/** The commit that the last line of a log of HEAD leads to: "before after author time…". */
export function lastCommit(log: string): string | undefined {
  const [, commit] = log.trimEnd().split("\n").at(-1)!.split(" ");
  return /^[0-9a-f]{40,64}$/.test(commit ?? "") ? commit : undefined;
}
