"""LW3 of Gupta 2021: what SGD and Adam gain by LAWN, in batches of 32, each tuned.

Each optimizer alone, with weight decay and with LAWN chooses its own rate, and its weight decay or
free phase. The gain that decides is that over the optimizer alone; the one over weight decay is
told beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.lawn.gains import OPTIMIZERS, gain, measured, told
from bnlab.chapters.lawn.methods import ALONE, DECAY, LAWN, Method
from bnlab.chapters.lawn.methods import BASE as FULL
from bnlab.train import Run
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(908, 924))
BATCH = 32
EPOCHS = 60
BASE = FULL.replace(steps=EPOCHS, eval_every=EPOCHS // 30)
METHODS = [Method(name, how, BATCH) for name in OPTIMIZERS for how in (ALONE, DECAY, LAWN)]


def measure(
    seeds: Sequence[int] = SEEDS, work: Work = HERE, tuning: dict | None = None, base: Run = BASE
) -> dict:
    """Train SGD and Adam alone, with weight decay and with LAWN.

    Args:
        seeds: that count.
        work: does the trainings.
        tuning: an earlier measurement, whose choices are taken over.
        base: what all trainings share, with full batches: its steps are epochs.
    """
    return {**measured(seeds, METHODS, work, tuning, base), "decay": True}


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, base=Run.from_dict(data["base"]))


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of LW3, one number a seed."""
    found = {name: gain(data, name, BATCH) for name in OPTIMIZERS}
    return {**found, "most": found["adam"] - found["sgd"]}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about LW3; accuracies in per cent."""
    found: dict[str, object] = {"seeds": len(data["seeds"]), "epochs": data["base"]["steps"]}
    for name in OPTIMIZERS:
        methods = {how: Method(name, how, BATCH) for how in (ALONE, LAWN, DECAY)}
        told(data, found, name, methods)
    return found
