/**
 * The Fréchet distance between two sets of features, as it is behind the FID (Heusel et al. 2017),
 * here with whatever features one has.
 *
 * @module
 */

/** A Gaussian fitted to features: mean [D] and covariance [D·D], row by row. */
interface Fitted {
  mean: Float64Array;
  covariance: Float64Array;
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
  let distance = 0;
  for (let i = 0; i < D; i++) {
    distance += (p.mean[i] - q.mean[i]) ** 2;
    distance += p.covariance[i * D + i] + q.covariance[i * D + i];
  }
  // (C₁C₂)^½ has the eigenvalues of (C₁^½·C₂·C₁^½)^½, which is symmetric
  const root = squareRoot(p.covariance, D);
  const middle = multiply(multiply(root, q.covariance, D), root, D);
  const { values } = eigen(middle, D);
  return Math.max(0, distance - 2 * values.reduce((sum, x) => sum + Math.sqrt(Math.max(0, x)), 0));
}

function fit(features: Float32Array, D: number): Fitted {
  const N = features.length / D;
  if (!Number.isInteger(N) || N < 2) {
    throw new RangeError(`frechetDistance: ${N} samples of ${D} features; at least 2 are needed`);
  }
  const mean = new Float64Array(D);
  for (let k = 0; k < features.length; k++) mean[k % D] += features[k] / N;
  const covariance = new Float64Array(D * D);
  for (let n = 0; n < N; n++) {
    for (let i = 0; i < D; i++) {
      const x = features[n * D + i] - mean[i];
      for (let j = 0; j < D; j++) {
        covariance[i * D + j] += x * (features[n * D + j] - mean[j]) / (N - 1);
      }
    }
  }
  return { mean, covariance };
}

/** The symmetric square root of a symmetric positive semi-definite matrix. */
function squareRoot(matrix: Float64Array, D: number): Float64Array {
  const { values, vectors } = eigen(matrix, D);
  const root = new Float64Array(D * D);
  for (let k = 0; k < D; k++) {
    const s = Math.sqrt(Math.max(0, values[k])); // rounding may leave a value just below 0
    for (let i = 0; i < D; i++) {
      for (let j = 0; j < D; j++) root[i * D + j] += s * vectors[i * D + k] * vectors[j * D + k];
    }
  }
  return root;
}

/** Eigenvalues, and eigenvectors as columns, of a symmetric matrix by Jacobi rotations. */
function eigen(matrix: Float64Array, D: number): { values: Float64Array; vectors: Float64Array } {
  const A = matrix.slice();
  const V = Float64Array.from({ length: D * D }, (_, k) => k % (D + 1) === 0 ? 1 : 0);
  const scale = A.reduce((sum, x) => sum + x * x, 0);
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0;
    for (let i = 0; i < D; i++) for (let j = 0; j < i; j++) off += A[i * D + j] ** 2;
    if (off <= 1e-24 * scale) break;
    for (let i = 0; i < D; i++) for (let j = i + 1; j < D; j++) rotate(A, V, D, i, j);
  }
  return { values: Float64Array.from({ length: D }, (_, i) => A[i * D + i]), vectors: V };
}

/** Brings A[i, j] to 0 by turning the plane of axes i and j. */
function rotate(A: Float64Array, V: Float64Array, D: number, i: number, j: number): void {
  const a = A[i * D + j];
  if (a === 0) return;
  const theta = (A[j * D + j] - A[i * D + i]) / (2 * a);
  const tan = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cos = 1 / Math.hypot(tan, 1);
  const sin = tan * cos;
  const turn = (M: Float64Array, p: number, q: number) => {
    const [x, y] = [M[p], M[q]];
    M[p] = cos * x - sin * y;
    M[q] = sin * x + cos * y;
  };
  for (let k = 0; k < D; k++) turn(A, k * D + i, k * D + j);
  for (let k = 0; k < D; k++) turn(A, i * D + k, j * D + k);
  for (let k = 0; k < D; k++) turn(V, k * D + i, k * D + j);
}

function multiply(a: Float64Array, b: Float64Array, D: number): Float64Array {
  const product = new Float64Array(D * D);
  for (let i = 0; i < D; i++) {
    for (let k = 0; k < D; k++) {
      const x = a[i * D + k];
      for (let j = 0; j < D; j++) product[i * D + j] += x * b[k * D + j];
    }
  }
  return product;
}
