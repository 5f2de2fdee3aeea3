"""Papers 2's and 3's model, data and loss, as the run has them.

Algorithm 1 of Ho et al. 2020, and with labels that of Ho & Salimans 2022.
"""
import numpy as np
import random_numbers as rng
import schedules
import tensor_file
import torch
from models import UNet
from paper import Paper


class ImageSet:
    """A run's images, from the file of --export-data."""

    def __init__(self, run, path):
        try:
            tensors, metadata = tensor_file.read(path)
        except FileNotFoundError:
            raise SystemExit(
                f"error: {path} is not there; write the run's images once: deno task "
                f"{run.script} --resume {run.path} --export-data {path}"
            )
        self.images = tensors["images"]  # [N, H, W, C] in 0..255
        self.labels = tensors["labels"].astype(np.int64) if "labels" in tensors else None
        self.flips = metadata.get("flips") == "true"
        self.count, *self.shape = self.images.shape
        size = run.settings["size"]
        if self.shape[:2] != [size, size]:
            raise SystemExit(
                f"error: {path} has images of {self.shape[0]}x{self.shape[1]} pixels; the run's "
                f"have {size}x{size}: export them again"
            )

    def batch(self, indices, flips):
        """Images [B, H, W, C] in [-1, 1], some of them turned left to right."""
        x = (self.images[indices] / 127.5 - 1).astype(np.float32)
        x[flips] = x[flips, :, ::-1]
        return x

    def draw(self, seed, streams, step, part):
        """Which images a part of a batch has, by the streams' names, and which are to be turned."""
        (first, last), (which, turned) = part, streams
        indices = rng.integers(seed, which, step, last - first, 0, self.count, first)
        flips = np.zeros(last - first, bool)
        if self.flips:
            flips = rng.integers(seed, turned, step, last - first, 0, 2, first).astype(bool)
        return indices, flips


def unet_of(settings, channels, classes=0):
    """The network that the settings describe."""
    numbers = lambda text: () if text == "none" else tuple(int(n) for n in text.split(","))
    return UNet(
        ch=settings["channels"],
        in_channels=channels,
        mults=numbers(settings["channelMults"]),
        attention=numbers(settings["attentionLevels"]),
        groups=settings["groups"],
        classes=classes,
    )


def dropout_of(settings, step, first):
    """Dropout with the scripts' mask: [B, C, H, W], numbered as [B, H, W, C]."""
    rate, seed = settings["dropout"], settings["seed"]

    def drop(h, name):
        if rate == 0:
            return h
        B, C, H, W = h.shape
        size = H * W * C
        bits = rng.random_bits(seed, f"dropout {name}", step, B * size, first * size)
        kept = (bits >> np.uint32(8)) >= np.ceil(rate * 2**24)
        mask = torch.from_numpy(kept.reshape(B, H, W, C)).permute(0, 3, 1, 2).to(h.device)
        return h * mask / (1 - rate)

    return drop


def planes(x, device):
    """[B, H, W, C] as PyTorch has it, [B, C, H, W]."""
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))).to(device)


class Images(Paper):
    clip_norm = 1
    averaged = True

    def __init__(self, run, data_path):
        super().__init__(run)
        settings = self.settings
        self.ema_decay = settings["emaDecay"]
        self.images = ImageSet(run, data_path)
        self.classes = len(run.record.get("classes", [])) if run.script == "paper3" else 0
        if self.classes and self.images.labels is None:
            raise SystemExit(f"error: {data_path} has images without labels: export the run's own")
        T = settings["timesteps"]
        self.schedule = (
            schedules.cosine(T)
            if settings["schedule"] == "cosine"
            else schedules.linear(T, 0.1 / T, 20 / T)
        )
        self.model = unet_of(settings, self.images.shape[2], self.classes)

    def loss(self, model, step, part, device):
        """This part's share of the batch's mean of (eps - eps_theta)^2."""
        first, last = part
        seed, count, B = self.seed, last - first, self.batch
        # 2: x_0 ~ q(x_0)
        indices, flips = self.images.draw(seed, ("batch", "flip"), step, part)
        x0 = self.images.batch(indices, flips)
        # 3: t ~ Uniform({1, ..., T})
        t = rng.integers(seed, "t", step, count, 1, self.schedule.T + 1, first)
        # 4: eps ~ N(0, I)
        size = int(np.prod(x0.shape[1:]))
        eps = rng.normal(seed, "eps", step, count * size, first * size).reshape(x0.shape)
        # 5: the squared error of eps_theta(sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) eps, t)
        alpha_bar = self.schedule.alpha_bar[t].reshape(-1, 1, 1, 1)
        signal, noise = (np.sqrt(a).astype(np.float32) for a in (alpha_bar, 1 - alpha_bar))
        x, target = planes(signal * x0 + noise * eps, device), planes(eps, device)
        labels = self.draw_labels(indices, step, first)
        labels = None if labels is None else torch.from_numpy(labels).to(device)
        drop = dropout_of(self.settings, step, first)
        error = target - model(x, torch.from_numpy(t).to(device), drop, labels)
        weights = torch.from_numpy(self.loss_weights(self.schedule.alpha_bar[t])).to(device)
        return (error.square().sum(dim=(1, 2, 3)) * weights).sum() / (B * size)

    def loss_weights(self, alpha_bar):
        """min(SNR, gamma) / SNR, or 1 where gamma is 0 (Hang et al. 2023, section 3.4)."""
        snr, gamma = alpha_bar / (1 - alpha_bar), self.settings.get("snrGamma", 0)
        weights = np.ones_like(snr) if gamma == 0 else np.minimum(snr, gamma) / snr
        return weights.astype(np.float32)

    def draw_labels(self, indices, step, first):
        """c, or none with probability p_uncond; a network without classes is told nothing."""
        if not self.classes:
            return None
        u = rng.uniform(self.seed, "uncond", step, len(indices), first)
        return np.where(u < self.settings["pUncond"], self.classes, self.images.labels[indices])
