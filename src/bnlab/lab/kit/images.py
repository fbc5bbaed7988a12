"""The batch on which the widgets look at untrained nets."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from bnlab.data import digits

IMAGES = 64


@functools.lru_cache(maxsize=1)
def batch() -> tuple[Tensor, Tensor]:
    """The first ``IMAGES`` training images of the digits, and their labels."""
    data = digits()
    return torch.tensor(data.train_x[:IMAGES]), torch.tensor(data.train_y[:IMAGES])
