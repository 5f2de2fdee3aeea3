"""Trains a small model of paper 1 as the Python original does, and writes its weights.

    python3 tests/original.py MODEL.safetensors

The modules have the original's names, and the data are the columns [2, 0] of scikit-learn's
make_swiss_roll, a tenth of them; one t a step.
"""
import math
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "pytorch"))
import tensor_file  # noqa: E402

T, H, BATCH, STEPS = 40, 32, 128, 2000


def make_swiss_roll(count):
    """scikit-learn's, without noise: [count, 3]."""
    t = 1.5 * math.pi * (1 + 2 * torch.rand(count))
    return torch.stack([t * torch.cos(t), 21 * torch.rand(count), t * torch.sin(t)], 1)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.network_head = nn.Sequential(nn.Linear(2, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU())
        self.network_tail = nn.ModuleList(
            nn.Sequential(nn.Linear(H, H), nn.ReLU(), nn.Linear(H, 4)) for _ in range(T)
        )

    def forward(self, x, t):
        out = self.network_tail[t](self.network_head(x))  # t = 0..T-1
        return out[:, :2], out[:, 2:]


torch.manual_seed(0)
beta = 1e-5 + (0.3 - 1e-5) * torch.sigmoid(torch.linspace(-18, 10, T))
alpha_bar = torch.cumprod(1 - beta, 0)
model = MLP()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(STEPS):
    x0 = make_swiss_roll(BATCH)[:, [2, 0]] / 10
    t = 1 + step % (T - 1)
    now, before = alpha_bar[t], alpha_bar[t - 1]
    xt = now.sqrt() * x0 + (1 - now).sqrt() * torch.randn_like(x0)
    mean = (before.sqrt() * beta[t] * x0 + (1 - beta[t]).sqrt() * (1 - before) * xt) / (1 - now)
    variance = (1 - before) / (1 - now) * beta[t]
    p_mean, p_log_variance = model(xt, t)
    kl = p_log_variance - variance.log() + (variance + (mean - p_mean) ** 2) / p_log_variance.exp()
    optimizer.zero_grad(set_to_none=True)
    kl.mean().backward()
    optimizer.step()
tensor_file.write(sys.argv[1], {n: w.numpy() for n, w in model.state_dict().items()})
