// Everything the host can call; compiled to ../kernels.wasm by `deno task kernels`.
export { convolve, packRows, packWeights, weightGradient } from "./conv2d";
export { winograd, winogradWeights } from "./winograd";
export {
  winogradGradients, winogradInputs, winogradProducts, winogradWeightGradient,
} from "./winograd_weight_gradient";
export { multiply, packColumns } from "./mat_mul";
export { groupNorm, groupNormGradient } from "./group_norm";
export {
  relu, reluGradient, silu, siluGradient, softmax, softmaxGradient,
} from "./activations";
export { add, addPerSample, copyColumns, sumPixels, upsample, upsampleGradient } from "./pixels";
export { adam, sumSquares } from "./adam";
export { dropout } from "./dropout";
