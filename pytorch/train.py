"""Takes a run over where it stands, and trains it on in PyTorch: on one process or many.

    deno task paper2 --resume RUN --export-data RUN/data.safetensors    # once
    torchrun --nproc-per-node 8 pytorch/train.py RUN --steps 200000
    deno task paper2 --resume RUN --sample-only                         # what has come of it

Model, schedule, loss, clipping, learning rate and averages are those of the run; --steps is its last
step, as for --resume. The batch stays the run's batch whatever the number of processes: each computes
its part of it. All random numbers are functions of seed, step and place in the batch, so the losses
do not depend on the number of processes, but for rounding.
"""
import argparse
import math
import os
import sys
import time

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

import flows
import images
import points
from runs import Layout, Run, now_in_words

BETAS, EPSILON = (0.9, 0.999), 1e-8
PAPERS = {
    "paper1": points.Points,
    "paper2": images.Images,
    "paper3": images.Images,
    "paper4": flows.Flows,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", metavar="RUN", help="the run's folder")
    parser.add_argument("--steps", type=int, required=True, help="the run's last step")
    parser.add_argument("--data", help="the run's images [RUN/data.safetensors]")
    parser.add_argument("--backend", choices=("gloo", "nccl"), help="[nccl where there are GPUs]")
    parser.add_argument(
        "--checkpoint-every", type=float, default=60, metavar="X", help="seconds [60]"
    )
    return parser.parse_args()


def learning_rate(step, steps, settings):
    """The rate at a step from 1 of so many, as common/network/learning_rate.ts has it."""
    remaining = 1
    if settings["decay"] == "cosine":
        remaining = (1 + math.cos(math.pi * step / steps)) / 2
    return settings["learningRate"] * min(1, step / settings.get("warmUp", 1)) * remaining


class Optimizer:
    """Adam with the gradient's norm clipped and averaged weights, from and to a run's state."""

    def __init__(self, paper, state):
        self.paper, self.model = paper, paper.model
        model = paper.model
        self.layout = Layout(model)
        self.step_count = int(state["adam.steps"][0])
        device = next(model.parameters()).device
        self.ema = {n: t.to(device) for n, t in self.layout.split(state["adam.ema"]).items()}
        self.adam = torch.optim.Adam(model.parameters(), lr=0, betas=BETAS, eps=EPSILON)
        m, v = (self.layout.split(state[f"adam.{name}"]) for name in ("m", "v"))
        for name, p in model.named_parameters():
            step = torch.tensor(float(self.step_count))
            moments = {"exp_avg": m[name].to(device), "exp_avg_sq": v[name].to(device)}
            self.adam.state[p] = {"step": step, **moments}

    def step(self):
        self.step_count += 1
        step, steps = self.paper.rate_of(self.step_count)
        self.adam.param_groups[0]["lr"] = learning_rate(step, steps, self.paper.settings)
        for p in self.model.parameters():  # what a batch leaves out still moves by its momentum
            p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        if self.paper.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.paper.clip_norm)
        self.adam.step()
        decay = min(self.paper.ema_decay, (1 + self.step_count) / (10 + self.step_count))
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                self.ema[name].mul_(decay).add_(p, alpha=1 - decay)
        self.adam.zero_grad()

    def move_to_averages(self):
        """Goes on from the averaged weights."""
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                p.copy_(self.ema[name])

    def state(self):
        """Weights, moments, averages and step, as the scripts keep them."""
        moments = {
            key: {n: self.adam.state[p][name].cpu() for n, p in self.model.named_parameters()}
            for key, name in (("adam.m", "exp_avg"), ("adam.v", "exp_avg_sq"))
        }
        averages = {"adam.ema": {name: tensor.cpu() for name, tensor in self.ema.items()}}
        vectors = {key: self.layout.join(t) for key, t in {**moments, **averages}.items()}
        weights = self.paper.file_of(weights_of(self.model))
        return {**weights, **vectors, "adam.steps": np.int32([self.step_count])}

    def averages(self):
        return {name: tensor.cpu().numpy() for name, tensor in self.ema.items()}


def weights_of(model):
    return {name: p.detach().cpu().numpy() for name, p in model.named_parameters()}


def connect(backend):
    """Joins the processes that torchrun has started; gives rank, their number, and the device."""
    if "RANK" not in os.environ:  # started by hand
        os.environ.update(RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT="0")
    has_gpu = torch.cuda.is_available()
    backend = backend or ("nccl" if has_gpu else "gloo")
    if backend == "nccl" and not has_gpu:
        raise SystemExit("error: --backend nccl needs GPUs, and PyTorch sees none; use gloo")
    dist.init_process_group(backend)
    device = torch.device("cpu")
    if backend == "nccl":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    return dist.get_rank(), dist.get_world_size(), device, backend


def part_of(batch, rank, world):
    """Which samples of the batch a process has: from, to."""
    return rank * batch // world, (rank + 1) * batch // world


def main():
    args = arguments()
    run = Run(args.run)
    if run.script not in PAPERS:
        raise SystemExit(f"error: {args.run} is a run of {run.script}; known: {', '.join(PAPERS)}")
    state, metadata = run.read_state()
    losses = state["history.loss"].tolist()
    if args.steps <= len(losses):
        raise SystemExit(f"error: --steps {args.steps}: the run has {len(losses)} behind it; give more")
    run.settings["steps"] = args.steps
    paper = PAPERS[run.script](run, args.data or run.file("data.safetensors"))
    rank, world, device, backend = connect(args.backend)
    if rank == 0:
        run.lock()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // world))

    paper.model.to(device)
    paper.load(state)
    optimizer = Optimizer(paper, state)
    model = DistributedDataParallel(paper.model, find_unused_parameters=paper.leaves_out)
    writer = Writer(run, optimizer, paper, metadata, losses, world, backend)
    if rank == 0:
        writer.announce()
    while optimizer.step_count < args.steps:
        step = optimizer.step_count + 1
        paper.before_step(step, optimizer)
        share = paper.loss(model, step, part_of(paper.batch, rank, world), device)
        (share * world).backward()  # the processes' gradients are averaged: of a sum, the mean by world
        loss = share.detach()
        dist.all_reduce(loss)
        losses.append(float(loss))
        if not math.isfinite(losses[-1]):
            raise SystemExit(f"error: the loss is {losses[-1]} at step {step}; the checkpoint stays")
        optimizer.step()
        if rank == 0:
            writer.after_step(args.checkpoint_every)
    if rank == 0:
        writer.finish()
    dist.destroy_process_group()


def stretches_until(done, record):
    """Which steps were made by what until now: not what was only planned."""
    earlier = [dict(s) for s in record.get("stretches", []) if s["fromStep"] <= done]
    for stretch in earlier:
        stretch["toStep"] = min(stretch["toStep"], done)
    if earlier:  # a process may die between the checkpoint and the record
        earlier[-1]["toStep"] = done
    return earlier


class Writer:
    """What the first process writes."""

    def __init__(self, run, optimizer, paper, metadata, losses, world, backend):
        self.run, self.optimizer, self.paper = run, optimizer, paper
        self.metadata, self.losses = metadata, losses
        self.first = len(losses) + 1
        self.world, self.begun = world, now_in_words()
        many = "1 process" if world == 1 else f"{world} processes"
        self.who = f"pytorch/train.py, PyTorch {torch.__version__}, {many}, {backend}"
        self.started = self.saved = self.shown = time.monotonic()
        self.earlier = stretches_until(len(losses), run.record)

    def announce(self):
        print(f"{self.run.path} from step {self.first}: {self.who}", file=sys.stderr, flush=True)

    def after_step(self, every):
        now = time.monotonic()
        if now - self.shown >= 10:
            self.shown = now
            print(
                f"{len(self.losses)}/{self.run.settings['steps']}  loss {self._recent():.4g}  "
                f"{(len(self.losses) + 1 - self.first) / (now - self.started):.3g} steps/s",
                file=sys.stderr,
                flush=True,
            )
        if now - self.saved >= every:
            self.saved = now
            self._save()

    def finish(self):
        self._save()
        print(
            f"{self.run.path}: steps {self.first} to {len(self.losses)} in "
            f"{time.monotonic() - self.started:.1f} s, loss {self._recent():.4g}"
        )

    def _recent(self):
        return float(np.mean(self.losses[-100:]))

    def _save(self):
        optimizer = self.optimizer
        weights = optimizer.averages() if self.paper.averaged else weights_of(optimizer.model)
        model = self.paper.file_of(weights)
        self.run.write_checkpoint(optimizer.state(), self.metadata, model, self.losses)
        settings = {k: v for k, v in self.run.settings.items() if k not in ("out", "resume", "from")}
        stretch = {
            "fromStep": self.first,
            "toStep": len(self.losses),
            "settings": settings,
            "backend": {"name": self.who, "workers": self.world},
            "started": self.begun,
        }
        self.run.update(
            settings=self.run.settings, status="interrupted", stretches=[*self.earlier, stretch]
        )


if __name__ == "__main__":
    main()
