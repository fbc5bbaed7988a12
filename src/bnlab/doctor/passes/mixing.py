"""Samples that see each other: does a sample's output depend on the others in its batch?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnlab.doctor.inputs import Batch, tensors_in
from bnlab.measure.kit.forward_state import ForwardState

TINY = 1e-30


@dataclass(frozen=True)
class Mixing:
    """How much the first sample's output depends on the other samples, in training mode.

    Attributes:
        share: gradient of a random projection of that output with respect to all other samples,
            over that with respect to its own; for inputs that have no gradient, how far the output
            moves, over its size, when all others become copies of it. None if it cannot be told.
        by: ``gradient`` or ``replacement``.
        why: if it cannot be told, why.
    """

    share: float | None
    by: str = "gradient"
    why: str = ""


def measure_mixing(model: nn.Module, batch: Batch) -> Mixing:
    """Differentiate one sample's output by the other samples, in the modes of now."""
    if batch.samples < 2:
        return Mixing(None, why="one sample has no others to see; give a batch of two or more.")
    start = ForwardState(model)
    leaves: list[Tensor] = []

    def leaf(x: Tensor) -> Tensor:
        if not x.is_floating_point():
            return x
        leaves.append(x.detach().clone().requires_grad_())
        return leaves[-1].clone()  # the model may write into it

    with torch.enable_grad():
        output = _rows(batch.mapped(leaf).call(model), batch.samples)
        if output is None:
            return Mixing(None, why="no output of the model has one row a sample.")
        share = _by_gradient(output, leaves)
    if share is not None:
        return Mixing(share)
    start.restore()
    with torch.no_grad():
        moved = _rows(batch.mapped(lambda x: x[:1].expand_as(x)).call(model), batch.samples)
    change = float((moved[0] - output[0]).detach().abs().max())
    return Mixing(change / max(float(output[0].detach().abs().max()), TINY), "replacement")


def _by_gradient(output: Tensor, leaves: list[Tensor]) -> float | None:
    """Gradients by the other samples over that by the own; None where there is no gradient."""
    if not leaves or not output.requires_grad:
        return None
    weights = torch.randn(output[0].shape, generator=torch.Generator().manual_seed(0))
    projected = (output[0] * weights.to(output)).sum()
    slopes = torch.autograd.grad(projected, leaves, allow_unused=True)
    slopes = [slope.double().square() for slope in slopes if slope is not None]
    own = sum(float(slope[0].sum()) for slope in slopes)
    others = sum(float(slope[1:].sum()) for slope in slopes)
    return (others / max(own, TINY)) ** 0.5 if own + others else None


def _rows(output: object, samples: int) -> Tensor | None:
    for tensor in tensors_in(output):
        if tensor.is_floating_point() and tensor.ndim and len(tensor) == samples:
            return tensor
    return None
