"""Layers of every kind, and their filters found by looking at which weights an output reads."""

import numpy as np
import torch
from torch import nn

LAYERS = {
    "linear": (lambda: nn.Linear(5, 3), (5,)),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, groups=2), (4, 5)),
    "conv2d": (lambda: nn.Conv2d(2, 3, (3, 2)), (2, 4, 4)),
    "depthwise": (lambda: nn.Conv2d(3, 6, 2, groups=3), (3, 3, 3)),
    "conv3d": (lambda: nn.Conv3d(2, 2, 2), (2, 2, 3, 2)),
    "transposed1d": (lambda: nn.ConvTranspose1d(2, 5, 2), (2, 3)),
    "transposed2d": (lambda: nn.ConvTranspose2d(4, 6, (2, 3), stride=2, groups=2), (4, 2, 2)),
    "transposed3d": (lambda: nn.ConvTranspose3d(3, 3, 2, groups=3), (3, 2, 2, 2)),
}


def layer_and_input(kind: str, dtype=torch.float64, seed: int = 0):
    """A layer with weights that are exact in float32, of mean 0.3, and an input of 2 samples."""
    make, shape = LAYERS[kind]
    rng = np.random.default_rng(seed)
    layer = make().to(dtype)
    with torch.no_grad():
        for p in layer.parameters():
            numbers = (rng.normal(size=p.shape) + 0.3).astype(np.float32)
            p.copy_(torch.from_numpy(numbers))
    x = torch.from_numpy(rng.normal(size=(2, *shape)).astype(np.float32)).to(dtype)
    return layer, x


def filters(kind: str) -> list[np.ndarray]:
    """For each output unit, the places in ``weight.ravel()`` that it reads, by its gradient.

    On an input of ones no gradient of an output unit for a weight that it reads is zero.
    """
    layer, x = layer_and_input(kind)
    y = layer(torch.ones_like(x))
    places = []
    for unit in range(y.shape[1]):
        (grad,) = torch.autograd.grad(y[:, unit].sum(), layer.weight, retain_graph=True)
        places.append(np.flatnonzero(grad.ravel().numpy()))
    return places
