/**
 * A run's own training images as a file, for a training elsewhere.
 *
 * @module
 */
import type { ImageSet } from "../data/images/image_set.ts";
import { writeAtomically } from "../files/writing.ts";
import { encodeSafetensors, type HostTensor } from "../files/safetensors.ts";
import { UserError } from "../user_error.ts";

/**
 * Writes images as safetensors: `images`, [N, H, W, C] in 0..255, `labels`, [N], where there are any, and
 * in the metadata whether they may be flipped.
 *
 * @throws {UserError} There is a file of that name already, or it cannot be written.
 */
export async function exportImages(images: ImageSet, path: string): Promise<void> {
  const { name, count, height, width, channels, pixels, labels, flips } = images;
  const taken = await Deno.lstat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
  if (taken) throw new UserError(`--export-data ${path}: there is such a file; give another name`);
  const tensors = new Map<string, HostTensor>([
    ["images", { shape: [count, height, width, channels], data: pixels }],
  ]);
  if (labels) tensors.set("labels", { shape: [count], data: labels });
  await writeAtomically(path, encodeSafetensors(tensors, { dataset: name, flips: `${flips}` }));
  console.log(`${path}: ${count} images of ${height}x${width}x${channels}`);
}
