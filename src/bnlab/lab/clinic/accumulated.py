"""Training on gradients that are accumulated over parts of each batch, on any engine."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch

from bnlab.engines.compiled.engine import CompiledTrainer
from bnlab.engines.engine import Array
from bnlab.train import Engine


class Accumulated(Engine):
    """A net in training: a step of its optimizer takes the mean gradient of parts of the batch.

    Args:
        base: the engine that does the forward and backward passes, and the step.
        parts: how many parts of equal size a batch has.
    """

    room = 1

    def __init__(self, base: Engine, parts: int) -> None:
        self.base, self.parts = base, parts
        for name in ("engine", "run", "data", "device", "batches", "batch_dependent", "versions"):
            setattr(self, name, getattr(base, name))

    @property
    def net(self) -> torch.nn.Module:
        """The net of the base."""
        return self.base.net

    def part(self, name: str) -> tuple[Array, Array]:
        """Images and labels of a part of the data; see ``Engine``."""
        return self.base.part(name)

    def batch(self, numbers: np.ndarray, step: int) -> tuple[Array, Array]:
        """Images and labels of a batch; see ``Engine``."""
        return self.base.batch(numbers, step)

    def evaluate(self, x: Array, y: Array, batch_statistics: bool = False) -> tuple[float, float]:
        """Loss and accuracy on any images, not in parts; see ``Engine``."""
        return self.base.evaluate(x, y, batch_statistics)

    def loss_now(self, numbers: np.ndarray, step: int = 1) -> float:
        """Mean loss of the parts of a batch with the weights as they are; see ``Engine``."""
        return np.mean([self.base.loss_now(part, step) for part in self._split(numbers)]).item()

    def update(self, numbers: np.ndarray, step: int) -> tuple[float, float]:
        """One step of gradient descent; mean loss and accuracy of the parts before that."""
        parts = [self.base.gradient(*self.batch(part, step)) for part in self._split(numbers)]
        losses, accuracies, gradients = zip(*parts, strict=True)
        # Sums in float64, one part after the other: the same bits in a page.
        move(self.base, np.mean(gradients, axis=0, dtype=np.float64))
        return tuple(np.mean([losses, accuracies], axis=1).tolist())

    def block(
        self, batches: Sequence[np.ndarray], step: int, limit: float
    ) -> list[tuple[float, float]]:
        """One step, see ``Engine``."""
        (numbers,) = batches
        return [self.update(numbers, step)]

    def _split(self, numbers: np.ndarray) -> list[np.ndarray]:
        return np.split(numbers, self.parts)


@functools.singledispatch
def move(trainer: Engine, gradient: np.ndarray) -> None:
    """One step of the optimizer of an engine with this gradient (P,)."""
    parameters = list(trainer.net.parameters())
    ends = np.cumsum([parameter.numel() for parameter in parameters])[:-1]
    for parameter, part in zip(parameters, np.split(gradient, ends), strict=True):
        parameter.grad = torch.from_numpy(part).to(parameter).view_as(parameter)
    trainer.optimizer.step()


@move.register
def _(trainer: CompiledTrainer, gradient: np.ndarray) -> None:
    trainer.heap.write("gradient", gradient)
    trainer.heap.run("update", len(gradient))
    trainer.is_ahead, trainer.is_fresh = True, False
