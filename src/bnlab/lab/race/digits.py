"""What a net in training sees: the digits that it guesses in a few images."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import torch

from bnlab.data import digits
from bnlab.engines.eager import Trainer
from bnlab.lab.race.units import with_units

LEVELS = "0123456789abcdefg"
"""A pixel of 0 to 16 as one letter."""


@functools.cache
def seen() -> dict[str, list]:
    """The first validation image of each digit: number, label, pixels row by row (``LEVELS``)."""
    data = digits()
    numbers = [int(np.flatnonzero(data.val_y == digit)[0]) for digit in range(10)]
    levels = np.rint(6 * data.val_x[numbers] + 5).astype(int).reshape(len(numbers), -1)
    images = ["".join(LEVELS[level] for level in image) for image in levels]
    return {"numbers": numbers, "labels": data.val_y[numbers].tolist(), "images": images}


def guesses(trainer: Trainer) -> list[int | None]:
    """The digit that a net sees in each image, in evaluation mode; None for no number."""
    images, _ = trainer.part("val")
    was_training = trainer.net.training
    trainer.net.eval()
    with torch.no_grad():
        outputs = trainer.net(images[seen()["numbers"]])
    trainer.net.train(was_training)
    finite = outputs.isfinite().all(1).tolist()
    return [
        digit if is_finite else None
        for digit, is_finite in zip(outputs.argmax(1).tolist(), finite, strict=True)
    ]


def with_looks(trainer: Trainer, every: int | None = None) -> Iterator[tuple]:
    """Train; each record with what is known of units (see ``with_units``) and the guesses.

    Guesses come with each evaluation; units every so many steps, never if that is None.
    """
    records = with_units(trainer, every) if every else ((r, None) for r in trainer.steps())
    for record, units in records:
        is_due = record.val_accuracy is not None and not record.diverged
        yield record, units, guesses(trainer) if is_due else None
