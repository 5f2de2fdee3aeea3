/**
 * What the benchmark times: one training step of two UNets and of paper 1's model, and a sheet of
 * samples. Inputs are random; time does not depend on them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { Adam, valueAndGradients } from "../../common/network/adam.ts";
import {
  ddimStep,
  endOfChain,
  fewerTimesteps,
  reverseProcess,
} from "../../common/reverse_process.ts";
import { linearSchedule, sigmoidSchedule } from "../../common/schedule.ts";
import { qPosterior } from "../../common/forward_process.ts";
import { klLoss, ReverseModel } from "../../paper_1_partb.ts";
import { gaussianNoise } from "../../common/engine/noise.ts";
import { UNet, type UNetOptions } from "../../unet.ts";

/** One row of the benchmark's table. */
export interface Task {
  letter: string;
  name: string;
  /** What is counted, and how many of them one round does. */
  unit: string;
  items: number;
  /** Builds the task on the active backend; `stock`: with tfjs's own optimizer. */
  prepare(stock: boolean): () => Promise<unknown>;
}

/** (b)'s network, small enough to train on a laptop's CPU. */
const smallUNet: UNetOptions = {
  channels: 16,
  inChannels: 1,
  channelMults: [1, 2, 2],
  attentionLevels: [1],
  groups: 8,
};

/** All rows. */
export const tasks: Task[] = [
  {
    letter: "a",
    name: "training step, UNet of 32 channels, 32x32, batch 8",
    unit: "images",
    items: 8,
    prepare: (stock) => trainingStep({ channels: 32, inChannels: 1 }, 8, 32, stock),
  },
  {
    letter: "b",
    name: "training step, UNet of 16 channels, 16x16, batch 32",
    unit: "images",
    items: 32,
    prepare: (stock) => trainingStep(smallUNet, 32, 16, stock),
  },
  {
    letter: "c",
    name: "paper 1's training step with its default settings",
    unit: "points",
    items: 40 * 128,
    prepare: (stock) => pointStep(stock),
  },
  {
    letter: "d",
    name: "64 digits by DDIM in 50 steps, the UNet of (b)",
    unit: "images",
    items: 64,
    prepare: () => sampling(64),
  },
];

/** L_simple on a batch of noise, its gradients, and a step of Adam. */
function trainingStep(options: UNetOptions, batch: number, size: number, stock: boolean) {
  const network = new UNet({ ...options, dropout: 0 });
  const shape: [number, number, number, number] = [batch, size, size, options.inChannels];
  const xt = gaussianNoise<tf.Rank.R4>({ seed: 0, stream: "xt" }, shape);
  const eps = gaussianNoise<tf.Rank.R4>({ seed: 0, stream: "eps" }, shape);
  const t = tf.tensor1d(Array.from({ length: batch }, (_, i) => 1 + i));
  const loss = () => tf.mean(tf.square(tf.sub(network.forward(xt, t), eps))) as tf.Scalar;
  return step(network.parameters, stock, loss);
}

/** Gradients of a loss and a step of Adam: tfjs's own, or the project's. */
function step(parameters: Map<string, tf.Variable>, stock: boolean, loss: () => tf.Scalar) {
  if (stock) {
    const optimizer = tf.train.adam(2e-4);
    return async () => {
      const value = optimizer.minimize(loss, true)!;
      await value.data();
      value.dispose();
    };
  }
  const optimizer = new Adam(parameters, { clipNorm: 1 });
  return async () => {
    const { value, gradients } = valueAndGradients(parameters, loss);
    optimizer.step(gradients, 2e-4);
    await value.data();
    tf.dispose([value, ...gradients.values()]);
  };
}

/** A step of paper 1, all t at once. */
function pointStep(stock: boolean) {
  const schedule = sigmoidSchedule(40);
  const model = new ReverseModel({ hidden: 96, schedule });
  const xt = gaussianNoise<tf.Rank.R3>({ seed: 0, stream: "xt" }, [40, 128, 2]);
  const times = Array.from({ length: 40 }, (_, i) => i + 1);
  const q = qPosterior(schedule, xt, xt, times);
  const rest = (x: tf.Tensor) => tf.slice(x, [1, 0, 0]); // the posterior of t = 1 has no width
  const target = { mean: rest(q.mean), std: rest(q.std) };
  return step(model.parameters, stock, () => {
    const { mean, std } = model.forwardRows(xt, times);
    return klLoss(target, { mean: rest(mean), std: rest(std) });
  });
}

function sampling(count: number) {
  const network = new UNet(smallUNet);
  const denoiser = { network, schedule: linearSchedule(1000) };
  return async () => {
    const xT = gaussianNoise<tf.Rank.R4>({ seed: 0, stream: "xT" }, [count, 16, 16, 1]);
    const chain = reverseProcess(
      xT,
      fewerTimesteps(1000, 50),
      (xt, t, tNext) => ddimStep(denoiser, { xt, t, tNext, eta: 0 }),
    );
    const x0 = await endOfChain(chain);
    await x0.data();
    x0.dispose();
  };
}
