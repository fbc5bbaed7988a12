"""Dropout with numbers of the package's own generator, and what else in a net draws some."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab.arguments import checked, require
from bnlab.norms import NoisyBatchNorm
from bnlab.norms.noise import key_of, uniform
from bnlab.random import NOISE


class Dropout(nn.Module):
    """Sets each number to 0 with probability ``p`` and divides the others by 1 - p.

    Evaluation mode leaves the input alone, as ``torch.nn.Dropout`` does: the mean is the same in
    both modes, the variance is not. The numbers come from ``bnlab.random``: the same seed, layer
    and step leave out the same numbers on every machine and engine.

    Source: Srivastava et al. 2014, Journal of Machine Learning Research 15, section 10 (the factor
    in training mode).

    Args:
        p: share of the numbers that are left out, 0 or more and less than 1.

    Shape:
        Any, in and out. ``noise_step`` counts the steps, ``noise_key`` holds what seed and layer
        come to.

    Raises:
        ValueError: for a ``p`` out of range.
    """

    @checked
    def __init__(self, p: float) -> None:
        super().__init__()
        require(0 <= p < 1, f"dropout must be 0 or more and less than 1, got {p}.")
        self.p = float(p)
        self.register_buffer("noise_key", key_of(0, NOISE))
        self.register_buffer("noise_step", torch.tensor(0))

    def place(self, layer: int, seed: int) -> None:
        """Say where this layer is: number ``layer`` of those that draw, in a net with this seed."""
        self.noise_key = key_of(seed % 2**32, NOISE + layer).to(self.noise_key.device)

    def forward(self, x: Tensor) -> Tensor:
        """Leave some numbers out, others at each step; nothing in evaluation mode."""
        if not self.training:
            return x
        u = uniform(self.noise_key, self.noise_step, x.numel())
        self.noise_step = self.noise_step + 1
        # In float64, where p has the same digits in every engine.
        is_kept = (u.double() >= self.p).reshape(x.shape)
        return x * (is_kept.to(x.dtype) * (1 / (1 - self.p)))

    def extra_repr(self) -> str:
        """The argument, as torch's own layer prints it."""
        return f"p={self.p}"


def drawing(net: nn.Module) -> dict[str, nn.Module]:
    """The modules of a net that draw numbers at each step, by name, in the order of their layer."""
    return {n: m for n, m in net.named_modules() if isinstance(m, NoisyBatchNorm | Dropout)}
