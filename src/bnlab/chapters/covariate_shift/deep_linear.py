"""The deep linear net of Santurkar 2018, with and without BatchNorm, for S3.

The paper's: 25 square layers of width 10, a thousand Gaussian inputs, a random linear target, all
data in every batch. Not said there: how the weights start (here Gaussian with variance 1/width),
whether the loss is a sum or a mean (here half the squared error, mean over the samples), and
whether the last layer is normalized too (here it is, unless one asks for a bare end).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.measure import measure_covariate_shift
from bnlab.norms import make_norm

LAYERS, WIDTH, SAMPLES = 25, 10, 1000
STEPS, EVERY = 500, 100
GROWTH = 1000.0  # a net whose loss grew by more has diverged


def make(norm: str, seed: int) -> tuple[nn.Sequential, Tensor, Tensor]:
    """Net, inputs and targets, in float64. They depend on the seed alone."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    x, target = normal(SAMPLES, WIDTH), normal(WIDTH, WIDTH)
    layers: list[nn.Module] = []
    for _ in range(LAYERS):
        linear = nn.Linear(WIDTH, WIDTH, bias=False)
        linear.weight = nn.Parameter(normal(WIDTH, WIDTH) / math.sqrt(WIDTH))
        layers.append(linear)
        if norm != "none":
            layers.append(make_norm(norm, WIDTH, native=True))
    return nn.Sequential(*layers).double(), x, x @ target.T


def loss(output: Tensor, target: Tensor) -> Tensor:
    """Half the squared error of a sample, mean over the samples."""
    return (output - target).square().sum(1).mean() / 2


def shift(norm: str, lr: float, seed: int, bare_end: bool = False) -> np.ndarray | None:
    """Train by gradient descent and measure the covariate shift of five steps.

    Args:
        norm: after each layer.
        lr: learning rate.
        seed: of the weights and the data.
        bare_end: no normalizer after the last layer.

    Returns:
        Distance, cosine and size of the gradient before, for each layer but the first: medians
        over the looks, (3, layers). None if the net diverged before the first look.
    """
    net, x, y = make(norm, seed)
    net = net[:-1] if bare_end else net
    parameters, looks, limit = list(net.parameters()), [], math.inf
    for step in range(STEPS):
        value = loss(net(x), y)
        if not value.item() <= limit:
            break
        limit = limit if step else GROWTH * value.item()
        if step % EVERY == EVERY // 2:
            found = measure_covariate_shift(net, loss, x, y, lr, mode="train")
            looks.append((found.l2[1:], found.cosine[1:], found.before[1:]))
            value = loss(net(x), y)  # the measurement moved the weights, and put them back
        slopes = torch.autograd.grad(value, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, slopes, alpha=-lr)
    return np.median(looks, axis=0) if looks else None
