"""Paper 1's model, data and loss, as the run has them: the KL terms of Sohl-Dickstein et al. 2015."""
import numpy as np
import random_numbers as rng
import schedules
import torch
from models import ReverseModel
from paper import Paper

LOG_VARIANCE, LOG_FACTOR = (-20, 2), (-5, 5)  # bounds of sigma, as in paper_1_partb.ts


class Points(Paper):
    leaves_out = True  # the tail of t = 1, and with one t a step all but one

    def __init__(self, run, _data_path):
        super().__init__(run)
        settings = self.settings
        if settings["tails"] != "each":
            raise SystemExit("error: a run with --tails shared cannot be taken over")
        self.sample = shape_of(settings["data"])
        T = settings["timesteps"]
        self.schedule = {
            "sigmoid": schedules.sigmoid,
            "linear": schedules.linear,
            "cosine": schedules.cosine,
        }[settings["schedule"]](T)
        self.model = ReverseModel(settings["hidden"], T)

    def loss(self, model, step, part, device):
        """This part's share of the mean of KL(q || p) over t, points and coordinates."""
        first, last = part
        all_t = self.settings["times"] == "all"
        T, B = self.schedule.T, self.batch
        times = (
            np.arange(1, T + 1)
            if all_t
            else rng.integers(self.seed, "t", step, 1, 2, T + 1)
        )
        x0 = self.sample(self.seed, "train x0", step, len(times) * B).reshape(len(times), B, 2)
        eps = rng.normal(self.seed, "train eps", step, x0.size).reshape(x0.shape)
        keep = times > 1  # at t = 1 there is nothing to learn
        times, x0, eps = times[keep], x0[keep, first:last], eps[keep, first:last]
        row = lambda values: values[times].astype(np.float32).reshape(-1, 1, 1)
        s = self.schedule
        xt = row(np.sqrt(s.alpha_bar)) * x0 + row(np.sqrt(1 - s.alpha_bar)) * eps
        q_mean, q_std = row(s.coef_x0) * x0 + row(s.coef_xt) * xt, row(s.std)
        tensors = (xt, q_mean, q_std, row(np.sqrt(s.beta)))
        xt, q_mean, q_std, width = (torch.from_numpy(a).to(device) for a in tensors)
        out = model(xt, times)
        out1, out2 = out[..., :2], out[..., 2:]
        if self.settings["parametrization"] == "direct":
            p_mean, p_std = out1, torch.exp(out2.clamp(*LOG_VARIANCE) / 2)
        else:
            p_mean, p_std = xt + width * out1, q_std * torch.exp(out2.clamp(*LOG_FACTOR))
        # KL(q || p) = log(s_p/s_q) + (s_q^2 + (m_q - m_p)^2)/(2 s_p^2) - 1/2
        ratio, distance = q_std / p_std, (q_mean - p_mean) / p_std
        kl = (ratio.square() + distance.square()) / 2 - torch.log(ratio) - 0.5
        return kl.sum() / (len(times) * B * 2)


def swiss_roll(seed, stream, step, count):
    angle = 1.5 * np.pi * (1 + 2 * rng.uniform(seed, stream, step, count))
    return np.stack([angle * np.cos(angle), angle * np.sin(angle)], 1).astype(np.float32) / 10


def moons(seed, stream, step, count):
    u = rng.uniform(seed, f"{stream} place", step, 2 * count).reshape(-1, 2)
    noise = 0.05 * rng.normal(seed, f"{stream} noise", step, 2 * count).reshape(-1, 2)
    angle, upper = np.pi * u[:, 0], u[:, 1] < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    places = np.stack([1.15 * (x - 0.5 + noise[:, 0]), 2 * (y - 0.25 + noise[:, 1])], 1)
    return places.astype(np.float32)


def circles(seed, stream, step, count):
    u = rng.uniform(seed, f"{stream} place", step, 2 * count).reshape(-1, 2)
    noise = 0.05 * rng.normal(seed, f"{stream} noise", step, 2 * count).reshape(-1, 2)
    angle, radius = 2 * np.pi * u[:, 0], np.where(u[:, 1] < 0.5, 1.7, 0.85)
    places = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1) + noise
    return places.astype(np.float32)


SHAPES = {"swiss-roll": swiss_roll, "moons": moons, "circles": circles}


def shape_of(name):
    """What draws points of a shape."""
    if name not in SHAPES:
        raise SystemExit(f"error: the run's points are {name}; known here: {', '.join(SHAPES)}")
    return SHAPES[name]
