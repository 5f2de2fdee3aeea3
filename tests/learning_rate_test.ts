// The learning rate over a training: where it starts, peaks and ends.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { learningRateAt } from "../common/network/learning_rate.ts";

Deno.test("without decay the rate grows for warmUp steps and stays", () => {
  const settings = { steps: 100, learningRate: 0.5, decay: "none", warmUp: 10 } as const;
  assertAlmostEquals(learningRateAt(1, settings), 0.05);
  assertAlmostEquals(learningRateAt(5, settings), 0.25);
  for (const step of [10, 11, 100]) assertEquals(learningRateAt(step, settings), 0.5);
});

Deno.test("along half a cosine the rate is half in the middle and 0 at the end", () => {
  const settings = { steps: 100, learningRate: 0.5, decay: "cosine" } as const;
  assertAlmostEquals(learningRateAt(50, settings), 0.25);
  assertAlmostEquals(learningRateAt(100, settings), 0, 1e-12);
  for (let step = 2; step <= 100; step++) {
    assert(learningRateAt(step, settings) < learningRateAt(step - 1, settings));
  }
});
