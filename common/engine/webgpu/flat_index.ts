/**
 * One invocation for each number of a tensor, however long: the workgroups are folded into two
 * dimensions where one would exceed what devices allow.
 *
 * @module
 */

/** Invocations of a workgroup: within every device's limits. */
const WORKGROUP = 64;
/** Workgroups along one dimension that every device allows. */
const LONGEST = 65535;

/** WGSL: the constant `WORKGROUP`, and the number of the invocation. */
export const FLAT_INDEX = `
const WORKGROUP = ${WORKGROUP}u;
fn flatIndex(id: vec3u, groups: vec3u) -> u32 { return id.y * groups.x * WORKGROUP + id.x; }
`;

/** Enough workgroups for so many invocations; the last may be partly idle. */
export function flatWorkgroups(count: number): [number, number] {
  const groups = Math.ceil(count / WORKGROUP);
  const folds = Math.ceil(groups / LONGEST);
  return [Math.ceil(groups / folds), folds];
}
