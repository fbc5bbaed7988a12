"""Nets without a normalizer that are helped to bear larger rates, many trained side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bnlab.engines.stack import StackTrainer
from bnlab.engines.wide import WideLinear
from bnlab.train import Run, Step, threads


@dataclass(frozen=True)
class Help:
    """What is done to a net so that it bears larger rates; by default nothing.

    Attributes:
        start: factor of the initial weights of all layers but the last.
        last: factor of the initial weights of the last layer.
        warm_up: steps in which the rate rises to its value, in proportion to the step.
        clip: longest gradient; a longer one is shortened to it. None: any length.
    """

    start: float = 1.0
    last: float = 1.0
    warm_up: int = 1
    clip: float | None = None


class HelpedTrainer(StackTrainer):
    """Nets in training side by side, each with a help of its own; see ``StackTrainer``.

    Args:
        runs: that share all but rate and seed, with at least two rates.
        helps: one a Run.
    """

    def __init__(self, runs: Sequence[Run], helps: Sequence[Help]) -> None:
        super().__init__(runs, "cpu")
        layers = [module for module in self.net.modules() if isinstance(module, WideLinear)]
        for name, some in (("start", layers[:-1]), ("last", layers[-1:])):
            factors = torch.tensor([getattr(one, name) for one in helps], dtype=self.dtype)
            for layer in some:
                layer.weight.data.mul_(factors[:, None, None])  # in place: a view of the vector
        self.full_rates = self.rates
        sizes = [p.numel() // len(runs) for p in self.parameters]
        self._each = [torch.arange(len(runs)).repeat_interleave(size) for size in sizes]
        self.warm_up = torch.tensor([one.warm_up for one in helps], dtype=self.dtype)
        self.clip = torch.tensor([one.clip or np.inf for one in helps], dtype=self.dtype)

    def update(self, numbers: np.ndarray, step: int) -> np.ndarray:
        """One step of every net, at the rate that its warm-up has reached; see ``StackTrainer``."""
        share = (step / self.warm_up).clamp(max=1)
        self.rates = self.full_rates * torch.cat([share[each] for each in self._each])
        return super().update(numbers, step)

    @torch.no_grad()
    def _step(self) -> None:
        by_net = [p.grad.reshape(len(self.runs), -1) for p in self.parameters]
        length = sum(gradient.square().sum(1) for gradient in by_net).sqrt()
        factor = (self.clip / length).clamp(max=1)
        for p, each in zip(self.parameters, self._each, strict=True):
            p.grad.mul_(factor[each].view_as(p.grad))
        super()._step()

    def look(self, step: int, losses: np.ndarray, accuracies: np.ndarray) -> list[Step]:
        """A record of each net, without an evaluation: that is for the end."""
        return [Step(step, *row) for row in zip(losses.tolist(), accuracies.tolist(), strict=True)]


@threads(1)
def train_helped(runs: Sequence[Run], helps: Sequence[Help]) -> list[list]:
    """Train a net for each Run and help.

    Returns:
        For each [validation accuracy, test accuracy, training loss, step of divergence or None].
    """
    trainer, ends = HelpedTrainer(runs, helps), [None] * len(runs)
    for records in trainer.steps():
        for k, record in enumerate(records):
            if record and record.diverged and ends[k] is None:
                ends[k] = record.step
    val, test, loss = (trainer.evaluate(part) for part in ("val", "test", "train"))
    return [
        [None, None, None, end]
        if end is not None
        else [
            round(float(val[1, k]), 4),
            round(float(test[1, k]), 4),
            float(f"{loss[0, k]:.4g}"),
            None,
        ]
        for k, end in enumerate(ends)
    ]
