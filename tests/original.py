"""Trains a small model of paper 1 on the Python original's data, and writes its weights.

    python3 tests/original.py MODEL.safetensors

The weights have the original's names and layouts, and the data are the columns [2, 0] of scikit-learn's
make_swiss_roll, a tenth of them. All tails are trained at once, in the place of one a step.
"""
import math
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "pytorch"))
import tensor_file  # noqa: E402

T, H, BATCH, STEPS = 40, 32, 64, 400


def make_swiss_roll(*shape):
    """scikit-learn's, without noise: [..., 3]."""
    t = 1.5 * math.pi * (1 + 2 * torch.rand(*shape))
    return torch.stack([t * torch.cos(t), 21 * torch.rand(*shape), t * torch.sin(t)], -1)


torch.manual_seed(0)
beta = 1e-5 + (0.3 - 1e-5) * torch.sigmoid(torch.linspace(-18, 10, T))
alpha_bar = torch.cumprod(1 - beta, 0)
network_head = nn.Sequential(nn.Linear(2, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU())
network_tail = nn.ModuleList(
    nn.Sequential(nn.Linear(H, H), nn.ReLU(), nn.Linear(H, 4)) for _ in range(T)
)
names = ("0.weight", "0.bias", "2.weight", "2.bias")
tails = [torch.stack([dict(t.named_parameters())[name].detach() for t in network_tail]) for name in names]
for tensor in tails:
    tensor.requires_grad_()
optimizer = torch.optim.Adam([*network_head.parameters(), *tails], lr=1e-2)
rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
column = lambda values: values[1:, None, None]  # at the first t there is nothing to learn
now, before, b = column(alpha_bar), alpha_bar[:-1, None, None], column(beta)
variance = (1 - before) / (1 - now) * b
for step in range(STEPS):
    x0 = make_swiss_roll(T - 1, BATCH)[..., [2, 0]] / 10
    xt = now.sqrt() * x0 + (1 - now).sqrt() * torch.randn_like(x0)
    mean = (before.sqrt() * b * x0 + (1 - b).sqrt() * (1 - before) * xt) / (1 - now)
    w0, b0, w2, b2 = (tensor[1:] for tensor in tails)
    h = torch.relu(network_head(xt) @ w0.mT + b0[:, None])
    p_mean, p_log_variance = (h @ w2.mT + b2[:, None]).split(2, -1)
    kl = p_log_variance - variance.log() + (variance + (mean - p_mean) ** 2) / p_log_variance.exp()
    optimizer.zero_grad()
    kl.mean().backward()
    optimizer.step()
    rate.step()
weights = {f"network_head.{name}": p for name, p in network_head.named_parameters()}
for name, tensor in zip(names, tails):
    weights.update({f"network_tail.{t}.{name}": tensor[t] for t in range(T)})
tensor_file.write(sys.argv[1], {name: w.detach().numpy() for name, w in weights.items()})
