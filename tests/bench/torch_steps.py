"""A UNet's training step or forward passes in PyTorch, for the benchmark.

    python3 torch_steps.py '{"network": {...}, "batch": 8, "size": 32, "work": "step"}'

Each line on stdin is a number of threads: the work is done once on as many, and answered by a line
with its milliseconds, and with how many MiB the process had at most above what PyTorch itself takes.
"""
import json
import pathlib
import resource
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "pytorch"))
from models import UNet  # noqa: E402


def memory(name):
    """Linux: "VmRSS", the process's memory in MiB, or "VmHWM", the most that it was."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))
    except OSError:  # elsewhere there is only the most
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


class Step:
    """Gradients of the mean squared error, clipped to norm 1, Adam, and averaged weights."""

    def __init__(self, network, x, eps, t):
        self.network, self.x, self.eps, self.t = network, x, eps, t
        self.adam = torch.optim.Adam(network.parameters(), lr=2e-4)
        self.ema = [p.detach().clone() for p in network.parameters()]

    def __call__(self):
        self.adam.zero_grad()
        loss = (self.network(self.x, self.t) - self.eps).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1)
        self.adam.step()
        with torch.no_grad():
            for average, p in zip(self.ema, self.network.parameters()):
                average.lerp_(p, 0.001)
        return loss.item()


class Forward:
    """So many forward passes, each with the result of the one before."""

    def __init__(self, network, x, t, passes):
        self.network, self.x, self.t, self.passes = network, x, t, passes

    def __call__(self):
        x = self.x
        with torch.no_grad():
            for _ in range(self.passes):
                x = x - 0.1 * self.network(x, self.t)
        return x.sum().item()


def main():
    spec = json.loads(sys.argv[1])
    before = memory("VmRSS")
    network = UNet(**spec["network"])
    shape = (spec["batch"], spec["network"]["in_channels"], spec["size"], spec["size"])
    x, eps, t = torch.randn(shape), torch.randn(shape), 1 + torch.arange(spec["batch"])
    is_step = spec["work"] == "step"
    work = Step(network, x, eps, t) if is_step else Forward(network, x, t, spec["work"])
    for line in sys.stdin:
        torch.set_num_threads(int(line))
        start = time.perf_counter()
        work()
        ms = 1000 * (time.perf_counter() - start)
        print(json.dumps({"ms": ms, "peakMiB": memory("VmHWM") - before}), flush=True)


main()
