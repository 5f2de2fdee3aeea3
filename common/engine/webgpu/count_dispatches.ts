/**
 * How much work a program hands to the GPU: the figure that decides the speed of small networks.
 *
 * @module
 */

/** Counts the compute dispatches, tfjs's own and the project's, while `f` runs. */
export async function countDispatches(f: () => unknown): Promise<number> {
  const encoder = GPUComputePassEncoder.prototype;
  const original = encoder.dispatchWorkgroups;
  let count = 0;
  encoder.dispatchWorkgroups = function (...workgroups): undefined {
    count++;
    return original.apply(this, workgroups);
  };
  try {
    await f();
  } finally {
    encoder.dispatchWorkgroups = original;
  }
  return count;
}
