/**
 * A distribution of points as it is known exactly: how likely each clean point is behind a noisy one.
 *
 * @module
 */

/** q(x₀) as points that are all as likely, each spread by a Gaussian; a fine set of them stands for a curve. */
export interface Mixture {
  /** [N·2]. */
  centres: Float32Array;
  /** τ, the Gaussian's standard deviation along x and along y; 0 for none. */
  width: [x: number, y: number];
}

/** What is known of x₀ at one xₜ. */
export interface KnownX0 {
  /** E[x₀ | xₜ], x and y. */
  mean: [number, number];
  /** Var[x₀ | xₜ] of each. */
  variance: [number, number];
}

/**
 * Mean and variance of x₀ behind a noisy point, exactly.
 *
 * By Bayes' rule each centre c counts by N(xₜ; √ᾱₜ·c, ᾱₜ·τ² + 1−ᾱₜ), and where it is the right one, x₀ is
 * a Gaussian of mean c + k·(xₜ − √ᾱₜ·c), with k = √ᾱₜ·τ²/(ᾱₜ·τ² + 1−ᾱₜ), and of variance
 * τ²·(1−ᾱₜ)/(ᾱₜ·τ² + 1−ᾱₜ).
 *
 * @param xt x and y.
 */
export function knownX0(
  { centres, width }: Mixture,
  xt: [number, number],
  alphaBar: number,
): KnownX0 {
  const N = centres.length / 2;
  const signal = Math.sqrt(alphaBar);
  const spread = width.map((tau) => alphaBar * tau ** 2 + 1 - alphaBar);
  const logs = new Float64Array(N);
  let largest = -Infinity;
  for (let i = 0; i < N; i++) {
    const [dx, dy] = [xt[0] - signal * centres[2 * i], xt[1] - signal * centres[2 * i + 1]];
    logs[i] = -(dx * dx / spread[0] + dy * dy / spread[1]) / 2;
    if (logs[i] > largest) largest = logs[i];
  }
  // around the centre that is the likeliest, so that nothing is lost to rounding
  const at = logs.indexOf(largest);
  let total = 0;
  const [sum, squares] = [[0, 0], [0, 0]];
  for (let i = 0; i < N; i++) {
    if (logs[i] < largest - NEGLIGIBLE) continue;
    const weight = Math.exp(logs[i] - largest);
    total += weight;
    for (let d = 0; d < 2; d++) {
      const from = centres[2 * i + d] - centres[2 * at + d];
      sum[d] += weight * from;
      squares[d] += weight * from * from;
    }
  }
  const known: KnownX0 = { mean: [0, 0], variance: [0, 0] };
  for (let d = 0; d < 2; d++) {
    const mean = sum[d] / total; // of the centres
    const variance = squares[d] / total - mean ** 2;
    const centre = centres[2 * at + d] + mean;
    const k = signal * width[d] ** 2 / spread[d];
    known.mean[d] = centre + k * (xt[d] - signal * centre);
    known.variance[d] = (1 - k * signal) ** 2 * Math.max(0, variance) +
      width[d] ** 2 * (1 - alphaBar) / spread[d];
  }
  return known;
}

/** A centre whose weight is e⁻⁴⁰ of the largest counts for nothing. */
const NEGLIGIBLE = 40;

/** How many centres stand for a curve some 3 wide: under the noise at t it looks the same with more. */
export function centresAt(alphaBar: number): number {
  const noise = Math.sqrt((1 - alphaBar) / alphaBar); // in the unit of x₀
  return Math.min(1024, Math.max(64, Math.ceil(40 / noise)));
}
