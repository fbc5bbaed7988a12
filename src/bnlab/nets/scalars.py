"""Learnable scalars: what residual nets without normalizers have instead of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """y = scale * x, one learnable number that starts at ``initial``; any shape."""

    def __init__(self, initial: float = 1.0) -> None:
        super().__init__()
        self.initial = initial
        self.scale = nn.Parameter(torch.tensor(float(initial)))

    def forward(self, x: Tensor) -> Tensor:
        """Scale ``x``."""
        return self.scale * x

    def extra_repr(self) -> str:
        """The number that the scale starts at."""
        return f"initial={self.initial:g}"


class Shift(nn.Module):
    """y = x + shift, one learnable number that starts at 0; any shape."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: Tensor) -> Tensor:
        """Shift ``x``."""
        return x + self.shift
