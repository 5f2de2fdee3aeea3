// The command line: every mistake is one line that says what was given and what is allowed.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseCommandLine } from "../common/run/command_line.ts";
import { choice, type Command, integer, number, onOff, text } from "../common/run/flags.ts";
import { commandText, helpText } from "../common/run/help.ts";
import { UserError } from "../common/user_error.ts";

const flags = {
  preset: choice({
    help: "which defaults",
    of: ["quick", "paper"],
    default: "quick",
  }),
  steps: integer({ help: "how many", default: 10, max: 1000 }),
  learningRate: number({ help: "how fast", default: 0.1, above: 0, max: 1 }),
  eta: number({ help: "how noisy", default: 0, min: 0, max: 1 }),
  data: text({ help: "what", placeholder: "NAME", default: "roll" }),
  sampleOnly: onOff({ help: "no training" }),
};
const command: Command<typeof flags> = {
  name: "paper9",
  summary: "A paper.",
  flags,
  presets: { quick: {}, paper: { steps: 500, learningRate: 0.01 } },
};

function settings(...args: string[]) {
  return parseCommandLine(command, args).settings;
}

function mistake(...args: string[]): string {
  const error = assertThrows(() => parseCommandLine(command, args), UserError);
  assertEquals(error.exitCode, 2);
  assert(!error.message.includes("\n"), error.message);
  return error.message;
}

Deno.test("defaults, presets and given flags, in this order", () => {
  assertEquals(settings().steps, 10);
  assertEquals(settings("--preset", "paper").steps, 500);
  assertEquals(settings("--steps", "7", "--preset", "paper").steps, 7);
  assertEquals(settings("--preset=paper").learningRate, 0.01);
  const parsed = parseCommandLine(command, ["--steps", "7", "--sample-only"]);
  assertEquals(parsed.given as unknown, { steps: 7, sampleOnly: true });
  assertEquals(parsed.settings.data, "roll");
  // an earlier run's settings stand in the place of defaults and presets
  const again = parseCommandLine(command, ["--steps", "8"], {
    steps: 3,
    data: "moons",
  });
  assertEquals([again.settings.steps, again.settings.data], [8, "moons"]);
});

Deno.test("numbers as people write them", () => {
  assertEquals(settings("--steps", "1e2").steps, 100);
  assertEquals(settings("--learning-rate", "5e-3").learningRate, 0.005);
  assertEquals(settings("--learning-rate", ".5").learningRate, 0.5);
  assertEquals(settings("--eta", "0").eta, 0);
  assertEquals(settings("--steps=12").steps, 12);
});

Deno.test("a wrong value says what was given and what is allowed", () => {
  for (
    const value of [
      "-1",
      "0",
      "abc",
      "1.5",
      "1e",
      "NaN",
      "Infinity",
      "0x10",
      "1001",
      "1 2",
    ]
  ) {
    assertEquals(
      mistake("--steps", value),
      `--steps does not take '${value}'; allowed: a whole number 1 to 1000`,
    );
  }
  for (const value of ["0", "-0.1", "1.01", "x", "Infinity"]) {
    assertStringIncludes(
      mistake("--learning-rate", value),
      "above 0, at most 1",
    );
  }
  assertEquals(
    mistake("--eta", "-1"),
    "--eta does not take '-1'; allowed: a number from 0 to 1",
  );
  assertStringIncludes(mistake("--preset", "fast"), "allowed: quick, paper");
});

Deno.test("missing, repeated, unknown and stray arguments", () => {
  assertStringIncludes(mistake("--steps"), "--steps has no value");
  assertStringIncludes(mistake("--steps="), "--steps has no value");
  assertStringIncludes(
    mistake("--steps", "--eta", "1"),
    "--steps has no value",
  );
  assertStringIncludes(
    mistake("--steps", "1", "--steps", "2"),
    "given 2 times (1, 2)",
  );
  assertStringIncludes(mistake("--stpes", "1"), "did you mean --steps?");
  assertStringIncludes(
    mistake("--learningrate", "1"),
    "did you mean --learning-rate?",
  );
  assertStringIncludes(
    mistake("--wholly-other=3"),
    "--wholly-other is not a known flag; --help",
  );
  assertStringIncludes(mistake("paper"), "'paper' is not expected here");
  assertStringIncludes(
    mistake("--", "--steps", "1"),
    "'--' is not expected here",
  );
  assertStringIncludes(
    mistake("-steps", "1"),
    "names have two dashes: --steps",
  );
  assertStringIncludes(
    mistake("--no-sample-only"),
    "--no-sample-only is not a known flag",
  );
  assertStringIncludes(mistake("--hepl"), "did you mean --help?");
  // names that every JavaScript object has
  assertStringIncludes(
    mistake("--constructor", "1"),
    "--constructor is not a known flag",
  );
  assertStringIncludes(
    mistake("--__proto__=1"),
    "--__proto__ is not a known flag",
  );
});

Deno.test("--help names every flag with its values, its default and the presets", () => {
  assert(parseCommandLine(command, ["--help"]).help);
  assert(parseCommandLine(command, ["-h"]).help);
  assert(parseCommandLine(command, ["--stpes", "--help"]).help); // whatever else is given
  const help = helpText(command);
  for (
    const part of [
      "deno task paper9",
      "--learning-rate X",
      "[0.1]",
      "quick|paper",
      "--sample-only",
    ]
  ) {
    assertStringIncludes(help, part);
  }
  assertStringIncludes(help, "paper: --steps 500 --learning-rate 0.01");
});

Deno.test("a command is shown so that it can be typed", () => {
  assertEquals(
    commandText("paper9", {
      resume: "runs/a b",
      sampleOnly: true,
      learningRate: 0.1,
    }),
    "deno task paper9 --resume 'runs/a b' --sample-only --learning-rate 0.1",
  );
});
