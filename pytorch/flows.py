"""Paper 4's model, data and loss, as the run has them.

Flow matching (Lipman et al. 2023) and reflow (Liu et al. 2023), on points and on images.
"""
import copy
import math

import numpy as np
import random_numbers as rng
import torch
from images import ImageSet, dropout_of, planes, unet_of
from models import Velocity
from paper import Paper
from points import shape_of

TIMESTEPS = 1000  # on images the UNet's t counts from the data on, as paper 2's
CLIP_NORM = 1  # for each pixel, as in paper 4's script


class Flows(Paper):
    """Flow 0, then the reflows: `model` is the one that is trained, `finished` are those before it."""

    def __init__(self, run, data_path):
        super().__init__(run)
        settings = self.settings
        self.of_images = "size" in settings
        if self.of_images:
            self.images = ImageSet(run, data_path)
            self.shape = self.images.shape  # H, W, C
            self.model = unet_of(settings, self.shape[2])
            self.ema_decay, self.averaged = settings["emaDecay"], True
            self.clip_norm = CLIP_NORM * math.prod(self.shape)
        else:
            self.sample, self.shape = shape_of(settings["data"]), [2]
            self.model, self.ema_decay = Velocity(settings["hidden"]), 0
        self.finished, self.pairs = [], {}

    def loss(self, model, step, part, device):
        """This part's share of the batch's mean of ||v(psi_t(x_0), t) - (x_1 - (1 - sigma) x_0)||^2."""
        first, last = part
        t = rng.uniform(self.seed, "t", step, last - first, first).astype(np.float32)
        t = torch.from_numpy(t).to(device)
        flow = len(self.finished)
        x0, x1 = self.own_pairs(step, part, device) if flow else self.draw(step, part, device)
        rest = 1 if flow else 1 - self.settings["sigmaMin"]  # samples have their width already
        column = t.reshape(-1, *[1] * len(self.shape))
        xt = (1 - rest * column) * x0 + column * x1
        drop = dropout_of(self.settings, step, first) if self.of_images else None
        error = self.velocity(model, xt, t, drop) - (x1 - rest * x0)
        return error.square().sum() / self.batch

    def velocity(self, network, x, t, drop=None):
        """v(x, t) at times [B]."""
        if not self.of_images:
            return network(x, t)
        steps = TIMESTEPS * (1 - t)  # paper 2's direction
        return network(x, steps, drop) if drop else network(x, steps)

    def draw(self, step, part, device):
        """Noises and data points that know nothing of each other."""
        first, last = part
        x0 = self.noise("train x0", step, part, device)
        if self.of_images:
            names = ("train x1 image", "train x1 flip")
            x1 = self.images.batch(*self.images.draw(self.seed, names, step, part))
            return x0, planes(x1, device)
        x1 = self.sample(self.seed, "train x1", step, self.batch).reshape(-1, 2)[first:last]
        return x0, torch.from_numpy(x1).to(device)

    def noise(self, stream, step, part, device):
        first, last = part
        size = math.prod(self.shape)
        eps = rng.normal(self.seed, stream, step, (last - first) * size, first * size)
        eps = eps.reshape(-1, *self.shape)
        return planes(eps, device) if self.of_images else torch.from_numpy(eps).to(device)

    def own_pairs(self, step, part, device):
        """Noises and where the flow before takes them, from a store that fills as it is drawn from."""
        among = -(-self.settings["pairs"] // self.batch)
        which = int(rng.integers(self.seed, "train pairs", step, 1, 0, among)[0])
        if which not in self.pairs:
            z0 = self.noise(f"reflow {len(self.finished)} z0", which, part, device)
            self.pairs[which] = (z0, self.follow(self.finished[-1], z0))
        return self.pairs[which]

    @torch.no_grad()
    def follow(self, network, x):
        """From t = 0 to t = 1 in Heun's steps."""
        count = self.settings["pairSteps"]
        for i in range(count):
            now, then = i / count, (i + 1) / count
            at = lambda t: torch.full((len(x),), t, device=x.device)
            k1 = self.velocity(network, x, at(now))
            k2 = self.velocity(network, x + (then - now) * k1, at(then))
            x = x + (then - now) / 2 * (k1 + k2)
        return x

    def share_of(self, step):
        """Which flow a step trains, and the first and the last step of that one."""
        steps, reflows = self.settings["steps"], self.settings["reflows"]
        half = -(-steps // 2) if reflows else steps  # flow 0 has the larger part of the work
        ends = [half + -(-flow * (steps - half) // max(1, reflows)) for flow in range(reflows + 1)]
        flow = next(flow for flow, end in enumerate(ends) if step <= end)
        return flow, ends[flow - 1] + 1 if flow else 1, ends[flow]

    def rate_of(self, step):
        _, first, last = self.share_of(step)
        return step - first + 1, last - first + 1

    def before_step(self, step, optimizer):
        if self.share_of(step)[0] > len(self.finished):
            optimizer.move_to_averages()  # a flow ends at these
            self.finish()

    def finish(self):
        """Keeps the current weights as a finished flow; the next one's training begins at them."""
        self.finished.append(copy.deepcopy(self.model))
        self.pairs = {}

    def load(self, state):
        flows = {}
        for name, values in state.items():
            if name.startswith("flow."):
                _, k, rest = name.split(".", 2)
                flows.setdefault(int(k), {})[rest] = torch.from_numpy(values)
        for k in range(len(flows)):
            if k > 0:
                self.finish()
            self.model.load_state_dict(flows[k])
        self.refuse_other_shares(int(state["adam.steps"][0]))

    def refuse_other_shares(self, done):
        flow, finished = self.share_of(max(1, done))[0], len(self.finished)
        if flow != finished:
            raise SystemExit(
                f"error: --steps {self.settings['steps']}: shared by {self.settings['reflows'] + 1} "
                f"flows, step {done} would train flow {flow}, and the run has trained flow {finished} "
                "by then; give the steps that the run was begun with"
            )

    def file_of(self, weights):
        named = lambda k, tensors: {f"flow.{k}.{name}": tensor for name, tensor in tensors.items()}
        file = named(len(self.finished), weights)
        for k, flow in enumerate(self.finished):
            file.update(named(k, {n: p.detach().cpu().numpy() for n, p in flow.named_parameters()}))
        return file
