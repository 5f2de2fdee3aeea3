/**
 * Matrix products, plain and batched. tfjs's own gradient transposes inside the product, which is
 * slow on WASM; here a transposed operand is part of the operation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineOperation, runOperation, together } from "./operation.ts";

/** The kernel of {@linkcode matMul}; backends replace kernels by their names. */
export const MAT_MUL = "DiffusionMatMul";
/** The kernel of {@linkcode linear}. */
export const LINEAR = "DiffusionLinear";
/** The kernel of its gradient. */
export const LINEAR_GRADIENT = "DiffusionLinearGradient";

/** Which operand is given transposed in its last two axes. */
export interface Transposed {
  /** Whether `a` is given as [K, M]. */
  transposeA?: boolean;
  /** Whether `b` is given as [P, K]. */
  transposeB?: boolean;
}

/**
 * C = A·B over the last two axes. A tensor of rank 4, the pixels of feature maps, counts as one matrix
 * with a row for each pixel.
 *
 * @param a [M, K], or [N, M, K] for N products at once ([K, M] when transposed), or [B, H, W, K].
 * @param b [K, P], or [N, K, P] ([P, K] when transposed), or [B, H, W, P] where A is transposed.
 * @returns [M, P], [N, M, P] or [B, H, W, P].
 */
export function matMul<T extends tf.Tensor>(
  a: T,
  b: tf.Tensor,
  options: Transposed = {},
): T {
  const { transposeA = false, transposeB = false } = options;
  const [shapeA, shapeB] = [asMatrices(a.shape), asMatrices(b.shape)];
  const rank = shapeA.length;
  const inner = [
    shapeA[transposeA ? rank - 2 : rank - 1],
    shapeB[transposeB ? rank - 1 : rank - 2],
  ];
  if (
    shapeB.length !== rank || inner[0] !== inner[1] || (rank === 3 && a.shape[0] !== b.shape[0])
  ) {
    throw new Error(
      `matMul: shapes [${a.shape}] and [${b.shape}] do not fit (A ${
        transposeA ? "transposed" : "as it is"
      }, B ${transposeB ? "transposed" : "as it is"})`,
    );
  }
  return runOperation(MAT_MUL, { a, b }, { transposeA, transposeB });
}

/** [B, H, W, C] as [B·H·W, C]; other shapes as they are. */
export function asMatrices(shape: number[]): number[] {
  return shape.length === 4 ? [shape[0] * shape[1] * shape[2], shape[3]] : shape;
}

/** The shape of A·B: A's own with other columns, unless A is transposed. */
export function productShape(a: number[], columns: number, transposeA: boolean): number[] {
  if (!transposeA) return [...a.slice(0, -1), columns];
  const matrices = asMatrices(a);
  return [...matrices.slice(0, -2), matrices[matrices.length - 1], columns];
}

/**
 * A fully connected layer, y = x·W + b, or N of them side by side.
 *
 * @param x [M, I], or [N, M, I], or [B, H, W, I] with one layer for all pixels.
 * @param w [I, O], or [N, I, O].
 * @param bias [O], or [N, O].
 * @returns [M, O], [N, M, O] or [B, H, W, O].
 */
export function linear<T extends tf.Tensor>(x: T, w: tf.Tensor, bias: tf.Tensor): T {
  if (
    asMatrices(x.shape).length !== w.rank || x.shape[x.rank - 1] !== w.shape[w.rank - 2]
  ) {
    throw new Error(`linear: an input of shape [${x.shape}] does not fit weights [${w.shape}]`);
  }
  return runOperation(LINEAR, { x, w, bias });
}

defineOperation({
  name: LINEAR,
  composed: ({ x, w, bias }) =>
    tf.add(product(x, w, {}), x.rank === 3 ? tf.expandDims(bias, 1) : bias),
  gradient: {
    inputs: ["x", "w"],
    of: (gradient, [x, w]) => {
      const inputs = { x, w, dy: gradient as tf.Tensor };
      return together(["x", "w", "bias"], () => runOperation(LINEAR_GRADIENT, inputs));
    },
  },
});

// ∂L/∂x = ∂L/∂y·Wᵀ, ∂L/∂W = xᵀ·∂L/∂y, ∂L/∂b = Σ over the rows of ∂L/∂y
defineOperation({
  name: LINEAR_GRADIENT,
  composed: ({ x, w, dy }) => [
    product(dy, w, { transposeB: true }),
    product(x, dy, { transposeA: true }),
    x.rank === 3 ? tf.sum(dy, 1) : tf.sum(tf.reshape(dy, asMatrices(dy.shape)), 0),
  ],
});

defineOperation({
  name: MAT_MUL,
  composed: ({ a, b }, { transposeA, transposeB }) =>
    product(a, b, { transposeA: transposeA as boolean, transposeB: transposeB as boolean }),
  gradient: {
    inputs: ["a", "b"],
    of: (gradient, [a, b], { transposeA, transposeB }) => {
      const dy = gradient as tf.Tensor;
      const [A, B] = [a, b];
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

function product(a: tf.Tensor, b: tf.Tensor, { transposeA = false, transposeB = false }) {
  const [x, y] = [a, b].map((t) => t.rank === 4 ? tf.reshape(t, asMatrices(t.shape)) : t);
  const c = tf.matMul(x, y, transposeA, transposeB);
  return tf.reshape(c, productShape(a.shape, c.shape[c.rank - 1]!, transposeA));
}
