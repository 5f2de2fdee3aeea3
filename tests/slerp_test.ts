// The way from one noise to another: every point on it is again as long as a noise.
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { normal } from "../common/random.ts";
import { slerp } from "../common/slerp.ts";

function norm(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}

/** A noise with the norm that noises have on average. */
function noise(stream: string, count = 256): Float32Array {
  const drawn = normal({ seed: 5, stream }, count);
  return drawn.map((x) => x * Math.sqrt(count) / norm(drawn));
}

/** What is left of b without its part along a, with the norm of a. */
function orthogonalTo(a: Float32Array, b: Float32Array): Float32Array {
  const along = a.reduce((sum, x, i) => sum + x * b[i], 0) / norm(a) ** 2;
  const rest = b.map((x, i) => x - along * a[i]);
  return rest.map((x) => x * norm(a) / norm(rest));
}

const other: Record<string, (a: Float32Array) => Float32Array> = {
  "an independent": () => noise("b"),
  "an orthogonal": (a) => orthogonalTo(a, noise("b")),
  "a nearly parallel": (a) => a.map((x, i) => x + 1e-4 * noise("b")[i]),
  "the same": (a) => a.slice(),
};

for (const [name, otherOf] of Object.entries(other)) {
  Deno.test(`slerp to ${name} noise keeps the norm and ends at both noises`, () => {
    const a = noise("a");
    const b = otherOf(a);
    assertEquals(slerp(a, b, 0), a);
    assertEquals(slerp(a, b, 1), b);
    for (const lambda of [0.1, 0.37, 0.5, 0.9]) {
      const between = slerp(a, b, lambda);
      assertAlmostEquals(norm(between), norm(a), 1e-3 * norm(a));
    }
  });
}

Deno.test("slerp turns evenly: a third of the way is a third of the angle", () => {
  const a = noise("a");
  const third = slerp(a, orthogonalTo(a, noise("b")), 1 / 3);
  const cosine = a.reduce((sum, x, i) => sum + x * third[i], 0) / (norm(a) * norm(third));
  assertAlmostEquals(Math.acos(cosine), Math.PI / 6, 1e-5);
});
