// What `deno task doctor` says of the time that runs take.
import { assert, assertEquals, assertGreater } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { MEASURABLE } from "./doctor/durations.ts";

/** Paper 5 looks at what others have learned. */
const TRAINS_NOTHING = ["paper5"];

Deno.test("doctor knows the time of every paper that trains, with each preset", () => {
  const papers = Object.keys(config.tasks).filter((name) => /^paper\d+$/.test(name));
  const measured = new Set(MEASURABLE.map(({ command }) => command.split(" ")[0]));
  assertEquals([...measured, ...TRAINS_NOTHING].sort(), papers.sort());
  const commands = MEASURABLE.map(({ command }) => command);
  for (const command of ["paper3 --preset quick", "paper4 --preset quick"]) {
    assert(commands.includes(command), `${command} is not among ${commands.join(", ")}`);
  }
  assert(commands.some((command) => command.startsWith("paper4 --data mnist --preset")));
});

Deno.test("a run takes as long as its steps and what comes after them", () => {
  for (const { command, duration } of MEASURABLE) {
    const [slow, fast] = [duration(0.2), duration(0.1)];
    assertGreater(slow.runSeconds, slow.steps * 0.2, command);
    assertGreater(slow.runSeconds, fast.runSeconds, command);
    assertEquals([slow.command, slow.steps], [command, fast.steps]);
  }
});
