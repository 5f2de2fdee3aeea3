"""Papers 2's and 3's model, data and loss, as the run has them.

Algorithm 1 of Ho et al. 2020, and with labels that of Ho & Salimans 2022.
"""
import numpy as np
import random_numbers as rng
import schedules
import tensor_file
import torch
from models import UNet


class Images:
    clip_norm = 1
    averaged = True  # the averaged weights are the ones to draw with
    leaves_out = False

    def __init__(self, run, data_path):
        settings = run.settings
        self.seed, self.batch = settings["seed"], settings["batch"]
        self.dropout, self.ema_decay = settings["dropout"], settings["emaDecay"]
        try:
            tensors, metadata = tensor_file.read(data_path)
        except FileNotFoundError:
            raise SystemExit(
                f"error: {data_path} is not there; write the run's images once: deno task "
                f"{run.script} --resume {run.path} --export-data {data_path}"
            )
        self.images = tensors["images"]  # [N, H, W, C] in 0..255
        self.flips = metadata.get("flips") == "true"
        self.classes = len(run.record.get("classes", [])) if run.script == "paper3" else 0
        self.labels = tensors["labels"].astype(np.int64) if self.classes else None
        self.p_uncond = settings.get("pUncond")
        self.snr_gamma = settings.get("snrGamma", 0)
        size = settings["size"]
        if self.images.shape[1:3] != (size, size):
            raise SystemExit(
                f"error: {data_path} has images of {self.images.shape[1:3]} pixels; the run's have "
                f"{size}x{size}: export them again"
            )
        T = settings["timesteps"]
        self.schedule = (
            schedules.cosine(T)
            if settings["schedule"] == "cosine"
            else schedules.linear(T, 0.1 / T, 20 / T)
        )
        numbers = lambda text: () if text == "none" else tuple(int(n) for n in text.split(","))
        self.model = UNet(
            ch=settings["channels"],
            in_channels=self.images.shape[3],
            mults=numbers(settings["channelMults"]),
            attention=numbers(settings["attentionLevels"]),
            groups=settings["groups"],
            classes=self.classes,
        )

    def loss(self, model, step, part, device):
        """This part's share of the batch's mean of (eps - eps_theta)^2."""
        first, last = part
        seed, count, B = self.seed, last - first, self.batch
        # 2: x_0 ~ q(x_0)
        indices = rng.integers(seed, "batch", step, count, 0, len(self.images), first)
        x0 = (self.images[indices] / 127.5 - 1).astype(np.float32)
        if self.flips:
            flip = rng.integers(seed, "flip", step, count, 0, 2, first).astype(bool)
            x0[flip] = x0[flip, :, ::-1]
        # 3: t ~ Uniform({1, ..., T})
        t = rng.integers(seed, "t", step, count, 1, self.schedule.T + 1, first)
        # 4: eps ~ N(0, I)
        size = int(np.prod(x0.shape[1:]))
        eps = rng.normal(seed, "eps", step, count * size, first * size).reshape(x0.shape)
        # 5: the squared error of eps_theta(sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) eps, t)
        alpha_bar = self.schedule.alpha_bar[t].reshape(-1, 1, 1, 1)
        signal, noise = (np.sqrt(a).astype(np.float32) for a in (alpha_bar, 1 - alpha_bar))
        x, target = (
            torch.from_numpy(np.ascontiguousarray(a.transpose(0, 3, 1, 2))).to(device)
            for a in (signal * x0 + noise * eps, eps)
        )
        drop = lambda h, name: self.drop(h, name, step, first)
        labels = self.draw_labels(indices, step, first)
        labels = None if labels is None else torch.from_numpy(labels).to(device)
        error = target - model(x, torch.from_numpy(t).to(device), drop, labels)
        weights = torch.from_numpy(self.loss_weights(self.schedule.alpha_bar[t])).to(device)
        return (error.square().sum(dim=(1, 2, 3)) * weights).sum() / (B * size)

    def loss_weights(self, alpha_bar):
        """min(SNR, gamma) / SNR, or 1 where gamma is 0 (Hang et al. 2023, section 3.4)."""
        snr, gamma = alpha_bar / (1 - alpha_bar), self.snr_gamma
        weights = np.ones_like(snr) if gamma == 0 else np.minimum(snr, gamma) / snr
        return weights.astype(np.float32)

    def draw_labels(self, indices, step, first):
        """c, or none with probability p_uncond; a network without classes is told nothing."""
        if not self.classes:
            return None
        u = rng.uniform(self.seed, "uncond", step, len(indices), first)
        return np.where(u < self.p_uncond, self.classes, self.labels[indices])

    def drop(self, h, name, step, first):
        """Dropout with the scripts' mask: [B, C, H, W], numbered as [B, H, W, C]."""
        if self.dropout == 0:
            return h
        B, C, H, W = h.shape
        size = H * W * C
        bits = rng.random_bits(self.seed, f"dropout {name}", step, B * size, first * size)
        kept = (bits >> np.uint32(8)) >= np.ceil(self.dropout * 2**24)
        mask = torch.from_numpy(kept.reshape(B, H, W, C)).permute(0, 3, 1, 2).to(h.device)
        return h * mask / (1 - self.dropout)
