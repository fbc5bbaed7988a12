"""What one gradient step does to the loss: Bjorck's relative loss, over steps and batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from bnlab.arguments import checked
from bnlab.measure.kit.coverage import Coverage, by_gradient
from bnlab.measure.kit.loss import Loss
from bnlab.measure.landscape.probe import as_array, check_steps, probing
from bnlab.runs.history import DIVERGED

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


@dataclass(frozen=True, eq=False)
class RelativeLoss(Coverage):
    """Loss after a gradient step over the loss before it, for many step lengths and batches.

    Attributes:
        steps: s, lengths in units of the learning rate, (S,).
        before: loss of each batch at w, (B,).
        relative: L_b(w - s grad L_b(w)) / L_b(w), (B, S); inf where it is not finite.
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    steps: np.ndarray
    before: np.ndarray
    relative: np.ndarray
    mode: str

    @property
    def best_step(self) -> np.ndarray:
        """The step with the smallest loss, for each batch, (B,)."""
        return self.steps[self.relative.argmin(1)]

    @property
    def diverged(self) -> np.ndarray:
        """Where the loss after the step is beyond 10^3 times that before it, (B, S)."""
        return self.relative > DIVERGED

    def plot(self, name: str = "this net") -> Drawing:
        """A heat map: batches by step lengths."""
        from bnlab.measure.landscape.heat_map_figure import relative_losses

        return relative_losses(self, name)


@checked
def measure_relative_loss(
    net: nn.Module,
    loss: Loss,
    batches: Sequence[tuple[object, object]],
    steps: object,
    mode: str | None = None,
) -> RelativeLoss:
    r"""Measure L(w - s g) / L(w) for each batch and step s, g the gradient on the same batch.

    Below 1 the step helps; beyond 10^3 it diverges. The noise of all evaluations is the same, and
    the net stays as it was.

    Source: Bjorck et al. 2018, arXiv 1806.02375, the figure of the relative loss over the step
    size, on several batches at the start of the training.

    Args:
        net: any module whose output ``loss`` takes.
        loss: from output and target to a positive tensor of shape ().
        batches: pairs of inputs and targets, at least one.
        steps: lengths, positive, (S,).
        mode: ``train`` (statistics of the batch) or ``eval``, for all parts of the net; None: each
            module in the mode that it has.

    Raises:
        ValueError: as ``measure_landscape``; for no batches or a loss that is not positive.
    """
    lengths = check_steps("steps", steps)
    before, relative = [], []
    with probing(net, loss, mode) as probe:
        for x, y in batches:
            here, slopes, _ = probe.start(x, y)
            if not here > 0:
                raise ValueError(f"a relative loss needs a positive one, got {float(here)}.")
            before.append(here)
            for step in lengths:
                probe.move((-step, slopes))
                relative.append(probe.loss(x, y).double() / here.double())
    if not before:
        raise ValueError("batches must hold at least one pair of inputs and targets.")
    found = as_array(relative).reshape(len(before), len(lengths))
    return RelativeLoss(lengths, as_array(before), found, probe.mode, **by_gradient(net))
