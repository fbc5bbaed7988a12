"""The plainest correct PyTorch code for each normalizer that torch has no layer for.

What one would write down from the formula: the measure of ``norms.py``. Training mode only.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bnlab import random

MOMENTUM = 0.1


class Plain(nn.Module):
    """``weight`` and ``bias`` of each channel, and ``running`` statistics."""

    def __init__(self, channels: int, *running: str, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        for name in running:
            self.register_buffer(
                name, torch.zeros(channels) if "mean" in name else torch.ones(channels)
            )

    def along(self, v: Tensor, x: Tensor) -> Tensor:
        """(C,) as (1, C) or (1, C, 1, 1)."""
        return v.view(1, -1) if x.dim() == 2 else v.view(1, -1, 1, 1)

    def dims(self, x: Tensor) -> tuple[int, ...]:
        """The axes of a batch statistic."""
        return (0,) if x.dim() == 2 else (0, 2, 3)

    def affine(self, x: Tensor) -> Tensor:
        """Weight * x + bias."""
        return self.along(self.weight, x) * x + self.along(self.bias, x)

    def track(self, name: str, value: Tensor) -> None:
        """Move a running statistic."""
        with torch.no_grad():
            running = getattr(self, name)
            running.mul_(1 - MOMENTUM).add_(MOMENTUM * value.flatten())


class Ghost(Plain):
    """BatchNorm of torch's kernel on each chunk; the averages of mean and variance are tracked."""

    def __init__(self, channels: int, ghost_size: int) -> None:
        super().__init__(channels, "running_mean", "running_var")
        self.ghost_size = ghost_size

    def forward(self, x: Tensor) -> Tensor:
        """One chunk after the other."""
        chunks = x.split(self.ghost_size)
        y = [nn.functional.batch_norm(c, None, None, self.weight, self.bias, True) for c in chunks]
        with torch.no_grad():
            self.track("running_mean", torch.stack([c.mean(self.dims(x)) for c in chunks]).mean(0))
            self.track("running_var", torch.stack([c.var(self.dims(x)) for c in chunks]).mean(0))
        return torch.cat(y)


class Renorm(Plain):
    """Batch Renormalization with constant limits, the deviation as running statistic."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, "running_mean", "running_sd")

    def forward(self, x: Tensor) -> Tensor:
        """Algorithm 1 of the paper."""
        dims = self.dims(x)
        mean = x.mean(dims, keepdim=True)
        sd = (x.var(dims, correction=0, keepdim=True) + self.eps).sqrt()
        mu, running = self.along(self.running_mean, x), self.along(self.running_sd, x)
        r = (sd.detach() / running).clamp(1 / 3, 3)
        d = ((mean.detach() - mu) / running).clamp(-5, 5)
        y = self.affine((x - mean) / sd * r + d)
        self.track("running_mean", mean)
        self.track("running_sd", sd)
        return y


class Variance(Plain):
    """Divides by the deviation, leaves the mean."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, "running_var")

    def forward(self, x: Tensor) -> Tensor:
        """Weight * x / sqrt(var + eps) + bias."""
        dims, m = self.dims(x), x.numel() // x.shape[1]
        var = x.var(dims, correction=0, keepdim=True)
        self.track("running_var", var * m / (m - 1))
        return self.affine(x / (var + self.eps).sqrt())


class Lp(Plain):
    """Divides by a p-norm of the uncentred input."""

    p = 1.0

    def __init__(self, channels: int) -> None:
        super().__init__(channels, "running_mean", "running_norm")

    def norm(self, x: Tensor) -> Tensor:
        """mean|x|, root of mean x^2, or max|x|."""
        dims = self.dims(x)
        if self.p == 1:
            return x.abs().mean(dims, keepdim=True) + self.eps
        if self.p == 2:
            return (x.pow(2).mean(dims, keepdim=True) + self.eps).sqrt()
        return x.abs().amax(dims, keepdim=True) + self.eps

    def forward(self, x: Tensor) -> Tensor:
        """Weight * (x - mean) / norm + bias."""
        mean, norm = x.mean(self.dims(x), keepdim=True), self.norm(x)
        self.track("running_mean", mean)
        self.track("running_norm", norm)
        return self.affine((x - mean) / norm)


class L2(Lp):
    """p = 2."""

    p = 2.0


class LInf(Lp):
    """p = inf."""

    p = math.inf


def mix(x: Tensor) -> Tensor:
    """``bnlab.random.mix``, for words of 32 bits held in int64."""
    x = (x ^ (x >> 16)) * 0x7FEB352D & 0xFFFFFFFF
    x = (x ^ (x >> 15)) * 0x846CA68B & 0xFFFFFFFF
    return x ^ (x >> 16)


class Noisy(Plain):
    """BatchNorm of torch, and the noise of ``bnlab.random``: it has to be the same everywhere.

    In torch, so that it runs on any device and can be traced.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, "running_mean", "running_var")
        self.register_buffer("word", torch.tensor(int(random.bits(0, 2000, 1)[0])))
        self.register_buffer("step", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        """S * BatchNorm(x) + m."""
        running = (self.running_mean, self.running_var)
        y = nn.functional.batch_norm(x, *running, self.weight, self.bias, True)
        c, n = x.shape[1], x.numel()
        a = mix(self.step ^ self.word ^ int(random.mix(2000)))
        b = mix(a ^ 0x9E3779B9)
        self.step += 1
        words = mix(mix(torch.arange(2 * c + 2 * n) + a & 0xFFFFFFFF) ^ b)
        u = (words >> 8).double() * 2.0**-24
        mu, sigma, shift, factor = u.split([c, c, n, n])
        radius, angle = factor.chunk(2)
        radius, angle = (-2 * (1 - radius).log()).sqrt(), 2 * math.pi * angle
        factor = torch.cat([radius * angle.cos(), radius * angle.sin()])
        m = 0.1 * (2 * shift.view(x.shape) - 1) + self.along(0.5 * (2 * mu - 1), x)
        s = 0.1 * factor.view(x.shape) + self.along(1 + 0.25 * sigma, x)
        return s.to(x.dtype) * y + m.to(x.dtype)


class RMS(Plain):
    """Divides by the root mean square of all channels and positions, by torch's function."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.bias = None

    def forward(self, x: Tensor) -> Tensor:
        """Weight * x / sqrt(mean x^2 + eps)."""
        scaled = nn.functional.rms_norm(x, x.shape[1:], None, self.eps)
        return self.along(self.weight, x) * scaled


class FilterResponse(Plain):
    """Filter Response Normalization with its thresholded linear unit."""

    def __init__(self, channels: int, learnable_eps: bool = False) -> None:
        super().__init__(channels, eps=1e-6)
        self.tau = nn.Parameter(torch.zeros(channels))
        self.learned = nn.Parameter(torch.tensor(1e-4)) if learnable_eps else None

    def forward(self, x: Tensor) -> Tensor:
        """Max(weight * x / sqrt(nu2 + eps) + bias, tau)."""
        nu2 = x.pow(2) if x.dim() == 2 else x.pow(2).mean((2, 3), keepdim=True)
        eps = self.eps if self.learned is None else self.eps + self.learned.abs()
        return torch.max(self.affine(x / (nu2 + eps).sqrt()), self.along(self.tau, x))


class EvoB0(Plain):
    """EvoNorm-B0."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, "running_var")
        self.v = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Weight * x / max(batch deviation, v * x + instance deviation) + bias."""
        var = x.var(self.dims(x), correction=0, keepdim=True)
        self.track("running_var", var)
        instance = torch.zeros(()) if x.dim() == 2 else x.var((2, 3), correction=0, keepdim=True)
        right = self.along(self.v, x) * x + (instance + self.eps).sqrt()
        return self.affine(x / torch.max((var + self.eps).sqrt(), right))


class EvoS0(Plain):
    """EvoNorm-S0."""

    def __init__(self, channels: int, group_size: int) -> None:
        super().__init__(channels)
        self.group_size = group_size
        self.v = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Weight * x * sigmoid(v * x) / group deviation + bias."""
        groups = x.view(x.shape[0], -1, self.group_size, *x.shape[2:])
        dims = tuple(range(2, groups.dim()))
        deviation = (groups.var(dims, correction=0, keepdim=True) + self.eps).sqrt()
        deviation = deviation.expand_as(groups).reshape(x.shape)
        return self.affine(x * torch.sigmoid(self.along(self.v, x) * x) / deviation)


PLAIN: dict[str, type[Plain]] = {
    "ghost_batch": Ghost,
    "batch_renorm": Renorm,
    "variance": Variance,
    "l1_batch": Lp,
    "l2_batch": L2,
    "linf_batch": LInf,
    "noisy_batch": Noisy,
    "rms": RMS,
    "filter_response": FilterResponse,
    "evonorm_b0": EvoB0,
    "evonorm_s0": EvoS0,
}
