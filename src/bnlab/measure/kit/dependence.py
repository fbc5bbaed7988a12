"""Whether a sample's output depends on the other samples of its batch, and on the mode."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnlab.measure.kit.untouched import untouched


@dataclass(frozen=True)
class Dependence:
    """How far one sample's output moves when only its surroundings change.

    Attributes:
        train: largest change of an output of the first sample, in training mode, when all other
            samples of the batch are replaced.
        eval: the same in evaluation mode.
        modes: largest difference between training and evaluation mode on the same batch, both from
            the same running statistics.
    """

    train: float
    eval: float
    modes: float


@torch.no_grad()
def measure_dependence(net: nn.Module, x: Tensor, others: Tensor) -> Dependence:
    """Replace the company of a sample, then the mode, and see what its output does.

    Both calls of a mode start from the same buffers, so that noise of a given step is the same and
    no running statistic has moved between them. The net is as before afterwards.

    Args:
        net: any module whose output has one row a sample.
        x: a batch of two samples or more, (N, ...).
        others: as many other samples, of the same shape.

    Raises:
        ValueError: for batches of different shapes, or of a single sample.

    Example:
        >>> from bnlab.norms import make_norm
        >>> x = torch.tensor([[1.0], [3.0]])
        >>> measure_dependence(make_norm("batch", 1, eps=0.0), x, -x)
        Dependence(train=2.0, eval=0.0, modes=2.0)
    """
    if x.shape != others.shape or len(x) < 2:
        raise ValueError(
            "x and others must have one shape and two samples or more, got "
            f"{tuple(x.shape)} and {tuple(others.shape)}."
        )
    mixed = torch.cat([x[:1], others[1:]])

    def outputs(training: bool, batch: Tensor) -> Tensor:
        with untouched(net):
            return net.train(training)(batch)

    def largest(a: Tensor, b: Tensor) -> float:
        return float((a - b).abs().max())

    train, evaluated = outputs(True, x), outputs(False, x)
    return Dependence(
        train=largest(train[0], outputs(True, mixed)[0]),
        eval=largest(evaluated[0], outputs(False, mixed)[0]),
        modes=largest(train, evaluated),
    )
