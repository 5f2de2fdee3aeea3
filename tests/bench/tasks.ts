/**
 * What the benchmark times: training steps of UNets from small to the paper's and of paper 1's model,
 * and a sheet of samples. Inputs are random; time does not depend on them.
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
  /** The same work for `torch_steps.py`; absent where that does not do it. */
  torch?: TorchWork;
  /** Too large for TensorFlow.js as it is shipped, and for a GPU in software. */
  large?: boolean;
  /** Builds the task on the active backend; `stock`: with tfjs's own optimizer. */
  prepare(stock: boolean): Job;
}

/** A task that is ready to be done, again and again. */
export interface Job {
  run(): Promise<unknown>;
  /** Frees its model. */
  dispose(): void;
}

/** What a UNet does in PyTorch. */
export interface TorchWork {
  /** The UNet's options by the names that `pytorch/models.py` has for them. */
  network: {
    ch: number;
    in_channels: number;
    mults: number[];
    attention: number[];
    groups: number;
  };
  batch: number;
  size: number;
  /** A training step, or so many forward passes. */
  work: "step" | number;
}

/** A UNet, and the images that it gets. */
interface Sizes {
  network: UNetOptions;
  batch: number;
  /** Height and width. */
  size: number;
}

/** (b)'s network, small enough to train on a laptop's CPU. */
const smallUNet: UNetOptions = {
  channels: 16,
  inChannels: 1,
  channelMults: [1, 2, 2],
  attentionLevels: [1],
  groups: 8,
};

/** Batches of the large networks; a row each. */
const BATCHES = { 64: [1, 8, 32, 128], 128: [1, 4, 32, 128] };

/** All rows. */
export const tasks: Task[] = [
  training("a", { network: { channels: 32, inChannels: 1 }, batch: 8, size: 32 }),
  training("b", { network: smallUNet, batch: 32, size: 16 }),
  {
    letter: "c",
    name: "paper 1's training step with its default settings",
    unit: "points",
    items: 40 * 128,
    prepare: (stock) => pointStep(stock),
  },
  {
    letter: "d",
    name: "16 digits by DDIM in 50 steps, the UNet of (b)",
    unit: "images",
    items: 16,
    torch: torchWork({ network: smallUNet, batch: 16, size: 16 }, 50),
    prepare: () => sampling(16),
  },
  ...BATCHES[64].map((batch, i) =>
    large("efgh"[i], { network: { channels: 64, inChannels: 1 }, batch, size: 32 })
  ),
  ...BATCHES[128].map((batch, i) =>
    large("ijkl"[i], { network: { channels: 128, inChannels: 3 }, batch, size: 32 })
  ),
];

/** A row that trains a UNet. */
export function training(letter: string, sizes: Sizes): Task {
  const { network: { channels, inChannels }, batch, size } = sizes;
  const colour = inChannels === 3 ? ", RGB" : "";
  return {
    letter,
    name: `training step, UNet of ${channels} channels, ${size}x${size}${colour}, batch ${batch}`,
    unit: "images",
    items: batch,
    torch: torchWork(sizes, "step"),
    prepare: (stock) => trainingStep(sizes, stock),
  };
}

function large(letter: string, sizes: Sizes): Task {
  return { ...training(letter, sizes), large: true };
}

function torchWork({ network, batch, size }: Sizes, work: TorchWork["work"]): TorchWork {
  const { channels, inChannels, channelMults, attentionLevels, groups } = network;
  return {
    network: {
      ch: channels,
      in_channels: inChannels,
      mults: channelMults ?? [1, 2, 2, 2],
      attention: attentionLevels ?? [1],
      groups: groups ?? 32,
    },
    batch,
    size,
    work,
  };
}

/** L_simple on a batch of noise, its gradients, and a step of Adam. */
function trainingStep({ network: options, batch, size }: Sizes, stock: boolean): Job {
  const network = new UNet({ ...options, dropout: 0 });
  const shape: [number, number, number, number] = [batch, size, size, options.inChannels];
  const xt = gaussianNoise<tf.Rank.R4>({ seed: 0, stream: "xt" }, shape);
  const eps = gaussianNoise<tf.Rank.R4>({ seed: 0, stream: "eps" }, shape);
  const t = tf.tensor1d(Array.from({ length: batch }, (_, i) => 1 + i));
  const loss = () => tf.mean(tf.square(tf.sub(network.forward(xt, t), eps))) as tf.Scalar;
  const data = [xt, eps, t];
  return step(network.parameters, stock, loss, () => {
    network.dispose();
    tf.dispose(data);
  });
}

/** Gradients of a loss and a step of Adam: tfjs's own, or the project's. */
function step(
  parameters: Map<string, tf.Variable>,
  stock: boolean,
  loss: () => tf.Scalar,
  dispose: () => void,
): Job {
  if (stock) {
    const optimizer = tf.train.adam(2e-4);
    const run = async () => {
      const value = optimizer.minimize(loss, true)!;
      await value.data();
      value.dispose();
    };
    return {
      run,
      dispose: () => {
        optimizer.dispose();
        dispose();
      },
    };
  }
  const optimizer = new Adam(parameters, { clipNorm: 1 });
  const run = async () => {
    const { value, gradients } = valueAndGradients(parameters, loss);
    optimizer.step(gradients, 2e-4);
    await value.data();
    tf.dispose([value, ...gradients.values()]);
  };
  return {
    run,
    dispose: () => {
      optimizer.dispose();
      dispose();
    },
  };
}

/** A step of paper 1, all t at once. */
function pointStep(stock: boolean): Job {
  const schedule = sigmoidSchedule(40);
  const model = new ReverseModel({ hidden: 96, schedule });
  const xt = gaussianNoise<tf.Rank.R3>({ seed: 0, stream: "xt" }, [40, 128, 2]);
  const times = Array.from({ length: 40 }, (_, i) => i + 1);
  const q = qPosterior(schedule, xt, xt, times);
  const rest = (x: tf.Tensor) => tf.slice(x, [1, 0, 0]); // the posterior of t = 1 has no width
  const target = { mean: rest(q.mean), std: rest(q.std) };
  const loss = () => {
    const { mean, std } = model.forwardRows(xt, times);
    return klLoss(target, { mean: rest(mean), std: rest(std) });
  };
  return step(model.parameters, stock, loss, () => {
    model.dispose();
    tf.dispose([xt, ...Object.values(q), ...Object.values(target)]);
  });
}

function sampling(count: number): Job {
  const network = new UNet(smallUNet);
  const denoiser = { network, schedule: linearSchedule(1000) };
  const run = async () => {
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
  return { run, dispose: () => network.dispose() };
}
