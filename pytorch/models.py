"""The models in PyTorch, with the names and layouts of the model files.

Take a trained model along:

    import torch, tensor_file
    from models import UNet
    net = UNet(ch=16, mults=(1, 2, 4), attention=(1,), groups=8)
    weights, _ = tensor_file.read("model.safetensors")
    net.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Nin(nn.Module):
    """The same linear map on the channels of every pixel."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.W = nn.Parameter(torch.randn(inputs, outputs) / math.sqrt(inputs))
        self.b = nn.Parameter(torch.zeros(1, outputs, 1, 1))

    def forward(self, x):
        return torch.einsum("bihw,io->bohw", x, self.W) + self.b


class Residual(nn.Module):
    def __init__(self, inputs, outputs, ch, groups):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.dense = nn.Linear(4 * ch, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.nin = Nin(inputs, outputs) if inputs != outputs else None
        self.groups = groups

    def forward(self, x, emb, drop):
        h = self.conv1(F.silu(F.group_norm(x, self.groups)))
        h = h + self.dense(F.silu(emb))[:, :, None, None]
        h = self.conv2(drop(F.silu(F.group_norm(h, self.groups))))
        return h + (x if self.nin is None else self.nin(x))


class Attention(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.Q, self.K, self.V, self.nin = (Nin(channels, channels) for _ in range(4))
        self.groups = groups

    def forward(self, x, emb, drop):
        B, C, H, W = x.shape
        h = F.group_norm(x, self.groups)
        q, k, v = (layer(h).reshape(B, C, H * W) for layer in (self.Q, self.K, self.V))
        weights = torch.softmax(torch.einsum("bcq,bck->bqk", q, k) / math.sqrt(C), dim=-1)
        seen = torch.einsum("bqk,bck->bcq", weights, v).reshape(B, C, H, W)
        return x + self.nin(seen)


class Resize(nn.Module):
    def __init__(self, channels, up):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=1 if up else 2, padding=1)
        self.up = up

    def forward(self, x, emb, drop):
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest") if self.up else x)


class Unchanged(nn.Module):
    """In the place of the middle's attention where no level has any."""

    def forward(self, x, emb, drop):
        return x


class UNet(nn.Module):
    def __init__(self, ch, in_channels=1, mults=(1, 2, 2, 2), attention=(1,), groups=32, classes=0):
        super().__init__()
        self.ch, self.groups, self.classes = ch, groups, classes
        self.linear1, self.linear2 = nn.Linear(ch, 4 * ch), nn.Linear(4 * ch, 4 * ch)
        # paper 3: a row for each class, and the last for "no label"
        self.label_emb = nn.Embedding(classes + 1, 4 * ch) if classes else None
        self.conv1 = nn.Conv2d(in_channels, ch, 3, padding=1)
        widths = [m * ch for m in mults]
        down, skips, c = [], [ch], ch
        for level, width in enumerate(widths):
            for _ in range(2):
                down.append(Residual(c, width, ch, groups))
                if level in attention:
                    down.append(Attention(width, groups))
                c = width
                skips.append(c)
            if level < len(widths) - 1:
                down.append(Resize(c, up=False))
                skips.append(c)
        attend = Attention(c, groups) if attention else Unchanged()
        self.middle = nn.ModuleList(
            [Residual(c, c, ch, groups), attend, Residual(c, c, ch, groups)]
        )
        up = []
        for level, width in reversed(list(enumerate(widths))):
            for _ in range(3):
                up.append(Residual(c + skips.pop(), width, ch, groups))
                if level in attention:
                    up.append(Attention(width, groups))
                c = width
            if level > 0:
                up.append(Resize(c, up=True))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        self.final_conv = nn.Conv2d(c, in_channels, 3, padding=1)

    def embed(self, t):
        half = self.ch // 2
        omega = torch.exp(-math.log(10000) * torch.arange(half, device=t.device) / (half - 1))
        angles = t[:, None].float() * omega
        sinusoids = torch.cat([angles.sin(), angles.cos()], dim=1)
        return self.linear2(F.silu(self.linear1(sinusoids)))

    def forward(self, x, t, drop=lambda h, name: h, labels=None):
        """The noise in x, [B, C, H, W], at timesteps t, [B]; `drop` is the dropout of a named block.

        `labels`, [B], are those of a network with classes; without them none has a label.
        """
        emb = self.embed(t)
        if self.label_emb is not None:
            emb = emb + self.label_emb(torch.full_like(t, self.classes) if labels is None else labels)
        h = self.conv1(x)
        skips = [h]
        for i, block in enumerate(self.down):
            h = block(h, emb, lambda h: drop(h, f"down.{i}"))
            attends_next = i + 1 < len(self.down) and isinstance(self.down[i + 1], Attention)
            if not attends_next:  # a residual block and its attention are one step
                skips.append(h)
        for i, block in enumerate(self.middle):
            h = block(h, emb, lambda h: drop(h, f"middle.{i}"))
        for i, block in enumerate(self.up):
            if isinstance(block, Residual):
                h = torch.cat([h, skips.pop()], dim=1)
            h = block(h, emb, lambda h: drop(h, f"up.{i}"))
        return self.final_conv(F.silu(F.group_norm(h, self.groups)))


class ReverseModel(nn.Module):
    """Paper 1's: a head that all t share and a tail for each t."""

    def __init__(self, hidden, timesteps):
        super().__init__()
        H = hidden
        self.network_head = nn.Sequential(nn.Linear(2, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU())
        self.network_tail = nn.ModuleList(
            nn.Sequential(nn.Linear(H, H), nn.ReLU(), nn.Linear(H, 4)) for _ in range(timesteps)
        )

    def forward(self, x, times):
        """The tails' outputs, [N, B, 4], for rows of points x, [N, B, 2], each at a t of 1..T."""
        rows = zip(self.network_head(x), times)
        return torch.stack([self.network_tail[t - 1](points) for points, t in rows])


class Velocity(nn.Module):
    """Paper 4's v(x, t) on points: the place and the time go in as waves, too."""

    def __init__(self, hidden, time_waves=4, place_waves=4):
        super().__init__()
        H = hidden
        self.time_waves, self.place_waves = time_waves, place_waves
        inputs = 2 + 2 * time_waves + 2 * 2 * place_waves
        layers = [nn.Linear(inputs, H), nn.SiLU(), nn.Linear(H, H), nn.SiLU()]
        self.net = nn.Sequential(*layers, nn.Linear(H, H), nn.SiLU(), nn.Linear(H, 2))

    @staticmethod
    def waves(angle, count):
        return [wave for k in range(1, count + 1) for wave in ((k * angle).sin(), (k * angle).cos())]

    def forward(self, x, t):
        """Points [B, 2] at a t in 0..1 for all, or times [B]."""
        time = math.pi * torch.as_tensor(t, device=x.device).expand(len(x))[:, None]
        waves = self.waves(time, self.time_waves) + self.waves(math.pi / 2 * x, self.place_waves)
        return self.net(torch.cat([x] + waves, dim=1))


class Flows(nn.Module):
    """A run's flows: `flow[k]` is the one after k reflows."""

    def __init__(self, hidden, flows):
        super().__init__()
        self.flow = nn.ModuleList(Velocity(hidden) for _ in range(flows))

    def forward(self, x, times):
        """The last one's velocity, [N, B, 2], for rows of points x, [N, B, 2], each at a t of its own."""
        return torch.stack([self.flow[-1](points, t) for points, t in zip(x, times)])
