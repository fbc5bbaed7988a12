"""M1 of Fei 2020 on CIFAR-10: does MimicNorm end as accurate as BatchNorm in every layer?

In a small VGG and a small residual net, each method at its own best rate. Beside the verdict, the
VGG without any normalizer: where it is as accurate, a match says nothing of MimicNorm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnlab.chapters.mimicnorm.cifar10_nets import base, plain, residual
from bnlab.verdicts.race import Arm, arm_facts, at_rate, lead, race
from bnlab.verdicts.work import HERE, Work

SEEDS = tuple(range(1372, 1380))
NETS = ("residual", "plain")
STEPS = 1408
BASE = base(STEPS, warmup=100)
RATES = (0.03, 0.1, 0.3)
TUNING_SEEDS = (0, 1)
ARMS = {
    "residual_batch": Arm(residual("batch"), RATES),
    "residual_mimic": Arm(residual("mimic"), RATES),
    "plain_batch": Arm(plain("batch"), RATES),
    "plain_mimic": Arm(plain("mimic"), RATES),
    "plain_none": Arm(plain("none"), RATES),
}


def measure(
    seeds: Sequence[int] = SEEDS,
    work: Work = HERE,
    tuning: dict | None = None,
    device: str = "cpu",
    image_size: int | None = None,
) -> dict:
    """Choose each method's rate in each net, and train with it; see ``race``."""
    return race(
        ARMS,
        BASE,
        seeds,
        work,
        tuning=tuning,
        device=device,
        image_size=image_size,
        tuning_seeds=TUNING_SEEDS,
    )


def repeat(data: dict, seeds: Sequence[int]) -> dict:
    """The same trainings for some seeds."""
    return measure(seeds, tuning=data, image_size=data["base"]["image_size"])


def values(data: dict) -> dict[str, np.ndarray]:
    """The effects of M1, one number a seed."""
    return {net: lead(data, f"{net}_batch", f"{net}_mimic") for net in NETS}


def facts(data: dict) -> dict[str, object]:
    """Numbers for sentences: those of ``arm_facts``; leads of BatchNorm in points, by net.

    ``over_none`` is MimicNorm's lead over no normalizer in the VGG, in points, and
    ``over_none_least`` that of the seed with the smallest.
    """
    over = 100 * lead(data, "plain_mimic", "plain_none")
    found = arm_facts(data) | {"over_none": over.mean(), "over_none_least": over.min()}
    for net in NETS:
        found[f"lead_{net}"] = 100 * values(data)[net].mean()
    for arm in data["arms"]:
        found[f"top_{arm}"] = 100 * at_rate(data, arm, "test_accuracy").max()
    return found
