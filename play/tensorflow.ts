/**
 * TensorFlow.js as a tab needs it, in the place of the package `@tensorflow/tfjs`: the core with its
 * gradients. The rest of the package (layers, loaders, WebGL) is not in the page.
 *
 * @module
 */
export * from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
