/**
 * The README's drawings: the two chains, the UNet, the timestep embedding, the schedules, the licence.
 *
 *     deno task drawings      a few seconds; writes into images/
 *
 * @module
 */
import { selectBackend } from "../backend.ts";
import { runMain } from "../run/main.ts";
import { loadImages } from "../data/images/load.ts";
import { makeFolder, writeAtomically } from "../files/writing.ts";
import { UNet } from "../../unet.ts";
import { COLOURS } from "../plot/chart.ts";
import { lineFigure } from "../plot/figures.ts";
import { rasterize } from "../plot/raster.ts";
import { drawing, text } from "../plot/svg.ts";
import { cosineSchedule, linearSchedule, type Schedule } from "../schedule.ts";
import { UserError } from "../user_error.ts";
import { markovChain } from "./markov_chain.ts";
import { embeddingFigure } from "./timestep_embedding.ts";
import { structureOf, unetDiagram } from "./unet_diagram.ts";

/** The UNet of paper 2's preset `quick`, which is drawn. */
const QUICK = { channels: 16, inChannels: 1, channelMults: [1, 2, 4], groups: 8 };

async function main(args: string[]): Promise<void> {
  if (args.length > 0) throw new UserError(`drawings takes no arguments, not '${args[0]}'`);
  const backend = await selectBackend("cpu");
  await makeFolder("images");
  const images = await loadImages({ dataset: "mnist", size: 16, split: "test" });
  const linear = linearSchedule(1000);
  const chain = await markovChain({ images, index: 5, schedule: linear, t: 250 });
  await writeAtomically("images/markov_chain.svg", chain);
  await writeAtomically("images/markov_chain.png", await rasterize(chain));
  await writeAtomically("images/unet.png", await rasterize(unetDiagram(quickStructure(), 16)));
  const embedding = await embeddingFigure(1000, QUICK.channels);
  await writeAtomically("images/timestep_embedding.png", await rasterize(embedding));
  await writeAtomically(
    "images/schedules.png",
    await schedules({ linear, cosine: cosineSchedule(1000) }),
  );
  await writeAtomically("images/licence.svg", badge("licence", "MIT"));
  backend.dispose();
}

/** A word on grey and one on green, as on GitHub's own badges. */
function badge(left: string, right: string): string {
  const [height, at] = [20, 8 * left.length];
  const width = at + 10 * right.length + 8;
  const half = (x: number, wide: number, fill: string) =>
    `<rect x="${x}" width="${wide}" height="${height}" fill="${fill}"/>`;
  const word = (content: string, x: number) => text(content, { x, y: 14, fill: "white" });
  return drawing(width, height, [
    half(0, at, "#444"),
    half(at, width - at, COLOURS.green),
    word(left, at / 2),
    word(right, (at + width) / 2),
  ]);
}

function quickStructure() {
  const network = new UNet(QUICK);
  const weights = network.stateDict();
  const shapes = new Map([...weights].map(([name, { shape }]) => [name, shape]));
  for (const weight of weights.values()) weight.dispose();
  network.dispose();
  return structureOf(shapes);
}

/** What is left of the image at t, √ᾱₜ, under each schedule. */
async function schedules(named: Record<string, Schedule>): Promise<Uint8Array> {
  const lines = Object.entries(named).map(([name, { T, alphaBar }]) => {
    const t = Array.from({ length: T + 1 }, (_, t) => t);
    return { name, x: t, y: t.map((t) => Math.sqrt(alphaBar(t))) };
  });
  return await lineFigure({
    title: "what is left of the image",
    xLabel: "t",
    yLabel: "√ᾱₜ",
    lines,
  });
}

if (import.meta.main) await runMain(main);
