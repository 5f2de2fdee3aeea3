/**
 * The settings of paper 1 that decide its data and the shape of its model.
 *
 * @module
 */
import { SHAPES } from "../data/points/point_data.ts";
import { choice, integer, text } from "./flags.ts";

/** The flag that names the points: a shape that comes with the program, or a file. */
export const pointDataFlag = text({
  help: "swiss-roll, moons, circles, or a CSV file with two numeric columns",
  placeholder: "NAME|FILE.csv",
  default: "swiss-roll",
  allowed: "swiss-roll, moons, circles, or the name of a .csv file",
  accepts: (name) => SHAPES.some((shape) => shape === name) || /\.csv$/i.test(name),
});

/** The flags that decide what is learned, and by which network. */
export const pointModelFlags = {
  hidden: integer({ help: "H, the network's width", default: 96, max: 4096 }),
  timesteps: integer({ help: "T, the steps of the chain", default: 40, min: 2, max: 1000 }),
  times: choice({
    help: "the t that one training step looks at",
    of: ["all", "one"],
    default: "all",
  }),
  schedule: choice({
    help: "how the noise grows with t; linear is Ho et al.'s, meant for T = 1000",
    of: ["sigmoid", "linear", "cosine"],
    default: "sigmoid",
  }),
  tails: choice({
    help: "a last part of the network for each t, or one that does not know t",
    of: ["each", "shared"],
    default: "each",
  }),
  parametrization: choice({
    help: "what the network's outputs are: a change, or mean and log-variance themselves",
    of: ["residual", "direct"],
    default: "residual",
  }),
};
