"""LW4 of Gupta 2021: what SGD and Adam gain by LAWN in full batches and in batches of 32.

Over the same number of epochs, each at its own rate and free phase.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.lawn.gains import OPTIMIZERS, gain, measured, told
from bnlab.chapters.lawn.methods import ALONE, IMAGES, LAWN, Method
from bnlab.chapters.lawn.methods import BASE as FULL
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(924, 940))
EPOCHS = 100
SIZES = {"full": IMAGES, "small": 32}
BASE = FULL.replace(steps=EPOCHS, eval_every=EPOCHS // 20)
METHODS = [
    Method(name, how, size)
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
    return {**measured(seeds, METHODS, work, tuning, base), "decay": False}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


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
            told(data, found, f"{name}_{label}", name, size)
    return found
