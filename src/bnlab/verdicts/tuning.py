"""What measurements share that choose a learning rate: who chooses, what is best, what is usable.

Tuning seeds choose learning rates, on validation images, and nothing else; other seeds are counted.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from bnlab.train import Run
from bnlab.verdicts.table import Table
from bnlab.verdicts.ties import first_best, largest_usable

CLASSES = 10
CHANCE = 1 / CLASSES
"""Score of a net that diverged: one class in ten."""

GUESS = math.log(CLASSES)
"""Loss of a guess among ten classes. A step counts at most this: else one spike would decide."""

USABLE = 0.05
"""A rate is usable if its accuracy is this close to the best of the same seed."""


def check_seeds(seeds: Sequence[int], tuning_seeds: Sequence[int]) -> None:
    """Raise a ``ValueError`` if a seed that is to be counted has chosen the learning rates."""
    both = set(seeds) & set(tuning_seeds)
    if both:
        raise ValueError(f"seeds {sorted(both)} chose the learning rates; count other seeds.")


def check_same_run(tuning: Mapping, base: Run) -> None:
    """Raise a ``ValueError`` if an earlier measurement chose its rates for another Run."""
    if Run.from_dict(tuning["base"]) != base:
        raise ValueError(
            "the earlier measurement was made with another Run; leave 'tuning' out, so that the "
            "learning rates are chosen anew."
        )


def scores(table: Table, name: str, **along: Collection) -> np.ndarray:
    """A column of accuracies, see ``Table.column``, in which a net that diverged scores chance."""
    pairs = zip(table.entries(name, **along), table.entries("diverged_at", **along), strict=True)
    found = [score if diverged_at is None else CHANCE for score, diverged_at in pairs]
    return np.array(found).reshape([len(values) for values in along.values()] or len(found))


def best_rate(rates: Sequence[float], scores: np.ndarray) -> float:
    """The learning rate with the highest mean score over the tuning seeds; of equal ones the first.

    Args:
        rates: in rising order.
        scores: of validation, (rates, tuning seeds).
    """
    return rates[first_best(np.mean(scores, axis=1))]


def usable_rates(rates: Sequence[float], scores: np.ndarray, loss: float = USABLE) -> np.ndarray:
    """For each seed the largest rate at which the net is nearly as good as at its best, (seeds,).

    Args:
        rates: in rising order.
        scores: of validation, (rates, seeds).
        loss: what a usable rate may lose against the best of the same seed, itself included.
    """
    return largest_usable(rates, scores, loss)


def mean_loss(losses: np.ndarray | Sequence[float], steps: int) -> float:
    """Mean training loss over the run; what a net that diverged leaves out counts as a guess."""
    counted = np.full(steps, GUESS)
    counted[: len(losses)] = np.minimum(losses, GUESS)
    return float(f"{counted.mean():.5g}")
