/**
 * Matrix products, plain and batched. tfjs's own gradient transposes inside the product, which is
 * slow on WASM; here a transposed operand is part of the operation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation } from "./operation.ts";
import { sumPixels } from "./per_sample.ts";

/** The kernel of {@linkcode matMul}; backends replace kernels by their names. */
export const MAT_MUL = "DiffusionMatMul";
/** The kernel of {@linkcode linear}. */
export const LINEAR = "DiffusionLinear";

/** Which operand is given transposed in its last two axes. */
export interface Transposed {
  /** Whether `a` is given as [K, M]. */
  transposeA?: boolean;
  /** Whether `b` is given as [P, K]. */
  transposeB?: boolean;
}

/**
 * C = A·B over the last two axes.
 *
 * @param a [M, K], or [N, M, K] for N products at once ([K, M] when transposed).
 * @param b [K, P], or [N, K, P] ([P, K] when transposed).
 * @returns [M, P] or [N, M, P].
 */
export function matMul<T extends tf.Tensor2D | tf.Tensor3D>(
  a: T,
  b: T,
  options: Transposed = {},
): T {
  const { transposeA = false, transposeB = false } = options;
  const rank = a.rank;
  const inner = [
    a.shape[transposeA ? rank - 2 : rank - 1],
    b.shape[transposeB ? rank - 1 : rank - 2],
  ];
  if (b.rank !== rank || inner[0] !== inner[1] || (rank === 3 && a.shape[0] !== b.shape[0])) {
    throw new Error(
      `matMul: shapes [${a.shape}] and [${b.shape}] do not fit (A ${
        transposeA ? "transposed" : "as it is"
      }, B ${transposeB ? "transposed" : "as it is"})`,
    );
  }
  return runOperation(MAT_MUL, { a, b }, { transposeA, transposeB });
}

/**
 * A fully connected layer, y = x·W + b, or N of them side by side.
 *
 * @param x [M, I], or [N, M, I].
 * @param w [I, O], or [N, I, O].
 * @param bias [O], or [N, O].
 * @returns [M, O], or [N, M, O].
 */
export function linear<T extends tf.Tensor2D | tf.Tensor3D>(x: T, w: T, bias: tf.Tensor): T {
  if (x.rank !== w.rank || x.shape[x.rank - 1] !== w.shape[w.rank - 2]) {
    throw new Error(`linear: an input of shape [${x.shape}] does not fit weights [${w.shape}]`);
  }
  return runOperation(LINEAR, { x, w, bias });
}

defineOperation({
  name: LINEAR,
  composed: ({ x, w, bias }) =>
    tf.add(tf.matMul(x, w), x.rank === 3 ? tf.expandDims(bias, 1) : bias),
  gradient: {
    inputs: ["x", "w", "bias"],
    of: (gradient, [x, w, bias]) => {
      const dy = gradient as tf.Tensor3D;
      const [M, O] = dy.shape.slice(-2);
      return {
        x: () => matMul(dy, w as tf.Tensor3D, { transposeB: true }),
        w: () => matMul(x as tf.Tensor3D, dy, { transposeA: true }),
        bias: () => tf.reshape(sumPixels(tf.reshape(dy, [-1, M, O])), bias.shape),
      };
    },
  },
});

defineOperation({
  name: MAT_MUL,
  composed: ({ a, b }, { transposeA, transposeB }) =>
    tf.matMul(a, b, transposeA as boolean, transposeB as boolean),
  gradient: {
    inputs: ["a", "b"],
    of: (gradient, [a, b], { transposeA, transposeB }) => {
      const dy = gradient as tf.Tensor3D;
      const [A, B] = [a as tf.Tensor3D, b as tf.Tensor3D];
      const [tA, tB] = [transposeA as boolean, transposeB as boolean];
      return {
        // ∂L/∂A = ∂L/∂C·Bᵀ, transposed when A itself was given transposed; in the same way ∂L/∂B = Aᵀ·∂L/∂C
        a: () =>
          tA
            ? matMul(B, dy, { transposeA: tB, transposeB: true })
            : matMul(dy, B, { transposeB: !tB }),
        b: () =>
          tB
            ? matMul(dy, A, { transposeA: true, transposeB: tA })
            : matMul(A, dy, { transposeA: !tA }),
      };
    },
  },
});
