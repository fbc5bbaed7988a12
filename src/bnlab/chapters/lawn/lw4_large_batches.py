"""LW4 of Gupta 2021: what SGD and Adam gain by LAWN in full batches and in batches of 32.

Over the same number of epochs, each at its own rate and free phase. In a first measurement Adam's
best rate with batches of 32 lay at the lower edge of its grid; there the grid now begins lower.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnlab.chapters.lawn.gains import OPTIMIZERS, lead, measured, told
from bnlab.chapters.lawn.methods import ALONE, AMOUNTS, IMAGES, LAWN, Method
from bnlab.chapters.lawn.methods import BASE as FULL
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(924, 940))
EPOCHS = 100
BATCH = 32
SIZES = {"full": IMAGES, "small": BATCH}
BASE = FULL.replace(steps=EPOCHS, eval_every=EPOCHS // 20)
LOWER = (0.00001, 0.00003)


class Lower(Method):
    """A method whose grid begins with the rates in ``LOWER``."""

    @property
    def grid(self) -> list[tuple[float, float]]:
        """Rates and amounts among which it chooses."""
        return [*itertools.product(LOWER, AMOUNTS[self.how]), *super().grid]


def method(optimizer: str, how: str, batch_size: int) -> Method:
    """The method with the grid from which it chooses here."""
    is_lower = (optimizer, batch_size) == ("adam", BATCH)
    return (Lower if is_lower else Method)(optimizer, how, batch_size)


METHODS = [
    method(name, how, size)
    for name in OPTIMIZERS
    for how in (ALONE, LAWN)
    for size in SIZES.values()
]


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Train SGD and Adam with LAWN and without, in both batch sizes.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose choices are taken over.
        base: what all trainings share, with full batches: its steps are epochs.
    """
    return measured(seeds, METHODS, work, tuning, base)


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def gain(data: dict, optimizer: str, batch_size: int) -> np.ndarray:
    """Test accuracy with LAWN minus that without, each at its own best place, (seeds,)."""
    return lead(data, *(method(optimizer, how, batch_size) for how in (LAWN, ALONE)))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of LW4, one number a seed."""
    full, small = ({name: gain(data, name, size) for name in OPTIMIZERS} for size in SIZES.values())
    return {
        **{f"full_{name}": full[name] for name in OPTIMIZERS},
        **{f"more_{name}": full[name] - small[name] for name in OPTIMIZERS},
    }


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about LW4; accuracies in per cent."""
    found: dict[str, object] = {"seeds": len(data["seeds"]), "epochs": data["base"]["steps"]}
    for label, size in SIZES.items():
        for name in OPTIMIZERS:
            methods = {how: method(name, how, size) for how in (ALONE, LAWN)}
            told(data, found, f"{name}_{label}", methods)
    return found
