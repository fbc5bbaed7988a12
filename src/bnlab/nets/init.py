"""Initial weights from the counter-based generator: the same bits in Python and JavaScript."""

from __future__ import annotations

import math

import torch
from torch import nn

from bnlab import random


def initialize(net: nn.Module, seed: int) -> None:
    """Set all weights of ``net`` in place: He-uniform matrices and kernels, zero biases.

    Weights are uniform in (-b, b), b = sqrt(6 / fan_in), which has the variance 2 / fan_in of
    He et al. 2015 (arXiv 1502.01852, equation 10). The last matrix, which no ReLU follows, has
    variance 1 / fan_in. Matrix number k draws from stream WEIGHTS + k: nets that differ only in
    their normalizers start from the same weights, so that seeds pair them.

    Args:
        net: a module whose parameters of two or more axes are weights, in order of depth.
        seed: which weights.
    """
    with torch.no_grad():
        weights = [p for p in net.parameters() if p.ndim >= 2]
        for k, weight in enumerate(weights):
            gain = 3.0 if k == len(weights) - 1 else 6.0
            bound = math.sqrt(gain / weight[0].numel())
            numbers = random.uniform(seed, random.WEIGHTS + k, weight.numel())
            values = torch.from_numpy((2 * numbers - 1) * bound)
            weight.copy_(values.reshape(weight.shape))
        for module in net.modules():
            if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
                module.bias.zero_()
