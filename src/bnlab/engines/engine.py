"""What an engine is, and what all engines share.

An engine trains the net of one Run. Whoever holds one need not ask which: each gives the same
records, the net with the weights of now, and loss, accuracy and gradient of any batch. To write
another one, give it the attributes and the first methods of ``Engine``; ``steps`` and what it
stands on come with it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

import bnlab
from bnlab.data import Dataset
from bnlab.runs.evaluate import evaluate
from bnlab.runs.history import DIVERGED, History, Step
from bnlab.runs.run import Run

Array = np.ndarray | Tensor


class Engine(Protocol):
    """One net in training.

    Attributes:
        engine: its name, as ``History.engine`` has it.
        run: what is trained.
        data: of the Run, with its wrong labels.
        device: where it computes.
        batches: numbers of the training images (B,) of each step; an engine trains once.
        batch_dependent: whether the net uses statistics of the batch.
        versions: what the numbers depend on beside bnlab, torch and numpy.
        net: the net in PyTorch with the weights and the statistics of now, the same module each
            time. It is there to be read: an engine that computes elsewhere takes no notice of
            what is changed in it, and overwrites that after the next update.
        room: how many steps the next block may have.
    """

    engine: ClassVar[str]
    run: Run
    data: Dataset
    device: torch.device
    batches: Iterator[np.ndarray]
    batch_dependent: bool
    versions: dict[str, str]
    net: nn.Module
    room: int

    def part(self, name: str) -> tuple[Array, Array]:
        """Images and labels of ``train``, ``val`` or ``test``, ready for ``evaluate``."""
        ...

    def batch(self, numbers: np.ndarray, step: int) -> tuple[Array, Array]:
        """Images, augmented as the Run says, and labels of a batch, ready for ``evaluate``.

        Args:
            numbers: which training images, (B,).
            step: for which step, from 1.
        """
        ...

    def update(self, numbers: np.ndarray, step: int) -> tuple[float, float]:
        """One step of gradient descent on a batch; its loss and accuracy before that."""
        ...

    def block(
        self, batches: Sequence[np.ndarray], step: int, limit: float
    ) -> Sequence[tuple[float, float]]:
        """Some steps of gradient descent, at most ``room``; loss and accuracy before each.

        Args:
            batches: numbers of the images of each step, (B,).
            step: number of the first of them, from 1.
            limit: a loss above it, or one that is not a number, is the last one.
        """
        ...

    def evaluate(self, x: Array, y: Array, batch_statistics: bool = False) -> tuple[float, float]:
        """Loss and accuracy on any images; the net stays as it was.

        Args:
            x: images, (N, C, H, W).
            y: labels, (N,).
            batch_statistics: in training mode, with the statistics of these images as one batch;
                else in evaluation mode.
        """
        ...

    def gradient(self, x: Array, y: Array) -> tuple[float, float, np.ndarray]:
        """Loss, accuracy and gradient (P,) of any batch in training mode.

        The gradient has the order of ``net.named_parameters()``. The running statistics move, as
        in a step; the weights do not.
        """
        ...

    # ---------------------------------------------------- what follows from the methods above

    def look(self, step: int, loss: float, accuracy: float) -> Step:
        """A record with an evaluation on the validation images."""
        x, y = self.part("val")
        _, val = self.evaluate(x, y)
        train_mode = val
        if self.batch_dependent:
            _, train_mode = self.evaluate(x, y, batch_statistics=True)
        return Step(step, loss, accuracy, val, train_mode)

    def loss_now(self, numbers: np.ndarray, step: int = 1) -> float:
        """Loss of a batch with the weights as they are, in training mode; nothing moves."""
        return self.evaluate(*self.batch(numbers, step), batch_statistics=True)[0]

    def test_accuracy(self) -> float:
        """Accuracy on the test images in evaluation mode."""
        return self.evaluate(*self.part("test"))[1]

    def steps(self, looks: bool = True) -> Iterator[Step]:
        """Train; yield a record at step 0 and after each update, the last one if it diverges.

        ``net`` is that of the record where the record has an evaluation, and at the end. Between
        them an engine may be ahead by the steps of a block; who wants to see the net after each
        step calls ``update`` for each of ``batches``.

        Args:
            looks: evaluate on the validation images now and then; that can take longer than the
                training itself.

        Raises:
            RuntimeError: if it has trained already.
        """
        run, done, limit = self.run, 0, math.inf
        self.net.train()
        yield self.look(0, math.nan, math.nan) if looks else Step(0, math.nan, math.nan)
        while numbers := list(islice(self.batches, self._length(done, looks))):
            last = numbers[-1]
            for loss, accuracy in self.block(numbers, done + 1, limit):
                if done == 0:
                    limit = min(DIVERGED * loss, sys.float_info.max)
                done += 1
                if not loss <= limit:
                    # The batch was seen before its update: the updates before it did the damage.
                    yield Step(done - 1, loss, accuracy, diverged=True)
                    return
                is_look = looks and (done % run.eval_every == 0 or done == run.steps)
                yield (self.look if is_look else Step)(done, loss, accuracy)
        if not done:
            raise RuntimeError("this engine has trained already: make another one for the Run.")
        # What the last update did, no later batch has seen.
        after = self.loss_now(last, run.steps)
        if not after <= limit:
            yield Step(run.steps, after, math.nan, diverged=True)

    def _length(self, done: int, looks: bool) -> int:
        """Steps of the next block: a look ends it, and so does the end of the training."""
        # The first step alone: it says what divergence is.
        length = min(self.room if done else 1, self.run.steps - done)
        return min(length, self.run.eval_every - done % self.run.eval_every) if looks else length


def check_defined(net: nn.Module, x: Tensor, y: Tensor) -> None:
    """Let a normalizer that is undefined on the shapes of a net say so now, not on the way.

    Raises:
        ValueError: what the normalizer says about a batch like ``x``.
    """
    evaluate(net, x, y, batch_statistics=True)


def depends_on_batch(net: nn.Module) -> bool:
    """Whether a module of the net uses statistics of the batch in training mode."""
    return any(getattr(module, "uses_batch", False) for module in net.modules())


class Trained(Protocol):
    """What a History tells about its origin; see ``Engine``."""

    engine: ClassVar[str]
    device: torch.device
    versions: dict[str, str]


def history_of(
    run: Run, records: list[Step], test_accuracy: float, seconds: float, trainer: Trained
) -> History:
    """The History of the records that an engine gave for a Run."""
    updates = [r for r in records if not math.isnan(r.accuracy)]
    looks = [r for r in records if r.val_accuracy is not None]
    return History(
        run=run,
        loss=np.array([r.loss for r in updates]),
        accuracy=np.array([r.accuracy for r in updates]),
        step=np.array([r.step for r in looks]),
        val_accuracy=np.array([r.val_accuracy for r in looks]),
        val_accuracy_train_mode=np.array([r.val_accuracy_train_mode for r in looks]),
        test_accuracy=test_accuracy,
        diverged_at=records[-1].step if records[-1].diverged else None,
        seconds=seconds,
        device=str(trainer.device),
        engine=trainer.engine,
        versions={
            **trainer.versions,
            "bnlab": bnlab.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    )
