/**
 * The Fréchet distance between two sets of features, of any kind: with those of an Inception network
 * it is the FID (Heusel et al. 2017).
 *
 * @module
 */

import { EigenvalueDecomposition, Matrix } from "ml-matrix";

/** A Gaussian fitted to features: mean [D] and covariance [D, D]. */
interface Fitted {
  mean: Float64Array;
  covariance: Matrix;
}

/**
 * d² = |μ₁ − μ₂|² + tr(C₁ + C₂ − 2·(C₁C₂)^½), between the Gaussians fitted to the two sets.
 *
 * @param a [N·D], the features of each sample in turn; N at least 2.
 * @param b The other set; it may have another N.
 * @param D Features of each sample.
 * @throws {RangeError} A set is not whole samples, or has fewer than two.
 */
export function frechetDistance(a: Float32Array, b: Float32Array, D: number): number {
  const [p, q] = [fit(a, D), fit(b, D)];
  const shift = p.mean.reduce((sum, mean, i) => sum + (mean - q.mean[i]) ** 2, 0);
  // (C₁C₂)^½ has the eigenvalues of (C₁^½·C₂·C₁^½)^½, which is symmetric
  const root = squareRoot(p.covariance);
  const { realEigenvalues } = symmetricEigen(root.mmul(q.covariance).mmul(root));
  const traceOfRoot = realEigenvalues.reduce((sum, x) => sum + Math.sqrt(Math.max(0, x)), 0);
  return Math.max(0, shift + p.covariance.trace() + q.covariance.trace() - 2 * traceOfRoot);
}

function fit(features: Float32Array, D: number): Fitted {
  const N = features.length / D;
  if (!Number.isInteger(N) || N < 2) {
    throw new RangeError(`frechetDistance: ${N} samples of ${D} features; at least 2 are needed`);
  }
  const mean = new Float64Array(D);
  for (let k = 0; k < features.length; k++) mean[k % D] += features[k] / N;
  const centred = new Matrix(N, D);
  for (let k = 0; k < features.length; k++) {
    centred.set(Math.floor(k / D), k % D, features[k] - mean[k % D]);
  }
  return { mean, covariance: centred.transpose().mmul(centred).div(N - 1) };
}

/** The symmetric square root of a symmetric positive semi-definite matrix. */
function squareRoot(matrix: Matrix): Matrix {
  const { realEigenvalues, eigenvectorMatrix: V } = symmetricEigen(matrix);
  const roots = realEigenvalues.map((x) => Math.sqrt(Math.max(0, x))); // rounding may leave x below 0
  return V.mmul(Matrix.diag(roots)).mmul(V.transpose());
}

function symmetricEigen(matrix: Matrix): EigenvalueDecomposition {
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
}
