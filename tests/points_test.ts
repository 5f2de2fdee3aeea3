// The points of paper 1: the shapes, the distance from the spiral, and CSV files good and bad.
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { parsePoints, resample } from "../common/data/points/csv.ts";
import { pointData, SHAPES } from "../common/data/points/point_data.ts";
import { knownX0 } from "../common/data/points/mixture.ts";
import { distanceToSpiral } from "../common/data/points/swiss_roll.ts";
import { normal } from "../common/random.ts";
import { UserError } from "../common/user_error.ts";

const draw = { seed: 1, stream: "points" };

Deno.test("every shape gives the same points for the same draw, about as wide as N(0, 1)", async () => {
  for (const name of SHAPES) {
    const data = await pointData(name);
    const points = data.sample(draw, 5000);
    assertEquals(points.length, 10_000);
    assertEquals(data.sample(draw, 5000), points);
    const square = points.reduce((sum, x) => sum + x * x, 0) / 5000;
    assert(square > 0.8 && square < 2.5, `${name}: ${square}`);
    assert(points.every((x) => Math.abs(x) < 2.5), name);
  }
});

Deno.test("the distance from the spiral is that of a brute-force search", async () => {
  const data = await pointData("swiss-roll");
  assert(distanceToSpiral(data.sample(draw, 500)).every((d) => d < 1e-5));
  const points = normal(draw, 60);
  const distances = distanceToSpiral(points);
  for (let k = 0; k < 30; k++) {
    let nearest = Infinity;
    for (let i = 0; i <= 100_000; i++) {
      const angle = 1.5 * Math.PI * (1 + 2 * i / 100_000);
      const [x, y] = [angle * Math.cos(angle) / 10, angle * Math.sin(angle) / 10];
      nearest = Math.min(nearest, Math.hypot(points[2 * k] - x, points[2 * k + 1] - y));
    }
    assertAlmostEquals(distances[k], nearest, 1e-5);
  }
});

Deno.test("CSV: headings, separators, quotes and line ends as people have them", () => {
  const expected = parsePoints("1,10\n2,30\n3,20\n", "x.csv");
  for (
    const same of [
      "x,y\n1,10\n2,30\n3,20",
      "\uFEFFx;y\r\n1;10\r\n2;30\r\n3;20\r\n",
      "1\t10\n2\t30\n\n3\t20\n",
      "  1   10\n2 30\n3 20",
      '"a","b"\n"1","10"\n"2","3e1"\n"3.0","+20"',
    ]
  ) {
    assertEquals(parsePoints(same, "x.csv"), expected);
  }
  for (const column of [0, 1]) {
    const values = [0, 1, 2].map((row) => expected[2 * row + column]);
    assertAlmostEquals(values.reduce((a, b) => a + b), 0, 1e-6);
    assertAlmostEquals(values.reduce((a, b) => a + b * b, 0) / 3, 1, 1e-6);
  }
  const drawn = resample(expected, draw, 100);
  const rows = new Set([0, 1, 2].map((i) => `${expected.subarray(2 * i, 2 * i + 2)}`));
  for (let i = 0; i < 100; i++) assert(rows.has(`${drawn.subarray(2 * i, 2 * i + 2)}`));
});

Deno.test("CSV: a bad row is named by its line", () => {
  const cases: [string, string][] = [
    ["1,2\n3,four\n", "x.csv, line 2: 'four' is not a number"],
    ["1,2\n3\n", "x.csv, line 2: 1 column(s); expected two numbers"],
    ["1,2,3\n", "x.csv, line 1: 3 column(s); expected two numbers"],
    ["x,y\n1,2\nNaN,4\n", "x.csv, line 3: 'NaN' is not a number"],
    ["NaN,Infinity\n1,2\n2,3", "x.csv, line 1: 'NaN' is not a number"],
    ["1,2\n\n3,-Infinity\n", "x.csv, line 3: '-Infinity' is not a number"],
    ["1,2\n3,1e999\n", "x.csv, line 2: 3, 1e999 is too large for a number"],
    ["1,2\n3,\n", "x.csv, line 2: '' is not a number"],
    ["x,y\na,b\n1,2", "x.csv, line 2: 'a' is not a number"],
    ["", "x.csv has 0 rows of numbers; at least 2 are needed"],
    ["x,y\n", "x.csv has 0 rows"],
    ["1,2\n", "x.csv has 1 rows"],
    ["1,2\n1,3\n", "x.csv: column 1 has variance 0"],
  ];
  for (const [content, expected] of cases) {
    const error = assertThrows(() => parsePoints(content, "x.csv"), UserError);
    assert(error.message.startsWith(expected), `${JSON.stringify(content)}: ${error.message}`);
  }
});

Deno.test("what is known of x₀ behind a noisy point is what many draws say", async () => {
  for (const name of SHAPES) {
    const data = await pointData(name);
    const [xt, alphaBar, count] = [[0.3, -0.8] as [number, number], 0.9, 100_000];
    const points = data.sample(draw, count);
    let total = 0;
    const [sum, squares] = [[0, 0], [0, 0]];
    for (let i = 0; i < 2 * count; i += 2) {
      const x0 = [points[i], points[i + 1]];
      const far = x0.reduce((sum, x, d) => sum + (xt[d] - Math.sqrt(alphaBar) * x) ** 2, 0);
      const weight = Math.exp(-far / (2 * (1 - alphaBar)));
      total += weight;
      x0.forEach((x, d) => {
        sum[d] += weight * x;
        squares[d] += weight * x * x;
      });
    }
    const { mean, variance } = knownX0(data.known!(1024), xt, alphaBar);
    for (const d of [0, 1]) {
      assertAlmostEquals(mean[d], sum[d] / total, 0.02, name);
      const expected = squares[d] / total - (sum[d] / total) ** 2;
      assertAlmostEquals(variance[d] / expected, 1, 0.05, `${name}: ${variance[d]}, ${expected}`);
    }
  }
});
