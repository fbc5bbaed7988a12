"""R4 of Ioffe 2017 on CIFAR-10: groups of images that are alike, in a convolutional net.

As in ``r4_alike`` a batch has 80 images, eight of each class, in ten groups of eight: the gradient
sees every class, the statistics two classes (``two``) or, nearest to the paper, four of which each
has two images (``four``). The reference are the same images in ``mixed`` groups. Settings and
margins were fixed before the counted seeds were run.
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
from bnlab.verdicts.race import Arm, lead, race
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1348, 1356))
STEPS, BATCH_SIZE, SAMPLES = 500, 80, 8  # steps: nine tenths of an epoch
BASE = cifar10_groups.BASE.replace(
    batch_size=BATCH_SIZE, steps=STEPS, eval_every=STEPS, schedule_options={"warmup": 50}
)
NORMS = ("batch", "batch_renorm")
ARRANGEMENTS = ("mixed", "two", "four")
ARMS = {f"{norm}_{one}": (norm, one) for one in ARRANGEMENTS for norm in NORMS}
"""Normalizer and how alike the images of a group are."""


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
        name: Arm(normalized(norm, BASE.steps), LRS, (SAMPLES, arrangement, device))
        for name, (norm, arrangement) in ARMS.items()
    }
    return race(
        arms, BASE, seeds, work, tuning=tuning, image_size=image_size, train_one=train_grouped
    )


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """Some seeds once more, at the rates that were chosen."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of R4, one number a seed."""
    found = {
        f"{one}_conv": error_decades(data, *(f"{norm}_{one}" for norm in NORMS))
        for one in ("two", "four")
    }
    return {**found, "kept_conv": lead(data, "batch_renorm_mixed", "batch_renorm_two")}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences about R4; accuracies in per cent, differences in points.

    ``..._two`` and the other arrangements: BatchNorm against Batch Renormalization in such groups;
    ``..._lost_NORM_ARRANGEMENT``: a method in groups of two or four classes against itself in mixed
    groups.
    """
    pairs = {one: tuple(f"{norm}_{one}" for norm in NORMS) for one in ARRANGEMENTS}
    lost = {
        f"lost_{norm}_{one}": (f"{norm}_{one}", f"{norm}_mixed")
        for one in ARRANGEMENTS[1:]
        for norm in NORMS
    }
    return group_facts(data, pairs | lost)
