// Paper 4 on images: the same training loop, paper 2's network, and the table of few evaluations.
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { batch } from "../common/data/images/image_set.ts";
import { readPng } from "../common/data/images/png.ts";
import { gaussianNoise } from "../common/engine/noise.ts";
import { ImageVelocity } from "../common/network/image_velocity.ts";
import { normal } from "../common/random.ts";
import {
  compareEvaluations,
  evaluationLines,
  EVALUATIONS,
  evaluationsAsCsv,
  jackknifeError,
  type Method,
  type Ruler,
} from "../common/report/few_evaluations.ts";
import { readSettings } from "../common/run/settings.ts";
import { UNet } from "../unet.ts";
import * as paper2 from "../paper_2.ts";
import {
  follow,
  imageCommand,
  independentPairs,
  startImageTraining,
  train,
  velocityOf,
} from "../paper_4.ts";
import { assertRefused, type Ended, processTest, runScript } from "./commands.ts";
import { on } from "./backends.ts";

const SHAPE = ["--size", "8", "--channels", "8", "--groups", "4", "--channel-mults", "1,2"];
const SMALL = [...SHAPE, "--batch", "4", "--steps", "8", "--warm-up", "2", "--backend", "wasm"];
const FLOWS = ["--data", "mnist", ...SMALL, "--reflows", "1", "--pairs", "12", "--pair-steps", "2"];
const FEW = ["--samples", "3", "--sample-steps", "3"];

async function settingsOf(args: string[]) {
  return (await readSettings(imageCommand, args))!.settings;
}

function onWasm(name: string, fn: () => Promise<void>): void {
  Deno.test(name, () => on("wasm", fn));
}

Deno.test("what decides how the network is trained is paper 2's, in every preset", async () => {
  for (const preset of Object.keys(paper2.command.presets)) {
    const flow = await settingsOf(["--data", "mnist", "--preset", preset]);
    const diffusion = (await readSettings(paper2.command, ["--preset", preset]))!.settings;
    for (
      const name of [
        ...["size", "channels", "channelMults", "attentionLevels", "groups", "dropout"],
        ...["steps", "batch", "warmUp", "decay", "emaDecay", "samples"],
      ] as const
    ) {
      const [found, expected] = [flow, diffusion].map((of) => of[name as keyof typeof of]);
      assertEquals(found, expected, `${name} of ${preset}`);
    }
    const faster = preset === "quick" ? 2 : 1; // the rate of the default alone was tried for flows
    assertEquals(flow.learningRate, faster * diffusion.learningRate, preset);
  }
});

Deno.test("the preset reflow trains a flow as long as paper 2, and its reflow as long", async () => {
  const { steps, reflows } = await settingsOf(["--data", "mnist", "--preset", "reflow"]);
  assertEquals([steps, reflows], [2 * paper2.command.flags.steps.default, 1]);
});

onWasm("the velocity's network is paper 2's UNet, which counts time the other way", async () => {
  const shape = { channels: 8, inChannels: 1, channelMults: [1, 2], groups: 4, seed: 5 };
  const [network, unet] = [new ImageVelocity({ ...shape, size: 8 }), new UNet(shape)];
  for (const [name, weight] of network.parameters) { // the last layer begins at 0
    weight.assign(tf.add(weight, 0.05));
    unet.parameters.get(name)!.assign(weight);
  }
  const x = gaussianNoise<tf.Rank.R2>({ seed: 1, stream: "test" }, [3, 64]);
  const t = tf.tensor1d([0, 0.25, 1]);
  const images = tf.reshape<tf.Rank.R4>(x, [3, 8, 8, 1]);
  const expected = await unet.forward(images, tf.tensor1d([1000, 750, 0])).data();
  assertEquals(await network.forward(x, t).data(), expected);
  assert(new Set(expected).size > 100);
  assertEquals(network.dimensions, 64);
});

onWasm(
  "images are drawn as points: whole ones of the set, and noise of as many numbers",
  async () => {
    const { images, data } = await startImageTraining(await settingsOf(FLOWS));
    const { x0, x1 } = independentPairs(data)({ seed: 0, stream: "test" }, 5);
    assertEquals([x0.shape, x1.shape], [[5, 64], [5, 64]]);
    const all = new Set(Array.from({ length: images.count }, (_, i) => `${batch(images, [i])}`));
    const drawn = await x1.data<"float32">();
    for (let i = 0; i < 5; i++) assert(all.has(`${drawn.subarray(64 * i, 64 * i + 64)}`));
  },
);

onWasm("a training on images that is stopped anywhere goes on to the same weights", async () => {
  const settings = await settingsOf(FLOWS);
  const whole = await startImageTraining(settings);
  const losses: number[] = [];
  const counts: number[] = [];
  for (const { loss } of train(whole)) {
    losses.push((await loss.data())[0]);
    loss.dispose();
    counts.push(tf.memory().numTensors);
  }
  assertEquals(losses.length, 8);
  assertEquals(counts[3], counts[1]); // nothing is left over but the finished flow
  assertEquals(tf.memory().numTensors, counts[3] + whole.flows.current.parameters.size);
  for (const stop of [3, 4, 5, 7] /* the reflow begins at the fifth step */) {
    const first = await startImageTraining(settings);
    for (const { step, loss } of train(first)) {
      loss.dispose();
      if (step === stop) break;
    }
    const second = await startImageTraining(settings);
    second.flows.load(first.flows.stateDict());
    await second.adam.load(first.adam.stateDict());
    for (const { step, loss } of train(second)) {
      assertEquals((await loss.data())[0], losses[step - 1], `stop at ${stop}, step ${step}`);
      loss.dispose();
    }
    const [expected, found] = [whole, second].map(({ flows }) => flows.stateDict());
    assertEquals([...found.keys()], [...expected.keys()]);
    for (const [name, tensor] of expected) {
      assertEquals(await found.get(name)!.data(), await tensor.data(), `${name}, stop at ${stop}`);
    }
  }
});

onWasm("a finished flow has the averaged weights, and the next one goes on from them", async () => {
  const training = await startImageTraining(await settingsOf([...FLOWS, "--ema-decay", "0.5"]));
  let averages: Float32Array[] = [];
  const weights = () =>
    Promise.all(
      [...training.flows.current.parameters.values()].map((weight) =>
        weight.data<"float32">().then((values) => values.slice())
      ),
    );
  for (const { step, loss } of train(training)) {
    loss.dispose();
    if (step !== 4) continue;
    averages = await training.adam.withAverages(weights);
    assert((await weights()).some((of, i) => `${of}` !== `${averages[i]}`));
  }
  const finished = [...training.flows.finished[0].parameters.values()];
  for (const [i, weight] of finished.entries()) assertEquals(await weight.data(), averages[i]);
});

onWasm("Heun's steps are those of the solver, and both ends are exact", async () => {
  const { flows } = await startImageTraining(await settingsOf(FLOWS));
  const z0 = gaussianNoise<tf.Rank.R2>({ seed: 0, stream: "test" }, [2, 64]);
  const times: number[] = [];
  const how = { solver: "heun", sampleSteps: 3 } as const;
  for (const { t, evaluations } of follow(velocityOf(flows.current), tf.clone(z0), how)) {
    times.push(t);
    assertEquals(evaluations, 2 * (times.length - 1));
  }
  assertEquals([times[0], times.at(-1), times.length], [0, 1, 4]);
});

Deno.test("the jackknife's error of a mean is the one that is known", () => {
  const N = 4000;
  const values = normal({ seed: 0, stream: "test" }, N);
  const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x, 0) / values.length;
  // s/√N, of which eight parts tell a quarter or so
  const errors = Array.from({ length: 20 }, (_, i) => {
    const part = normal({ seed: i, stream: "test" }, N);
    return jackknifeError(part, 1, mean) ** 2;
  });
  assertAlmostEquals(Math.sqrt(mean(Float32Array.from(errors))), 1 / Math.sqrt(N), 0.003);
  assertEquals(jackknifeError(values.fill(3), 1, mean), 0);
});

onWasm("each number of evaluations is measured, with its standard error", async () => {
  const unseen = (await startImageTraining(await settingsOf(FLOWS))).unseen!;
  // its features are the image itself; it is sure where the first number is positive
  const classify = (images: Float32Array) => {
    const first = Array.from({ length: images.length / 64 }, (_, n) => images[64 * n]);
    return Promise.resolve({
      label: first.map(() => 3),
      confidence: Float32Array.from(first, (x) => x > 0 ? 1 : 0.5),
      features: images,
    });
  };
  const asked = new Set<number>();
  const method: Method = {
    name: "noise",
    *chain(evaluations, shape, index) {
      asked.add(evaluations);
      const draw = { seed: index, stream: "test", step: evaluations };
      const x0 = gaussianNoise<tf.Rank.R4>(draw, shape);
      yield { t: 0, xt: x0, x0Hat: x0 };
      x0.dispose();
    },
  };
  const ruler = { classifier: { classify }, unseen } as unknown as Ruler;
  const shape: [number, number, number, number] = [200, 8, 8, 1];
  const { results, images } = await compareEvaluations([method], { shape, shown: 4, ruler });
  assertEquals([...asked], EVALUATIONS);
  assertEquals(images[0].map((shown) => shown.length), EVALUATIONS.map(() => 4 * 64));
  const [{ confident, confidentError, frechet, frechetError }] = results;
  confident.forEach((share, i) => {
    assertAlmostEquals(share, 0.5, 0.15);
    assertAlmostEquals(confidentError[i], Math.sqrt(share * (1 - share) / 200), 1e-9);
  });
  // the seven are drawn alike, so they are as far apart as the errors say
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const spread = Math.sqrt(mean(frechet.map((x) => (x - mean(frechet)) ** 2)) * 7 / 6);
  const said = mean(frechetError);
  assert(spread < 4 * said && said < 4 * spread, `${spread}, said ${said}`);
  const rows = evaluationsAsCsv(results).trim().split("\n");
  assertEquals(rows.length, 8);
  assertMatch(rows[7], new RegExp(`^"noise",50,${confident[6]},`));
  assertMatch(evaluationLines(results)[2], new RegExp(`^noise +${100 * confident[0]}`));
});

function paper4(args: string[], folder: string): Promise<Ended> {
  return runScript("paper_4.ts", args, folder);
}

const FILES = [
  ...["samples", "samples_two_steps", "chain", "loss", "few_steps"].map((name) =>
    `paper4_${name}.png`
  ),
  ...["samples.safetensors", "samples_two_steps.safetensors", "figures.safetensors"],
  ...["model.safetensors", "loss.csv"],
];

processTest(
  "paper4 of digits leaves its files, the same bytes again; verify, animate and --from take them",
  async (folder) => {
    const first = await paper4([...FLOWS, ...FEW, "--workers", "1", "--out", "runs/one"], folder);
    assertEquals(first.code, 0, first.stderr);
    assertMatch(first.stdout, /runs\/one, .*3 images drawn by 3 steps of heun/);
    const again = ["--from", "runs/one/run.json", "--workers", "2", "--out", "runs/two"];
    assertEquals((await paper4(again, folder)).code, 0);
    for (const file of FILES) {
      const [a, b] = await Promise.all(
        ["one", "two"].map((run) => Deno.readFile(`${folder}/runs/${run}/${file}`)),
      );
      assertEquals(a, b, file);
    }
    assert((await Deno.stat(`${folder}/runs/one/report.html`)).size > 1000);
    const verified = await runScript("tests/verify.ts", ["runs/one"], folder);
    assertMatch(verified.stdout, /reproduced: the losses of the first 8 steps/, verified.stderr);
    const animate = ["--resume", "runs/one", "--frames", "3"];
    const film = await runScript("paper_2_animate.ts", animate, folder);
    assertMatch(film.stdout, /paper4_flow\.gif: 3 frames/, film.stderr);
    assertRefused(
      await runScript("paper_2_animate.ts", [...animate, "--seed", "1"], folder),
      /--seed is for a run of paper2; runs\/one is one of paper4/,
    );
    const finished = await paper4(["--resume", "runs/one"], folder);
    assertMatch(finished.stdout, /is finished, all its 8 steps are done/);
    const other = await paper4(["--resume", "runs/one", "--data", "swiss-roll"], folder);
    assertRefused(other, /--data does not take 'swiss-roll'/);
  },
);

processTest(
  "a model of paper 2 is compared with, and what cannot be is refused",
  async (folder) => {
    const model = [...SMALL, "--timesteps", "50", "--samples", "1", "--sample-steps", "2"];
    const ran = await runScript("paper_2.ts", [...model, "--out", "runs/model"], folder);
    assertEquals(ran.code, 0, ran.stderr);
    const settings = { dataset: "mnist", size: 8, timesteps: 30 };
    await Deno.mkdir(`${folder}/runs/short`);
    await Deno.writeTextFile(
      `${folder}/runs/short/run.json`,
      JSON.stringify({ script: "paper2", status: "finished", settings }),
    );
    const wrong: [string[], RegExp][] = [
      [["--compare", "runs/model", "--size", "16"], /size 8, finished; expected .* of size 16/],
      [["--compare", "runs/short"], /its chain has 30 steps; expected at least 50/],
      [["--compare", "runs/none"], /runs\/none/],
      [["--groups", "3"], /--channels 8 with --groups 3/],
      [["--solver", "dormand-prince"], /euler, heun/],
      [["--hidden", "8"], /--hidden is not a known flag/],
    ];
    const help = await paper4(["--data=mnist", "--help"], folder);
    assertMatch(help.stdout, /--compare DIR/);
    assert(!(await paper4(["--help"], folder)).stdout.includes("--compare"));
    for (const [args, expected] of wrong) {
      const given = args.filter((flag) => flag.startsWith("--"));
      const rest = FLOWS.filter((flag, i) =>
        !given.includes(flag) && !given.includes(FLOWS[i - 1])
      );
      assertRefused(await paper4([...rest, ...args], folder), expected);
    }
    const compare = ["--samples", "2", "--sample-steps", "2", "--compare", "runs/model"];
    const compared = await paper4([...FLOWS, ...compare, "--out", "runs/flow"], folder);
    assertEquals(compared.code, 0, compared.stderr);
    const alone = await paper4([...FLOWS, ...compare.slice(0, 4), "--out", "runs/alone"], folder);
    assertEquals(alone.code, 0, alone.stderr);
    // DDIM twice beside the two flows
    const heights = await Promise.all(["flow", "alone"].map(async (run) => {
      const png = await Deno.readFile(`${folder}/runs/${run}/paper4_few_steps.png`);
      return readPng(png, run).height;
    }));
    assertAlmostEquals(heights[0], 2 * heights[1], 20);
  },
);
