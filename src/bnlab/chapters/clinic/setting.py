"""What the claims T1 to T8 share: the net, the seeds, and steps on the compiled engine.

``PILOTS`` were used to find settings at which the symptoms can be seen within a second, and for the
trial runs that a prediction speaks of; ``TUNING_SEEDS`` choose learning rates. Neither is counted.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.data import batches
from bnlab.engines.compiled.engine import CompiledTrainer
from bnlab.engines.engine import Engine
from bnlab.norms import recompute_statistics
from bnlab.runs.evaluate import evaluate
from bnlab.train import Run, make_trainer, train
from bnlab.verdicts.race import outcome

ENGINE = "compiled"
TUNING_SEEDS = (1430, 1431, 1432)
PILOTS = tuple(range(1430, 1440))
STEPS = 300
BASE = Run(
    net="mlp", depth=4, width=64, norm="batch", batch_size=32, lr=0.1, steps=STEPS, eval_every=STEPS
)
RECOMPUTED_FROM = 64
"""Images a batch when statistics are recomputed."""

PRACTITIONERS = {
    "paper": "practitioners",
    "authors": "Practitioners",
    "chapter": "14_clinic",
}
GAP = (
    "The threads are about many nets, mostly convolutional ones on photographs. We train a "
    "perceptron of {depth} layers of 64 units on 1,197 digits for {steps} steps: small enough to "
    "be trained again in the page, and too small to speak for every net."
)


def stepped(run: Run, engine: str = ENGINE) -> Iterator[Engine]:
    """Train a Run; the engine before the first update and after each.

    Raises:
        RuntimeError: if the loss is not finite: settings of these claims do not diverge.
    """
    trainer = make_trainer(run, engine, "cpu")
    trainer.net.train()
    yield trainer
    yield from updated(trainer, trainer.batches)


def updated(trainer: Engine, numbers_of_steps: Iterator[np.ndarray]) -> Iterator[Engine]:
    """The engine after an update with each of these batches."""
    for step, numbers in enumerate(numbers_of_steps, 1):
        loss, _ = trainer.update(numbers, step)
        if not math.isfinite(loss):
            raise RuntimeError(f"step {step} of seed {trainer.run.seed} has the loss {loss}.")
        yield trainer


def trained(run: Run, engine: str = ENGINE) -> Engine:
    """The engine at the end of a Run."""
    *_, trainer = stepped(run, engine)
    return trainer


@functools.singledispatch
def start_from(trainer: Engine, state: dict[str, Tensor]) -> None:
    """Give a training that has not begun the weights and statistics of another net."""
    trainer.net.load_state_dict(state)


@start_from.register
def _(trainer: CompiledTrainer, state: dict[str, Tensor]) -> None:
    trainer.net.load_state_dict(state)
    trainer.heap.write_state(trainer.net)


def tensors(trainer: Engine, part: str) -> tuple[Tensor, Tensor]:
    """Images and labels of a part of the data."""
    x, y = (getattr(trainer.data, f"{part}_{name}") for name in "xy")
    return torch.tensor(x, dtype=getattr(torch, trainer.run.precision)), torch.tensor(y)


def accuracy(net: nn.Module, x: Tensor, y: Tensor, batch_statistics: bool = False) -> float:
    """Accuracy in evaluation mode, or in training mode on these images as one batch."""
    return round(evaluate(net, x, y, batch_statistics)[1], 4)


def recomputed(net: nn.Module, images: Tensor) -> nn.Module:
    """A copy of the net whose running statistics are those of the training images."""
    net = copy.deepcopy(net)
    recompute_statistics(net, images.split(RECOMPUTED_FROM))
    return net


def batches_of(
    labels: np.ndarray, classes: Sequence[int], seed: int, size: int, steps: int
) -> Iterator[np.ndarray]:
    """Numbers of images of these classes for each step, drawn as ``iid`` draws from all."""
    members = np.flatnonzero(np.isin(labels, classes))
    return (members[numbers] for numbers in batches(labels[members], "iid", seed, size, steps))


def train_one(run: Run) -> list:
    """What became of a training on the compiled engine: see ``bnlab.verdicts.race.outcome``."""
    return outcome(train(run, ENGINE, "cpu"))
