"""Initial weights from the counter-based generator: the same bits in Python and JavaScript."""

from __future__ import annotations

import math

import torch
from torch import nn

from bnlab import random
from bnlab.arguments import checked
from bnlab.nets.dropout import drawing


@checked
def initialize(net: nn.Module, seed: int) -> None:
    """Set all weights of ``net`` in place: He-uniform matrices and kernels, zero biases.

    Weights are uniform in (-b, b), b = sqrt(6 / fan_in), which has the variance 2 / fan_in of
    He et al. 2015 (arXiv 1502.01852, equation 10). The last matrix, which no ReLU follows, has
    variance 1 / fan_in. Matrix number k draws from stream WEIGHTS + k: nets that differ only in
    their normalizers start from the same weights, so that seeds pair them. A net whose method asks
    for other weights, such as Fixup, derives them from these in its ``after_initialize()``.
    The noise of ``noisy_batch`` and of dropout follows the seed too, another one in each layer.

    Args:
        net: a module whose linear and convolutional layers stand in order of depth.
        seed: which weights.
    """
    with torch.no_grad():
        layers = [m for m in net.modules() if getattr(m, "weight", None) is not None]
        layers = [layer for layer in layers if layer.weight.ndim >= 2]
        for k, layer in enumerate(layers):
            weight, last = layer.weight, k == len(layers) - 1
            bound = math.sqrt((3.0 if last else 6.0) / weight[0].numel())
            numbers = random.uniform(seed, random.WEIGHTS + k, weight.numel())
            values = torch.from_numpy((2 * numbers - 1) * bound)
            weight.copy_(values.reshape(weight.shape))
            if getattr(layer, "bias", None) is not None:
                layer.bias.zero_()
    for layer, module in enumerate(drawing(net).values()):
        module.place(layer, seed)
    if hasattr(net, "after_initialize"):
        net.after_initialize()
