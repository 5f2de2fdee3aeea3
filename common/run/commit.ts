/**
 * Which commit of the project is running, for the record of a run.
 *
 * @module
 */

/**
 * The commit that is checked out where the project lies, as Git's hexadecimal name of it. What was
 * changed since that commit is not looked at.
 *
 * Git is not started: its files are read, and only where that is permitted already; nobody is asked.
 * Enough is `--allow-read=.git/HEAD,.git/refs,.git/packed-refs`.
 *
 * @param project The folder that has .git in it, with a slash at its end.
 * @returns Undefined without a commit, without Git's files, or without the permission to read them.
 */
export async function checkedOutCommit(
  project: URL = new URL("../../", import.meta.url),
): Promise<string | undefined> {
  const head = await readPermitted(new URL(".git/HEAD", project));
  if (isCommit(head)) return head;
  // on a branch: ref: refs/heads/main
  const [, ref] = /^ref: (refs\/\S+)$/.exec(head ?? "") ?? [];
  if (!ref || ref.includes("..")) return undefined;
  const commit = await readPermitted(new URL(`.git/${ref}`, project));
  if (isCommit(commit)) return commit;
  // many branches in one file, each in a line: commit, space, branch
  const packed = await readPermitted(new URL(".git/packed-refs", project)) ?? "";
  const line = packed.split("\n").find((line) => line.endsWith(` ${ref}`));
  const [found] = line?.split(" ") ?? [];
  return isCommit(found) ? found : undefined;
}

/** SHA-1, or SHA-256 where a repository was made with it. */
function isCommit(text?: string): text is string {
  return text !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** A file's text without space around it; undefined if it is not there or may not be read. */
async function readPermitted(file: URL): Promise<string | undefined> {
  if (file.protocol !== "file:") return undefined;
  const { state } = await Deno.permissions.query({ name: "read", path: file });
  if (state !== "granted") return undefined;
  try {
    return (await Deno.readTextFile(file)).trim();
  } catch {
    return undefined; // a run goes on without it
  }
}
