// What a run will need is known before anything is made: the counts are those of the networks, the bytes
// at least what a training step takes, and what does not fit is refused with the largest value that does.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createModel } from "../common/network/image_model.ts";
import { pointBytes, refuseTooLarge, unetBytes, unetNumbers } from "../common/network/memory.ts";
import { parseCommandLine } from "../common/run/command_line.ts";
import { imageMemory, modelOptions } from "../common/run/model_settings.ts";
import { pointMemory } from "../common/run/point_settings.ts";
import { UserError } from "../common/user_error.ts";
import { command as paper1, ReverseModel } from "../paper_1_partb.ts";
import { command as paper2 } from "../paper_2.ts";
import { linearSchedule } from "../common/schedule.ts";
import { on } from "./backends.ts";

function numbersOf(parameters: Map<string, { size: number }>): number {
  return [...parameters.values()].reduce((sum, { size }) => sum + size, 0);
}

Deno.test("the weights of a UNet are counted from its shape", async () => {
  const shapes = [
    ["1,2,4", "1", 1, 0],
    ["1", "none", 3, 0],
    ["1,2", "0,1", 1, 10],
    ["2,1,3", "2", 3, 2],
  ] as const;
  await on("cpu", () => {
    for (const [mults, levels, inChannels, classes] of shapes) {
      const args = ["--channel-mults", mults, "--attention-levels", levels];
      const { settings } = parseCommandLine(paper2, args);
      const options = { ...modelOptions(settings, inChannels), classes };
      const { network } = createModel(options);
      const { channelMults, attentionLevels } = options as Required<typeof options>;
      const { weights } = unetNumbers({ ...options, channelMults, attentionLevels });
      assertEquals(weights, numbersOf(network.parameters), mults);
      network.dispose();
    }
  });
});

Deno.test("the weights of paper 1's model are counted, twelve vectors of them", async () => {
  await on("cpu", () => {
    for (const tails of ["each", "shared"] as const) {
      const model = new ReverseModel({ hidden: 7, schedule: linearSchedule(5), tails });
      const shape = { hidden: 7, timesteps: 5, tails, times: "all" as const };
      const perPoint = pointBytes(shape, 20_000) / 20_000 - pointBytes(shape, 10_000) / 20_000;
      const fixed = pointBytes(shape, 10_000) - 2 * perPoint * 10_000 / 1;
      assertEquals(Math.round(fixed / 4 / 12), numbersOf(model.parameters), tails);
      model.dispose();
    }
  });
});

Deno.test("the bytes are near those measured on WASM", () => {
  const unet = { channelMults: [1, 2, 4], attentionLevels: [1], inChannels: 1, size: 16 };
  const points = { hidden: 96, timesteps: 40, tails: "each", times: "all" } as const;
  const measured: [estimate: number, megabytes: number][] = [ // growth of the memory in two steps
    [unetBytes({ ...unet, channels: 16 }, 32), 134],
    [unetBytes({ ...unet, channels: 32 }, 64), 365],
    [unetBytes({ ...unet, channels: 16, size: 32 }, 1), 624], // drawing 64 images
    [pointBytes(points, 1024), 312],
    [pointBytes(points, 8), 228], // the bound of 2,000 points
  ];
  for (const [estimate, megabytes] of measured) {
    const ratio = estimate / (megabytes * 1e6);
    assert(ratio > 0.9 && ratio < 1.3, `${estimate / 1e6} MB for ${megabytes}`);
  }
});

Deno.test("what WASM has no memory for is refused with the largest value that fits", () => {
  const wasm = { name: "wasm" };
  const point = (...args: string[]) => pointMemory(parseCommandLine(paper1, args).settings);
  const image = (...args: string[]) => imageMemory(parseCommandLine(paper2, args).settings);
  const cases = [
    [point("--batch", "1000000"), "--batch 1000000", "the largest that fits is "],
    [point("--hidden", "4096", "--timesteps", "1000"), "--batch 128", "the largest --hidden that"],
    [image("--size", "256", "--batch", "4096"), "--batch 4096", "the largest "],
    [
      image("--channels", "512", "--channel-mults", "1,8,8"),
      "--batch 32",
      "the largest --channels",
    ],
  ] as const;
  for (const [settings, given, largest] of cases) {
    const { message } = assertThrows(() => refuseTooLarge(settings, wasm), UserError);
    assert(message.startsWith(given) && message.includes(largest), message);
    assert(!message.includes("\n") && !/NaN|Infinity/.test(message), message);
    const [, flag, fits] = /largest (?:--(\w+) )?that fits.* is (\d+)$/.exec(message)!;
    const named = settings.find(({ name }) => name === (flag ?? settings[0].name))!;
    const changed = (value: number) => [{ ...settings[0], bytes: () => named.bytes(value) }];
    refuseTooLarge(changed(Number(fits)), wasm);
    const next = Number(fits) + (named.multipleOf ?? 1);
    assertThrows(() => refuseTooLarge(changed(next), wasm), UserError);
    refuseTooLarge(settings, { name: "webgpu" });
  }
  const hopeless = image("--channels", "1024", "--channel-mults", "64,64,64");
  assertThrows(() => refuseTooLarge(hopeless, wasm), UserError, "alone is enough");
});

Deno.test("the presets that are for two cores fit into WASM's memory", () => {
  refuseTooLarge(imageMemory(parseCommandLine(paper2, []).settings), { name: "wasm" });
  for (const args of [[], ["--preset", "paper"]]) {
    refuseTooLarge(pointMemory(parseCommandLine(paper1, args).settings), { name: "wasm" });
  }
});
