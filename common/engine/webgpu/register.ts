/**
 * Replaces the composed kernels by WGSL ones.
 *
 * @module
 */
import { SOFTMAX, SOFTMAX_GRADIENT } from "../ops/attention.ts";
import { CONV2D, CONV2D_INPUT_GRADIENT, CONV2D_WEIGHT_GRADIENT } from "../ops/conv2d.ts";
import { DROPOUT } from "../ops/dropout.ts";
import { GROUP_NORM, GROUP_NORM_GRADIENT } from "../ops/group_norm.ts";
import { LINEAR, LINEAR_GRADIENT, MAT_MUL } from "../ops/mat_mul.ts";
import { replaceKernel } from "../ops/operation.ts";
import { ADD_PER_SAMPLE, SUM_PIXELS } from "../ops/per_sample.ts";
import { SILU, SILU_GRADIENT } from "../ops/silu.ts";
import { UPSAMPLE, UPSAMPLE_GRADIENT } from "../ops/upsample.ts";
import { isSoftware } from "./adapter.ts";
import { conv2dInputGradientKernel, conv2dKernel } from "./conv2d.ts";
import { conv2dWeightGradientKernel } from "./conv2d_weight_gradient.ts";
import { webgpuBackend } from "./command_queue.ts";
import { dropoutKernel } from "./dropout.ts";
import { groupNormGradientKernel, groupNormKernel } from "./group_norm.ts";
import { linearGradientKernel, linearKernel, matMulKernel } from "./mat_mul.ts";
import { addPerSampleKernel, sumPixelsKernel } from "./per_sample.ts";
import { siluGradientKernel, siluKernel } from "./silu.ts";
import { softmaxGradientKernel, softmaxKernel } from "./softmax.ts";
import type { Tiling } from "./tiled_product.ts";
import { upsampleGradientKernel, upsampleKernel } from "./upsample.ts";

/**
 * Registers all kernels; the WebGPU backend must be the active one.
 *
 * @param tiling How products are cut into tiles. Default: what suits the adapter.
 */
export function registerWebgpuKernels(tiling: Tiling = tilingOfAdapter()): void {
  const kernels = {
    [CONV2D]: conv2dKernel(tiling),
    [CONV2D_INPUT_GRADIENT]: conv2dInputGradientKernel(tiling),
    [CONV2D_WEIGHT_GRADIENT]: conv2dWeightGradientKernel(tiling),
    [MAT_MUL]: matMulKernel(tiling),
    [LINEAR]: linearKernel(tiling),
    [LINEAR_GRADIENT]: linearGradientKernel(tiling),
    [GROUP_NORM]: groupNormKernel,
    [GROUP_NORM_GRADIENT]: groupNormGradientKernel,
    [SOFTMAX]: softmaxKernel,
    [SOFTMAX_GRADIENT]: softmaxGradientKernel,
    [DROPOUT]: dropoutKernel,
    [SILU]: siluKernel,
    [SILU_GRADIENT]: siluGradientKernel,
    [ADD_PER_SAMPLE]: addPerSampleKernel,
    [SUM_PIXELS]: sumPixelsKernel,
    [UPSAMPLE]: upsampleKernel,
    [UPSAMPLE_GRADIENT]: upsampleGradientKernel,
  };
  for (const [name, kernel] of Object.entries(kernels)) replaceKernel(name, "webgpu", kernel);
}

/** A software adapter computes in the registers of a CPU. */
function tilingOfAdapter(): Tiling {
  return isSoftware(webgpuBackend().device.adapterInfo) ? "registers" : "shared";
}
