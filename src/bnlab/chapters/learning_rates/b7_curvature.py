"""B7: noise of the gradient and sharpness of the loss at the weights of a net.

The *sharpness* is the largest eigenvalue of the Hessian. It depends on the scale of the weights,
which BatchNorm makes arbitrary (Dinh et al. 2017, arXiv 1703.04933); so there is a second one, in
which each weight is counted in units of its filter's own size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab import random
from bnlab.measure import Product, curvature_products, extreme_eigenvalues, filter_normalized
from bnlab.runs.losses import LOSSES

LOSS = LOSSES["cross_entropy"]
TOLERANCE = 0.01  # of an eigenvalue, relative


class InOwnUnits(Product):
    """A curvature matrix whose rows and columns are multiplied by units of the weights.

    Args:
        product: with the curvature matrix itself.
        units: one a weight, (P,).
    """

    def __init__(self, product: Product, units: Tensor) -> None:
        self._product, self.units = product, units
        self.size, self.dtype, self.device = product.size, product.dtype, product.device

    def __call__(self, v: Tensor) -> Tensor:
        """Units times the product with units times v."""
        units = self.units.to(v.dtype)
        return (units * self._product(units * v)).to(self.dtype)


def sharpness(net: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Largest eigenvalue of the Hessian on a batch: as it is, and in each filter's own units.

    The unit of a weight is the root of the mean square of its filter, so that the second number
    stays if a filter and its normalizer, or the next layer, undo each other. Biases and the
    weights of normalizers are held there.
    """
    ones = {name: torch.ones_like(p) for name, p in net.named_parameters()}
    units = torch.cat([unit.flatten() for unit in filter_normalized(net, ones).values()])
    with curvature_products(net, LOSS, x, y, mode="train") as product:
        both = (product, InOwnUnits(product, units))
        found = [extreme_eigenvalues(one, 1, 0, tolerance=TOLERANCE).top[0] for one in both]
    return float(found[0]), float(found[1])


def squared_noise(
    net: nn.Module, x: Tensor, y: Tensor, sizes: tuple[int, ...], batches: int, seed: int
) -> list[float]:
    """Mean squared distance of a batch's gradient from that of all images, for each batch size.

    All are gradients in training mode: with BatchNorm the images of a batch depend on each other,
    so the gradient of all images is that of one large batch. The running statistics move.

    Args:
        net: with the weights of interest.
        x: all training images.
        y: their labels.
        sizes: of the batches, whose images are drawn with replacement, as in training.
        batches: how many of each size.
        seed: of the draws.
    """
    net.train()
    whole, found = _gradient(net, x, y), []
    for size in sizes:
        numbers = random.integers(seed, random.PROBES, len(x), batches * size)
        drawn = torch.from_numpy(numbers).reshape(batches, size)
        noise = [(_gradient(net, x[n], y[n]) - whole).square().sum().item() for n in drawn]
        found.append(sum(noise) / batches)
    return found


def _gradient(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    parts = torch.autograd.grad(LOSS(net(x), y), list(net.parameters()))
    return torch.cat([part.flatten() for part in parts])
