"""The noise schedules of common/schedule.ts, in double precision."""
import numpy as np


class Schedule:
    """beta, alpha_bar and the posterior's coefficients; arrays with t = 0..T as their index."""

    def __init__(self, betas):
        beta = np.concatenate([[0.0], betas])
        self.T = len(betas)
        self.beta = beta
        self.alpha_bar = np.cumprod(1 - beta)
        before = np.concatenate([[1.0], self.alpha_bar[:-1]])
        with np.errstate(divide="ignore", invalid="ignore"):  # t = 0 means nothing
            noise = 1 - self.alpha_bar
            self.coef_x0 = np.sqrt(before) * beta / noise
            self.coef_xt = np.sqrt(1 - beta) * (1 - before) / noise
            self.std = np.sqrt((1 - before) / noise * beta)


def linear(T, first=1e-4, last=0.02):
    return Schedule(first + (last - first) * np.arange(T) / (T - 1))


def sigmoid(T):
    return Schedule(1e-5 + (0.3 - 1e-5) / (1 + np.exp(18 - 28 * np.arange(T) / (T - 1))))


def cosine(T):
    f = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
    return Schedule(np.minimum(0.999, 1 - f[1:] / f[:-1]))
