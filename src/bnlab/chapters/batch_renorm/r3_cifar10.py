"""R3 of Ioffe 2017 on CIFAR-10: four samples to normalize over, in a convolutional net.

Batches of 32 in groups of four, as in the paper and in the groups of ``r3_few_samples``. Beside
them BatchNorm over all 32, which says what groups of four cost, and group norm, which does not look
at the batch. Settings and margins were fixed before the counted seeds were run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.batch_renorm import cifar10_groups
from bnlab.chapters.batch_renorm.cifar10_groups import (
    LRS,
    error_decades,
    group_facts,
    normalized,
    train_grouped,
)
from bnlab.verdicts.race import Arm, race
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1340, 1348))
STEPS, BATCH_SIZE, FEW = 1406, 32, 4  # steps: one epoch
BASE = cifar10_groups.BASE.replace(
    batch_size=BATCH_SIZE, steps=STEPS, eval_every=STEPS, schedule_options={"warmup": 100}
)
ARMS = {
    "batch_32": ("batch", BATCH_SIZE),
    "batch_4": ("batch", FEW),
    "batch_renorm_4": ("batch_renorm", FEW),
    "group": ("group", BATCH_SIZE),
}
"""Normalizer and samples that share statistics."""


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Train each arm at its own best rate.

    Args:
        seeds: that count.
        work: does the trainings, a part a net.
        tuning: an earlier measurement, whose rates are taken over.
        device: see ``train``.
        image_size: in place of that of the base.

    Returns:
        See ``race``.
    """
    arms = {
        name: Arm(normalized(norm, BASE.steps), LRS, (group, "iid", device))
        for name, (norm, group) in ARMS.items()
    }
    return race(
        arms, BASE, seeds, work, tuning=tuning, image_size=image_size, train_one=train_grouped
    )


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """Some seeds once more, at the rates that were chosen."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of R3, one number a seed."""
    return {"conv": error_decades(data, "batch_4", "batch_renorm_4")}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R3; accuracies in per cent, differences in points.

    ``..._gain``: BatchNorm in groups of four against Batch Renormalization there; ``..._cost`` and
    ``..._left``: BatchNorm and Batch Renormalization in groups of four against BatchNorm over 32.
    """
    pairs = {
        "gain": ("batch_4", "batch_renorm_4"),
        "cost": ("batch_4", "batch_32"),
        "left": ("batch_renorm_4", "batch_32"),
    }
    return group_facts(data, pairs)
